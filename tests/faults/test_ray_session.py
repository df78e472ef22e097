"""Who can reach a Ray that gaopt started, and who can read its token."""

from __future__ import annotations

import errno
import logging
import os
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray

from gaopt import PoolConfig
from gaopt.cli.run import open_pool
from gaopt.config import from_tables
from gaopt.errors import ConfigError, Lost, Stopped
from gaopt.execution.ray import token
from gaopt.objectives.base import resolve
from tests.conftest import ROOT, toy
from tests.faults.studies import below, name


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a token; gives where it is to be."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / ".ray" / "auth_token"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_token_is_made_for_its_owner_alone_by_who_starts_ray(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token.guard(make=False)
    assert not private.exists()  # who joins a cluster makes none
    before = os.umask(0)
    try:
        token.guard(make=True)
    finally:
        os.umask(before)
    assert (mode(private), mode(private.parent)) == (0o600, 0o700)
    assert len(bytes.fromhex(private.read_text())) == 32
    private.parent.chmod(0o777)
    for path in (private, private.with_name("named")):  # one that is there is kept, and closed to others
        path.write_text("abc")
        path.chmod(0o644)
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
        token.guard(make=True)
        assert (path.read_text(), mode(path)) == ("abc", 0o600)
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH")
    token.guard(make=True)
    assert mode(private.parent) == 0o700


