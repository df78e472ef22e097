"""What is said where a disk takes nothing more, and what is on it when a power cut comes."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w

from gaopt import StudyConfig
from gaopt.config import Faults
from gaopt.errors import Unwritable
from gaopt.execution.worker import reason
from gaopt.journal.events import Closed, Failed, Retried, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Report, Task
from gaopt.study.loop import run
from tests.conftest import ROOT, begun, toy
from tests.faults.forks import Ended, Forks
from tests.faults.studies import events, table
from tests.faults.walk import Walk

traced = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


def operations(ended: Ended, folder: Path) -> list[tuple[str, str]]:
    """What a child did to the files below a folder, as (what, which), the folder itself as "."."""
    kinds = {"pwrite64": "write", "fdatasync": "sync", "fsync": "sync", "rename": "rename", "unlink": "remove"}
    found = []
    for line in ended.calls:
        call = re.match(rf'(\w+)\((?:\d+<|")({re.escape(str(folder))}[^>"]*)', line)
        made = re.match(rf'openat\(.+?"({re.escape(str(folder))}[^"]*)", \S*O_CREAT', line)
        if made:
            found.append(("make", os.path.relpath(made[1], folder)))
        elif call and "= 0" in line + "= 0" * ("write" in call[1]):
            found.append((kinds.get(call[1], call[1]), os.path.relpath(call[2], folder)))
    return found


@traced
@pytest.mark.slow
def test_what_is_written_is_on_the_disk_before_anything_is_done_that_relies_on_it(tmp_path: Path) -> None:
    """That it survives a power cut: kills alone would not tell, for the kernel keeps what it was given."""
    with Forks(tmp_path) as forks:
        walk = Walk(forks)
        place = walk.home("synced").path
        done = operations(walk.start("synced", strace=("-e", "signal=none")), place)
        outcomes = sum(isinstance(event, Scored) for event in Journal(walk.home("synced").journal))
    loose, events = set[str](), 0  # what only the kernel knows yet
    for what, which in done:
        name = which.replace("study.db.part", "study.db")  # as it is called until its first event
        if what == "make" and name == "study.db-journal":
            assert "." not in loose, "the last event could come undone"
        if what == "write" and name == "study.db":
            assert "study.db-journal" not in loose, "half of it could not be undone"
        if what == "rename":
            assert name not in loose, "its name could be that of half a file"
        if what == "remove" and name == "study.db-journal":
            assert "study.db" not in loose, "it could neither be done nor undone"
            loose, events = loose | {"."}, events + 1
        loose = loose | {name} if what == "write" else loose - {name} if what == "sync" else loose
    assert events > outcomes, "each outcome is there before the next decision"


def no_room(task: Task, report: Report) -> float:
    """These have none, each as often as the study's file says."""
    left = task.home / f"no room {task.individual}"
    if tries := int(left.read_text()) if left.exists() else 0:
        left.write_text(str(tries - 1))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "checkpoint")
    return task.genes["lr"]


def study(times: int, home: StudyDir, *individuals: int) -> StudyConfig:
    config = toy(population=4, generations=1)
    config = begun(replace(config, objective=f"{__name__}:no_room", faults=Faults(retries=1)), home)
    for individual in individuals or (2,):
        (home.path / f"no room {individual}").write_text(str(times))
    return config


def test_a_worker_without_room_costs_one_try(home: StudyDir, tmp_path: Path) -> None:
    run(study(1, home), home)
    assert [(e.individual, e.reason) for e in events(home, Retried)] == [(2, "disk")]
    other = StudyDir(tmp_path / "other")
    run(study(0, other), other)
    assert table(home) == table(other)


def test_workers_that_never_have_room_stop_the_study_and_no_individual_fails(home: StudyDir, tmp_path: Path) -> None:
    config = study(2, home, 2, 3)
    with pytest.raises(Unwritable, match=r"individual 2 cannot be trained: OSError: .*No space left.* 'checkpoint'"):
        run(config, home)
    assert not events(home, Failed)
    assert events(home, Closed)[-1].reason == "failed"
    (home.path / "no room 3").write_text("0")
    run(config, home)  # there is room again
    other = StudyDir(tmp_path / "other")
    run(study(0, other), other)
    assert table(home) == table(other)
    assert Counter(e.individual for e in events(home, Scored)) == {0: 1, 1: 1, 2: 1, 3: 1}


