"""A Ray head of this machine that outlives the service, and is ended by its process, not by name.

`ray stop` would end every Ray of this user, another service's too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from gaopt.errors import ConfigError, Lost
from gaopt.execution.ray import token
from gaopt.execution.ray.health import DASHBOARD, free, is_listening
from gaopt.serve.folder import ServiceDir, read_json, write_private
from gaopt.serve.runner import began

PATIENCE = 300.0
"""Seconds in which Ray must have started: 6 on a machine at rest, 60 on one that is very busy."""
ENDING = 20.0
"""Seconds in which Ray ends its processes: it waits for five of them for what they do, and they take five to end."""
_START = (
    *(sys.executable, "-m", "ray.scripts.scripts", "start"),
    # With a dashboard by name it does not start without, as it would where its port was taken meanwhile.
    *("--head", "--block", "--include-dashboard=true", "--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1"),
    # Of its own choice. The ports that it would have by default may be another Ray's.
    *("--port=0", "--dashboard-agent-listen-port=0"),
    "--include-log-monitor=false",  # it sends to drivers what workers print: ours do not ask for it
)


@dataclass(frozen=True)
class Head:
    """The head of a Ray cluster.

    Attributes:
        address: "host:port" of what drivers and nodes join, the GCS.
        dashboard: the URL of its dashboard, which takes jobs.
        pid, began: of `ray start`, which ends with the head; 0 of one that the service did not start.
        folder: of its sockets and logs; "" of one that the service did not start.
    """

    address: str
    dashboard: str
    pid: int = 0
    began: float = 0.0
    folder: str = ""

    @property
    def alive(self) -> bool:
        return began(self.pid) == self.began if self.pid else is_listening(self.address)


def head(folder: ServiceDir) -> Head:
    """The head that the service started before, or a new one. All of its ports are at 127.0.0.1.

    Raises:
        ConfigError: the place of its sockets, or its token, cannot be used.
        Lost: it does not start.
    """
    if found := read_json(folder.ray):
        before = Head(**found)
        if before.alive and before.address:
            token.guard(make=False)
            return before
        stop(before)  # a service was killed while it started
    token.guard(make=True)
    while True:
        if not (port := next(filter(free, DASHBOARD), 0)):
            raise Lost(f"Ray cannot be started: no port from {DASHBOARD[0]} to {DASHBOARD[-1]} is free")
        try:
            started = _start(port, folder)
        except Lost:
            if free(port):
                raise
            continue  # somebody took it meanwhile, a service that started at the same time, say
        write_private(folder.ray, json.dumps(asdict(started)))
        return started


def stop(head: Head) -> None:
    """End a head that the service started, with whatever runs on it: a study in good order is stopped before."""
    if not (head.pid and head.alive):
        return
    process = psutil.Process(head.pid)
    everyone = [process, *process.children(recursive=True)]
    process.terminate()
    _, left = psutil.wait_procs(everyone, timeout=ENDING)
    for one in left:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(left, timeout=ENDING)
    shutil.rmtree(head.folder, ignore_errors=True)


def _start(port: int, of: ServiceDir) -> Head:
    # Ray opens its own folder to everybody: that lies in one that is its owner's. It is short: a socket's path has 107
    # bytes at most. And each head has its own, for by what lies there a job finds its cluster.
    folder = tempfile.mkdtemp(prefix="gaopt-", dir=os.environ.get("RAY_TMPDIR"))
    ray, log = Path(folder, "ray"), Path(folder, "start.log")
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [*_START, f"--dashboard-port={port}", f"--temp-dir={ray}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=_environment(),
        )
    url = f"http://127.0.0.1:{port}"
    starting = Head("", url, process.pid, began(process.pid) or 0.0, folder)
    address, deadline = ray / "ray_current_cluster", time.monotonic() + PATIENCE  # written when all of it has started
    try:
        write_private(of.ray, json.dumps(asdict(starting)))
        while not address.exists() or not address.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise _refusal(process, log.read_text("utf-8", "replace"))
            time.sleep(0.1)
    except BaseException:  # Ctrl-C, too
        stop(starting)
        of.ray.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return replace(starting, address=address.read_text().strip())


def _environment() -> dict[str, str]:
    joining = ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS")
    given = {name: value for name, value in os.environ.items() if name not in joining}
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_USAGE_STATS_ENABLED": "0",
        **given,
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "5",  # not 30: it waits for jobs, which do not hear of it
        # Else Ray replaces 127.0.0.1 by the machine's own address, and listens at all of them.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_START_HOOK": f"{__name__}.{without_client.__name__}",
    }


def without_client(parameters: Any, head: bool) -> None:
    """Called by `ray start`: no server for Ray's client, which nobody needs, and for which there is no option.

    It takes 90 MB and a port, and where Ray does not start within 30 s it takes the head down.
    """
    parameters.ray_client_server_port = None


def _refusal(process: subprocess.Popen[bytes], said: str) -> ConfigError | Lost:
    """Why it did not start."""
    if "AF_UNIX path length" in said:
        folder = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
        return ConfigError(f"{folder!r} is too long for the paths of Ray's sockets: set RAY_TMPDIR=/tmp")
    timed_out = process.poll() is None
    why = f"not within {PATIENCE:.0f} s" if timed_out else said.strip().splitlines()[-1] if said.strip() else "no word"
    return Lost(f"Ray cannot be started: {why}")
