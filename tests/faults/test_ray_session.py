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
from typing import Any

import pytest

from gaopt import PoolConfig
from gaopt.cli.run import open_pool
from gaopt.config import from_tables
from gaopt.errors import ConfigError, Lost, Stopped
from gaopt.execution.ray import token
from tests.conftest import ROOT, toy
from tests.processes import below, name


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a token; gives where it is to be."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / ".ray" / "auth_token"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_token_is_made_for_its_owner_alone(private: Path) -> None:
    before = os.umask(0)
    try:
        token.guard(make=True)
    finally:
        os.umask(before)
    assert (mode(private), mode(private.parent)) == (0o600, 0o700)
    assert len(bytes.fromhex(private.read_text())) == 32
    assert list(private.parent.iterdir()) == [private]


def test_a_token_that_is_there_is_kept_and_closed_to_others(private: Path) -> None:
    private.parent.mkdir()
    private.write_text("abc")
    private.chmod(0o644)
    token.guard(make=True)
    assert (private.read_text(), mode(private)) == ("abc", 0o600)


def test_to_join_a_cluster_makes_no_token(private: Path) -> None:
    token.guard(make=False)
    assert not private.exists()
    private.parent.mkdir()
    private.write_text("abc")
    private.chmod(0o644)
    token.guard(make=False)
    assert mode(private) == 0o600


def test_a_token_that_is_named_is_closed_and_none_made_beside_it(
    private: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "token"
    named.write_text("abc")
    named.chmod(0o640)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(named))
    token.guard(make=True)
    assert mode(named) == 0o600
    assert not private.exists()


