"""The command and the signals and streams of its process."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gaopt import PoolConfig
from gaopt.journal.events import Event, Reported, Scored, Started
from gaopt.journal.journal import Journal
from tests.conftest import ROOT, toy
from tests.integration.test_cli import invoke


def run_until(journal: Path, enough: Callable[[list[Event]], bool], process: subprocess.Popen[Any]) -> None:
    """Wait for a study in a process of its own."""
    while not (journal.exists() and enough(list(Journal(journal)))):
        assert process.poll() is None
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "number", "code"), [("ray", signal.SIGTERM, 143), ("inline", signal.SIGINT, 130)]
)  # of SIGTERM Ray has a handler of its own
def test_a_signal_leaves_a_study_that_can_be_resumed(
    kind: str, number: int, code: int, results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pool = PoolConfig(kind="inline") if kind == "inline" else PoolConfig(gpus=0, dashboard=False)
    naps = {"objective": "tests.faulty:naps", "settings": {"settings": {"epochs": 3, "seconds": 0.3}}}
    (tmp_path / "naps.toml").write_text(tomli_w.dumps(replace(toy(), pool=pool, **naps).plain()))  # type: ignore[arg-type]
    command = [sys.executable, "-m", "gaopt", "run", str(tmp_path / "naps.toml"), "--name", "stopped"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True)
    # Between two outcomes, so that the search is deep inside of Ray, waiting.
    run_until(
        results / "stopped" / "study.db",
        lambda events: isinstance(events[-1], Started | Reported) and any(isinstance(each, Scored) for each in events),
        process,
    )
    os.killpg(process.pid, number)  # to Ray's processes as well, as `timeout`, Slurm and a terminal send it
    _, err = process.communicate(timeout=300)
    assert process.returncode == code
    assert "gaopt resume stopped" in err
    assert "Traceback" not in err
    _, out, _ = invoke(capfd, "status", "stopped", "--json")
    found = json.loads(out)
    assert found["state"] == "interrupted"
    assert 0 < found["done"] < found["trainings"]


@pytest.mark.slow
def test_a_signal_while_ray_starts_writes_nothing(tmp_path: Path, results: Path) -> None:
    (tmp_path / "toy.toml").write_text(tomli_w.dumps(replace(toy(), pool=PoolConfig(gpus=0)).plain()))
    command = [sys.executable, "-m", "gaopt", "run", str(tmp_path / "toy.toml")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True)
    assert process.stderr
    assert any("starting Ray" in line for line in process.stderr)  # and not at its end
    time.sleep(1)
    os.killpg(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=300)  # it is heard once Ray is there
    assert (process.returncode, "Traceback" in err) == (143, False)
    assert not results.exists()


def test_a_terminal_that_is_closed_leaves_a_study_that_can_be_resumed(tmp_path: Path, results: Path) -> None:
    naps = {"objective": "tests.faulty:naps", "settings": {"settings": {"epochs": 600, "seconds": 0.1}}}
    (tmp_path / "naps.toml").write_text(tomli_w.dumps(replace(toy(), **naps).plain()))  # type: ignore[arg-type]
    arguments = [sys.executable, "-m", "gaopt", "run", str(tmp_path / "naps.toml"), "--name", "naps"]
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(ROOT)
        os.execv(arguments[0], arguments)

    def said() -> bytes:
        with suppress(OSError):
            return os.read(terminal, 4096)
        return b""

    threading.Thread(target=lambda: list(iter(said, b"")), daemon=True).start()  # or it would wait for its reader
    journal = results / "naps" / "study.db"
    while not (journal.exists() and any(isinstance(event, Reported) for event in Journal(journal))):
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
        time.sleep(0.05)
    os.kill(pid, signal.SIGHUP)  # the shell and the kernel may both say so
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 128 + signal.SIGHUP
    assert list(Journal(journal))[-1].reason == "interrupted"


def test_streams_may_be_closed_pipes_or_of_another_encoding(tmp_path: Path, results: Path) -> None:
    path = tmp_path / "toy.toml"
    path.write_text(
        tomli_w.dumps(toy("sphere", population=2, generations=1).plain()), "utf-8-sig"
    )  # begins with a mark
    command = f"{sys.executable} -m gaopt"
    for line, code in (
        (f"{command} run {path} --name closed 0<&- 1>&- 2>&-", 0),
        (f"cat {path} | PYTHONIOENCODING=ascii {command} run /dev/stdin --name piped", 0),
        (f"{command} nets resnet20 --json | true; exit ${{PIPESTATUS[0]}}", 141),
    ):
        done = subprocess.run(["bash", "-c", line], cwd=ROOT, timeout=120, capture_output=True, text=True)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), (line, done.stderr)
    for name in ("closed", "piped"):
        assert len([event for event in Journal(results / name / "study.db") if isinstance(event, Scored)]) == 2