def test_who_starts_ray_without_a_token_is_told_what_that_means(
    private: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with caplog.at_level(logging.WARNING):
        token.guard(make=False)
        assert not caplog.records  # who joins a cluster has no say in it
        token.guard(make=True)
    [record] = caplog.records
    assert "whoever has an account on this machine can run code as you" in record.getMessage()
    assert not private.exists()


def test_a_token_that_is_named_and_not_there_or_cannot_be_made_is_one_sentence(
    private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted", str(private))

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", refused)
        with pytest.raises(ConfigError, match=r"Operation not permitted.*auth_token'?: let RAY_AUTH_TOKEN_PATH"):
            token.guard(make=True)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(private.with_name("named")))
    with pytest.raises(ConfigError, match=r"^RAY_AUTH_TOKEN_PATH is '.*/named': must be a file"):
        token.guard(make=True)
    assert not any(private.parent.iterdir())


def test_an_address_with_a_password_or_of_ray_s_client_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from gaopt.execution.ray.pool import Cluster

    tables = toy().plain()
    tables["pool"]["address"] = "ray://me:secret@far:6379"
    with pytest.raises(ConfigError, match="address holds an '@'") as told:
        from_tables(tables)
    assert "secret" not in str(told.value)
    with pytest.raises(ConfigError, match=r"'ray://far:10001': this machine must be a node of the cluster"):
        Cluster("gaopt.objectives.toy:sphere", PoolConfig(address="ray://far:10001"))
    monkeypatch.setenv("RAY_ADDRESS", "me:secret@far:6379")
    with pytest.raises(ConfigError, match="RAY_ADDRESS holds an '@'") as told:
        Cluster("gaopt.objectives.toy:sphere", PoolConfig())
    assert "secret" not in str(told.value)


def test_a_ray_that_does_not_start_is_one_sentence(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gaopt.execution.ray import session as start

    def dies() -> None:
        raise RuntimeError("The current node timed out.\nand more")

    def stop() -> None:
        raise Stopped(15)

    monkeypatch.setattr(start, "_alone", dies)
    config = replace(toy("sphere"), pool=PoolConfig())
    with pytest.raises(Lost, match=r"^Ray cannot be started: RuntimeError: The current node timed out.$"):
        open_pool(config, resolve(config.objective), lambda: None)
    with pytest.raises(Stopped):  # it was a signal to Ray's processes, too
        open_pool(config, resolve(config.objective), lambda: None, stop)


def test_a_place_where_no_ray_answers_is_refused_soon_with_what_to_do() -> None:
    from gaopt.execution.ray.session import start

    with socket.create_server(("", 0)) as other:
        port = other.getsockname()[1]

        def another() -> None:
            with suppress(OSError):
                while True:
                    with other.accept()[0] as client:
                        client.sendall(b"220 at your service\r\n")

        threading.Thread(target=another, daemon=True).start()
        for address, why in ((f"127.0.0.1:{port}", "what listens there is no Ray"), ("127.0.0.1:1", "refused")):
            began = time.monotonic()
            with pytest.raises(ConfigError, match=f"'{address}' cannot be joined: .*{why}.*--address local") as refused:
                start(PoolConfig(address=address))
            assert time.monotonic() - began < 20
            assert "\n" not in str(refused.value)


READY = """
import sys
import time
from contextlib import closing
from pathlib import Path
import ray
from gaopt import PoolConfig
from gaopt.objectives.base import Task
from gaopt.execution.ray.pool import Cluster

with closing(Cluster("gaopt.objectives.toy:sphere", PoolConfig(gpus=0))) as pool:
    pool.submit(Task("s", 0, 0, {"lr": 1e-3, "wd": 0.0, "mom": 0.5}, 0, {}, Path(), Path()))
    deadline = time.monotonic() + 300
    while type(pool.wait()).__name__ not in ("Scored", "Failed"):
        assert time.monotonic() < deadline
    there = ray.init(ignore_reinit_error=True).address_info
    while not (page := ray._private.worker._global_node.webui_url):  # its port may be taken meanwhile, and be another
        assert time.monotonic() < deadline, "no dashboard"
        time.sleep(0.1)
    print(f"http://{page}", there["gcs_address"], there["session_dir"], flush=True)
    sys.stdin.read()
"""
JOINS = """
import sys
import ray
from ray._private import ray_constants
ray_constants.ENABLE_RAY_CLUSTER = False  # else it would take 127.0.0.1 for another address, where nobody listens
ray.init(address=sys.argv[1], log_to_driver=False)
print("joined", ray.get(ray.remote(lambda: 1).options(num_cpus=0.1).remote()))
"""


def answer(url: str, given: str) -> int:
    """The status of a page that is asked for with a token; with none where it is ""."""
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {given}"} if given else {})
    try:
        return int(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=30).status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def joined(address: str, given: str) -> bool:
    """Whether a driver with this token becomes part of a cluster."""
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": given}
    command = [sys.executable, "-c", JOINS, address]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 or "uthenticat" in done.stderr, done.stderr
    return "joined 1" in done.stdout


LISTENS = "0A"


def listening(pids: Iterator[int]) -> set[tuple[str, str]]:
    """(process, address in hexadecimal) of each port that these processes listen at, as Linux tells it."""
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    address = {f"socket:[{row[9]}]": row[1] for row in rows if row[3] == LISTENS}
    found = set()
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").glob("*"):  # none where it has ended
            with suppress(FileNotFoundError):
                if (link := os.readlink(handle)) in address:
                    found.add((name(pid), address[link]))
    return found


LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")
"""127.0.0.1, the same as an address of IPv6, and ::1."""


@pytest.mark.usefixtures("dashboards")
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")
def test_every_port_of_a_local_ray_is_at_127_0_0_1_and_asks_for_its_owner_s_token(private: Path) -> None:
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", READY], cwd=ROOT, text=True, **pipes) as driver:
        assert driver.stdout
        dashboard, head, session = driver.stdout.readline().split()
        deadline = time.monotonic() + 300
        needed = {"gcs_server", "raylet", "ray::DashboardAgent", "ray::RuntimeEnvAgent"}
        found: set[tuple[str, str]] = set()
        while not needed <= {who for who, _ in found} and driver.poll() is None and time.monotonic() < deadline:
            found |= listening(iter([driver.pid, *below(driver.pid)]))
            time.sleep(0.2)
        found |= listening(iter([driver.pid, *below(driver.pid)]))
        secret = private.read_text()
        answers = [answer(f"{dashboard}/api/v0/tasks", given) for given in ("", "0" * 64, secret)]
        joins = [joined(head, given) for given in ("0" * 64, secret)]
        out, told = driver.communicate()
    assert needed <= {who for who, _ in found}, told
    assert {where for _, where in found if where.split(":")[0] not in LOOPBACK} == set(), found
    assert dashboard.startswith("http://127.0.0.1:")
    assert (answers[0], answers[1], answers[2]) == (401, 403, 200)
    assert joins == [False, True]
    assert mode(private) == 0o600
    assert secret not in out + told
    written = (path for path in Path(session).rglob("*") if path.is_file() and not path.is_symlink())
    assert not [path for path in written if secret.encode() in path.read_bytes()]


def test_a_dashboard_whose_port_is_taken_meanwhile_comes_at_another_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from gaopt.execution.ray import dashboard

    class Node:
        """The head of a Ray whose dashboard takes the port that it is given, or refuses."""

        _ray_params = SimpleNamespace(dashboard_port=0)
        webui_url = ""

        def start_monitor(self) -> None: ...

        def start_api_server(self, include_dashboard: bool, raise_on_failure: bool) -> None:
            port = self._ray_params.dashboard_port
            if port == 8265:
                there.remove(port)
                raise ValueError("already occupied")
            self.webui_url = f"127.0.0.1:{port}"

    there = [8265, 8267]  # that are free; 8266 is not
    monkeypatch.setattr(dashboard, "free", there.__contains__)
    monkeypatch.setattr(ray._private.worker, "_global_node", node := Node())
    monkeypatch.setattr(dashboard, "BEGINS", 0.0)
    page = dashboard.Dashboard(set())
    page.hear()
    deadline = time.monotonic() + 60
    while not caplog.messages and time.monotonic() < deadline:
        time.sleep(0.01)
    page.close()
    assert node.webui_url == "127.0.0.1:8267"
    assert caplog.messages == ["the port of the Ray dashboard was taken: it is at http://127.0.0.1:8267"]
    node.webui_url = ""
    dashboard.Dashboard(set()).close()  # of a search that was over before
    assert not node.webui_url
