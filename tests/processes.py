"""The command in a process of its own, and the processes below one, as Linux's /proc tells them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.conftest import ROOT


def gaopt(
    results: Path, *arguments: str, cwd: Path = ROOT, said: int = subprocess.DEVNULL, alone: bool = False
) -> subprocess.Popen[str]:
    """The command in a process of its own, on a Ray of its own.

    Args:
        said: where its stdout and stderr go, each.
        alone: with its children in a group of its own, which can be sent a signal as a whole.
    """
    environment = {**os.environ, "GAOPT_RESULTS": str(results), "PYTHONPATH": str(ROOT)}
    environment.pop("RAY_ADDRESS", None)
    command = [sys.executable, "-m", "gaopt", *arguments]
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=said, stderr=said, text=True, start_new_session=alone
    )


def below(pid: int) -> Iterator[int]:
    """All processes that descend from one, whichever of its threads began them."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text("ascii").split()):
                yield child
                yield from below(child)


def name(pid: int) -> str:
    """What a process calls itself, without its folder; "" where there is none, or only its entry."""
    with suppress(OSError):
        return Path(os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0])).name
    return ""


def blocked(pid: int) -> set[int]:
    """The numbers of the signals that the main thread of a process does not take."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    mask = int(status.partition("SigBlk:")[2].split()[0], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}