def test_where_others_have_room_the_failure_of_one_stands(home: StudyDir) -> None:
    assert [i.id for i in run(study(99, home), home).failed] == [2]
    assert [(e.individual, e.reason) for e in events(home, Failed)] == [(2, "disk")]
    assert len(events(home, Scored)) == 3


def test_tries_lost_to_a_disk_are_not_those_of_a_worker_that_dies() -> None:
    from gaopt.journal.events import Birth, Bred
    from gaopt.study import retries

    history = History([Bred(0, (Birth(0, {"lr": 0.1}, "random"),)), Started(0), Retried(0, "disk")])
    assert isinstance(retries.settled(history, Failed(0, "killed"), Faults(retries=1)), Retried)
    history.add(Retried(0, "killed"))
    assert isinstance(retries.settled(history, Failed(0, "killed"), Faults(retries=1)), Failed)
    with pytest.raises(Unwritable):
        retries.settled(history, Failed(0, "disk"), Faults(retries=1))


def full_database() -> sqlite3.Error:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as caught:
            database.execute("CREATE TABLE events (seq INTEGER)")
    return caught.value


def test_failures_of_a_disk_are_called_so() -> None:
    caused = RuntimeError("the checkpoint is not written")
    caused.__cause__ = OSError(errno.EIO, "Input/output error")
    for error, expected in [
        (OSError(errno.ENOSPC, "No space left on device"), "disk"),
        (OSError(errno.EROFS, "Read-only file system"), "disk"),
        (caused, "disk"),
        (full_database(), "disk"),
        (Unwritable("best.json cannot be written"), "disk"),
        (type("OutOfDiskError", (Exception,), {})("the local disk is full"), "disk"),
        (OSError(errno.ENOSPC, "No space left on device", "/dev/shm/torch_17_3"), "error"),
        (RuntimeError("unable to write to file </torch_17_3>: No space left on device (28)"), "error"),
        (OSError(errno.ENOENT, "No such file or directory"), "error"),
        (OSError(errno.ENOMEM, "Cannot allocate memory: out of memory"), "out of memory"),
    ]:
        assert reason(error) == expected


def test_a_file_without_room_stays_as_it_was(home: StudyDir, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write(home.config, "old")

    def fails(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(Unwritable, match=r"config.toml cannot be written: No space left on device"):
        home.write(home.config, "new")
    assert home.config.read_text() == "old"
    assert [path.name for path in home.path.iterdir()] == ["config.toml"]


def test_what_a_killed_driver_was_writing_is_removed_when_the_study_goes_on(home: StudyDir) -> None:
    config = begun(toy("sphere", population=2, generations=1), home)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (f"report.html.{dead.pid}.tmp", f"report.html.{os.getppid()}.tmp", "my.tmp"):
        (home.path / name).touch()
    run(config, home)
    assert sorted(path.name for path in home.path.glob("*.tmp")) == ["my.tmp", f"report.html.{os.getppid()}.tmp"]


def test_output_without_room_is_one_sentence(tmp_path: Path) -> None:
    with open("/dev/full", "w") as nowhere:
        command = [sys.executable, "-m", "gaopt", "list", "--json"]
        done = subprocess.run(command, cwd=ROOT, stdout=nowhere, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr == "gaopt: the output cannot be written: No space left on device\n"


UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


@pytest.mark.skipif(bool(UNPRIVILEGED) and not shutil.which("setpriv"), reason="the superuser may look into everything")
def test_a_folder_without_the_right_to_it_is_said_to_be_that(tmp_path: Path) -> None:
    (tmp_path / "toy.toml").write_text(tomli_w.dumps(toy(population=2, generations=1).plain()))
    for locked, arguments, said in (
        ("results/mine", ("run", "toy.toml", "--name", "mine"), "mine cannot be read: Permission denied"),
        ("results", ("list",), "results folder results cannot be used: Permission denied"),
    ):
        (tmp_path / "results" / "mine").mkdir(parents=True, exist_ok=True)
        (tmp_path / locked).chmod(0)
        command = [*UNPRIVILEGED, sys.executable, "-m", "gaopt", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "GAOPT_RESULTS": "results"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120)
        (tmp_path / locked).chmod(0o700)
        assert (done.returncode, done.stderr.count("\n"), said in done.stderr) == (2, 1, True), done.stderr
