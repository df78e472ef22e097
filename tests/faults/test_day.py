"""A day in small (`make day`): what of it can be seen without one."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import day
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.conftest import ROOT
from tests.faults.test_disks import study


def test_a_study_that_cannot_be_resumed_is_given_up(home: StudyDir, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def refuses(results: object, command: str, *arguments: str, said: int) -> subprocess.Popen[str]:
        begun.append(command)
        return subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(2)"], stderr=said, text=True)

    monkeypatch.setattr(day, "gaopt", refuses)
    monkeypatch.setattr(day, "PATIENCE", 3)
    with pytest.raises(RuntimeError, match="3 resumes in a row trained nothing; the last ended with 2"):
        day.endure(home, random.Random(0))
    assert begun == ["run", *["resume"] * 3]


def test_a_day_is_well_only_where_every_kind_of_process_was_killed_and_nothing_came_of_it(tmp_path: Path) -> None:
    alone, retried, untouched = (StudyDir(tmp_path / name) for name in ("alone", "retried", "untouched"))
    for home, times in ((alone, 0), (retried, 1), (untouched, 0)):
        run(study(times, home), home)
    every = Counter(day.CHANCES)
    assert day.told(alone, retried, day.Toll(kills=every), 1.0)[0]
    assert not day.told(alone, untouched, day.Toll(kills=every), 1.0)[0], "no training was begun again"
    assert not day.told(alone, retried, day.Toll(), 1.0)[0], "nothing was killed"
    assert not day.told(alone, retried, day.Toll(kills=every, crashed=1), 1.0)[0], "a driver crashed"
    assert not day.told(alone, retried, day.Toll(kills=every - Counter(["raylet"])), 1.0)[0]
    assert not day.told(alone, retried, day.Toll(kills=every, seen={0, 9}), 1.0)[0], "one is lost"


@pytest.mark.parametrize(("ending", "crashed"), [("sys.exit('gaopt: Ray is lost')", 0), ("1 / 0", 1)])
def test_a_driver_that_ends_with_a_traceback_is_counted(
    home: StudyDir, monkeypatch: pytest.MonkeyPatch, ending: str, crashed: int
) -> None:
    def ends(results: object, command: str, *arguments: str, said: int) -> subprocess.Popen[str]:
        code = f"import sys; {ending}" if command == "run" else ""
        return subprocess.Popen([sys.executable, "-S", "-c", code], stderr=said, text=True)

    monkeypatch.setattr(day, "gaopt", ends)
    monkeypatch.setattr(day, "SPARED", 0.0)
    toll = day.endure(home, random.Random(0))
    assert (toll.crashed, toll.resumes) == (crashed, Counter(["ended by itself with 1"]))


def test_what_can_be_killed_is_told_by_what_it_calls_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    called = ["ray::g1 i2 lr=0.1", "ray::IDLE", "ray::DashboardAgent", "raylet", "gcs_server", "python"]
    monkeypatch.setattr(day, "name", lambda pid: called[pid])
    monkeypatch.setattr(day, "below", lambda pid: range(len(called)))
    found = {"driver": [7], "worker": [0, 1], "raylet": [3], "head": [4], "": [2, 5]}
    assert day.standing(7) == found


def test_the_committed_day_is_one_of_this_script() -> None:
    told = (ROOT / "results" / "day.md").read_text("utf-8")
    assert f"gaopt run quick {' '.join(day.STUDY)}`" in told
    assert f"Every {day.PAUSE[0]:g} to {day.PAUSE[1]:g} seconds" in told
    assert ", ".join(f"{what} {chance}" for what, chance in day.CHANCES.items()) in told
    assert re.findall(r"\*\*(.+)\*\*", told) == ["yes", "0", "0", "0"]