def test_a_token_that_cannot_be_closed_is_left_and_told_of(
    private: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    private.parent.mkdir()
    private.write_text("abc")
    private.chmod(0o644)
    monkeypatch.setattr(Path, "chmod", lambda path, mode: (_ for _ in ()).throw(PermissionError(1, "not yours")))
    token.guard(make=True)
    assert f"{private}, can be read by others: not yours" in caplog.text
    assert "abc" not in caplog.text


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


@pytest.mark.parametrize("name", ["mkdir", "link"])
def test_a_token_that_cannot_be_made_is_one_sentence(private: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted", str(private))

    monkeypatch.setattr(Path if name == "mkdir" else os, name, refused)
    with pytest.raises(ConfigError, match=r"Operation not permitted.*auth_token'?: let RAY_AUTH_TOKEN_PATH"):
        token.guard(make=True)
    assert not private.parent.exists() or not any(private.parent.iterdir())


def test_a_folder_of_the_token_that_is_open_is_closed(private: Path, tmp_path: Path) -> None:
    private.parent.mkdir()
    private.parent.chmod(0o777)
    before = mode(tmp_path)
    token.guard(make=True)
    assert (mode(private.parent), mode(private), mode(tmp_path)) == (0o700, 0o600, before)


def test_a_token_that_is_named_and_not_there_is_told_of_and_its_folder_left(
    private: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "shared" / "token"))
    with pytest.raises(ConfigError, match=r"^RAY_AUTH_TOKEN_PATH is '.*/shared/token': must be a file"):
        token.guard(make=True)
    assert mode(tmp_path / "shared") == 0o755
    assert not any((tmp_path / "shared").iterdir())


def test_an_address_with_a_password_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    from gaopt.execution.ray.pool import Cluster

    tables = toy().plain()
    tables["pool"]["address"] = "ray://me:secret@far:6379"
    with pytest.raises(ConfigError, match="address holds an '@'") as told:
        from_tables(tables)
    assert "secret" not in str(told.value)
    monkeypatch.setenv("RAY_ADDRESS", "me:secret@far:6379")
    with pytest.raises(ConfigError, match="RAY_ADDRESS holds an '@'") as told:
        Cluster("gaopt.objectives.toy:sphere", None, PoolConfig())
    assert "secret" not in str(told.value)


def test_an_address_of_ray_s_client_is_refused() -> None:
    from gaopt.execution.ray.pool import Cluster

    with pytest.raises(ConfigError, match=r"'ray://far:10001': this machine must be a node of the cluster"):
        Cluster("gaopt.objectives.toy:sphere", None, PoolConfig(address="ray://far:10001"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("The current node timed out.\nand more"), "RuntimeError: The current node timed out."),
        (AssertionError(), "AssertionError: no message"),
    ],
)
def test_a_ray_that_does_not_start_is_one_sentence(
    private: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    from gaopt.execution.ray import session as start

    def dies(dashboard: bool) -> None:
        raise error

    def stop() -> None:
        raise Stopped(15)

    monkeypatch.setattr(start, "_begin", dies)
    config = replace(toy("sphere"), pool=PoolConfig())
    with pytest.raises(Lost, match=f"^Ray cannot be started: {told}$"):
        open_pool(config, None)
    with pytest.raises(Stopped):  # it was a signal to Ray's processes, too
        open_pool(config, None, stop)


def test_a_place_where_no_ray_answers_is_refused_soon_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from gaopt.execution.ray import session as start

    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        port = other.getsockname()[1]

        def another() -> None:
            with suppress(OSError):
                while True:
                    with other.accept()[0] as client:
                        client.sendall(b"220 at your service\r\n")

        threading.Thread(target=another, daemon=True).start()
        known = {"auto": "127.0.0.1:1"}  # a cluster that is gone
        told = start.services.canonicalize_bootstrap_address_or_die
        monkeypatch.setattr(
            start.services, "canonicalize_bootstrap_address_or_die", lambda name: told(known.get(name, name))
        )
        for address, why in (("auto", "refused"), (f"127.0.0.1:{port}", "what listens there is no Ray"), ("x", "x")):
            monkeypatch.setenv("RAY_ADDRESS", address)
            began = time.monotonic()
            with pytest.raises(ConfigError, match=f"'{address}' cannot be joined: .*{why}.*--address local") as refused:
                start.start(PoolConfig())
            assert time.monotonic() - began < 20
            assert "\n" not in str(refused.value)


def test_a_folder_too_long_for_sockets_is_refused_with_what_to_do(
    private: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gaopt.execution.ray.session import start

    far = tmp_path / ("x" * 90)
    far.mkdir()
    monkeypatch.setenv("TMPDIR", str(far))
    with pytest.raises(ConfigError, match=f"TMPDIR is '{far}': too long .*: set RAY_TMPDIR=/tmp"):
        start(PoolConfig(dashboard=False))


IN_A_THREAD = """
import signal, sys, threading
import ray
from gaopt import PoolConfig
from gaopt.execution.ray.pool import Cluster

signal.signal(signal.SIGTERM, lambda *_: None)
def go():
    try:
        pool = Cluster("gaopt.objectives.toy:sphere", None, PoolConfig(gpus=0, dashboard=False))
        pool._running = {"no stream": None}  # Ray refuses to cancel that
        try: pool.close()
        except TypeError: print("not cancelled")
        print("blocked" if signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ()) else "heard")
    except BaseException as error: print(repr(error))
thread = threading.Thread(target=go); thread.start(); thread.join()
print("left running" if ray.is_initialized() else "ended", signal.getsignal(signal.SIGTERM).__name__)
"""


def test_a_clean_up_goes_on_where_a_step_of_it_fails_also_in_a_thread() -> None:
    done = subprocess.run([sys.executable, "-c", IN_A_THREAD], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n")[:3] == ["not cancelled", "heard", "ended <lambda>"], done.stdout + done.stderr


READY = """
import sys
from contextlib import closing
from pathlib import Path
import ray
from gaopt import PoolConfig
from gaopt.objectives.base import Task
from gaopt.execution.ray.pool import Cluster

with closing(Cluster("gaopt.objectives.toy:sphere", None, PoolConfig(gpus=0))) as pool:
    pool.submit(Task("s", 0, 0, {"lr": 1e-3, "wd": 0.0, "mom": 0.5}, 0, {}, Path(), Path()))
    while type(pool.wait()).__name__ not in ("Scored", "Failed"):
        pass
    there = ray.init(ignore_reinit_error=True).address_info
    print(pool.dashboard, there["gcs_address"], there["session_dir"], flush=True)
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


def holding(folder: Path, secret: str) -> list[Path]:
    """The files below a folder in which a text stands."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if secret.encode() in path.read_bytes()]


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
        deadline = time.monotonic() + 60
        needed = {"gcs_server", "raylet", "ray::DashboardAgent", "ray::RuntimeEnvAgent"}
        found: set[tuple[str, str]] = set()
        while not needed <= {who for who, _ in found} and driver.poll() is None and time.monotonic() < deadline:
            found |= listening(iter([driver.pid, *below(driver.pid)]))
            time.sleep(0.2)
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
    assert not holding(Path(session), secret)
