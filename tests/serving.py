"""A service for tests: in this process, with a runner that runs nothing, or a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.testclient import TestClient

from gaopt.errors import GaoptError
from gaopt.serve.app import create
from gaopt.serve.folder import ServiceDir
from gaopt.serve.request import Policy
from gaopt.serve.service import Service

VALLEY = "gaopt.objectives.toy:valley"
TOY = """
[study]
objective = "{objective}"
strategy = "genetic"
seed = {seed}
[genetic]
population = {population}
generations = {generations}
[space.lr]
low = 1e-6
high = 1e-2
scale = "log"
[space.wd]
low = 0.0
high = 0.1
[space.mom]
low = 0.1
high = 1.1
[pool]
kind = "inline"
"""


def toml(more: str = "", objective: str = VALLEY, seed: int = 0, population: int = 4, generations: int = 2) -> str:
    """A config whose trainings cost nothing."""
    return TOY.format(objective=objective, seed=seed, population=population, generations=generations) + more


@dataclass
class Idle:
    """A runner that begins nothing: what it was asked for, and what of it is said to live."""

    started: list[Sequence[str]] = field(default_factory=list)
    living: set[str] = field(default_factory=set)
    stopped: list[str] = field(default_factory=list)
    fails: GaoptError | None = None
    name = "idle"

    def start(self, id: str, arguments: Sequence[str], log: Path, labels: Mapping[str, str]) -> str:
        if self.fails:
            raise self.fails
        self.started.append(arguments)
        self.living.add(id)
        return id

    def stop(self, handle: str) -> None:
        self.stopped.append(handle)

    def alive(self, handle: str) -> bool:
        return handle in self.living

    def link(self, handle: str) -> str:
        return ""

    @property
    def dashboard(self) -> str:
        return ""


@dataclass
class Inside:
    """A service in this process, which begins nothing by itself, and a client that has no token yet."""

    service: Service
    runner: Idle
    client: TestClient
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """A request with the owner's token."""
        headers = self.bearer | given.pop("headers", {})
        return self.client.request(method, f"/api/v1{path}", headers=headers, follow_redirects=False, **given)

    def submit(self, name: str, **given: Any) -> httpx.Response:
        return self.ask("POST", "/studies", json={"config": toml(), "name": name, **given})


@contextmanager
def inside() -> Iterator[Inside]:
    runner = Idle()
    service = Service(ServiceDir.default(), runner, policy=Policy((VALLEY,)))
    token = service.tokens.add("owner", "write")
    with TestClient(create(service, ["testserver"], 80), raise_server_exceptions=False) as client:
        yield Inside(service, runner, client, token)
    service.queue.close()


@dataclass
class Running:
    """A service that is a process."""

    process: subprocess.Popen[str]
    results: Path
    address: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        return httpx.request(method, f"{self.address}/api/v1{path}", headers=self.bearer, timeout=120, **given)

    def state(self, name: str) -> str:
        return str(self.ask("GET", f"/studies/{name}").json().get("state"))

    def end(self, number: int = signal.SIGINT) -> str:
        """What it printed, once it has ended by a signal."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=300)[1]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gaopt", *arguments]


def outside(results: Path, *options: str, port: int = 0) -> Running:
    """Start a service on a results folder, and wait until it answers."""
    given = ["--runner", "process", "--port", str(port), "--objective", VALLEY, "--results", str(results)]
    process = subprocess.Popen(
        command("serve", *given, *options), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    connection = results / ".serve" / "service.json"

    def found() -> dict[str, Any] | None:
        assert process.poll() is None, process.communicate()[1]
        told = json.loads(connection.read_text()) if connection.exists() else {}
        return told if told.get("pid") == process.pid else None

    told = eventually(found)
    running = Running(process, results, told["address"], told["token"])

    def healthy() -> bool:
        try:
            return httpx.get(f"{running.address}/api/v1/health").is_success
        except httpx.TransportError:
            return False

    eventually(healthy)
    return running


def eventually(what: Callable[[], Any], seconds: float = 300) -> Any:
    """What is found, once there is something."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
    return found


def listing(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder."""
    return {
        os.path.relpath(path, folder): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
    }
