"""How the service runs a command: the protocol, and a process of this machine.

A runner is asked to start and stop a run, whether it is alive, and where it is shown. What a study is doing is read
from its journal.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psutil


class Runner(Protocol):
    """Where commands of gaopt are run, so that they outlive the service."""

    name: str

    def start(self, id: str, arguments: Sequence[str], log: Path, labels: Mapping[str, str]) -> str:
        """Begin `gaopt ARGUMENTS`; a text by which the run is known from now on, also to another process.

        Args:
            id: unique in the service. A run that was begun under it before is the same run.
            log: a file that takes what the command prints.
            labels: what people should see of it: the study, and its page.
        """

    def stop(self, handle: str) -> None:
        """Ask a run to end in good order, and return at once."""

    def alive(self, handle: str) -> bool:
        """Whether it has not ended."""

    def link(self, handle: str) -> str:
        """A page about the run, "" where there is none."""

    @property
    def dashboard(self) -> str:
        """The page of Ray, "" where there is none."""


class Processes:
    """Commands as processes of this machine, each in a session of its own: they outlive the service."""

    name = "process"

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, id: str, arguments: Sequence[str], log: Path, labels: Mapping[str, str]) -> str:
        with open(log, "ab") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "gaopt", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, **self._environment},
            )
        self._children[child.pid] = child
        return json.dumps({"pid": child.pid, "began": began(child.pid)})

    def stop(self, handle: str) -> None:
        if self.alive(handle):
            with suppress(ProcessLookupError):
                os.kill(json.loads(handle)["pid"], signal.SIGTERM)

    def alive(self, handle: str) -> bool:
        found = json.loads(handle)
        if child := self._children.get(found["pid"]):
            return child.poll() is None  # which also takes it off the list of processes
        return began(found["pid"]) == found["began"] is not None

    def link(self, handle: str) -> str:
        return ""

    @property
    def dashboard(self) -> str:
        return ""


def began(pid: int) -> float | None:
    """When a process began: numbers of processes come again. None where there is none, or only its exit status."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return float(process.create_time())
    return None
