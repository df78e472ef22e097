"""What a comparison that is gone on with notices: other code, other drivers, and what a killed one left."""

import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gaopt.compare.plan import Plan, read
from gaopt.compare.read import comparison, history
from gaopt.compare.run import Runner
from gaopt.errors import Hopeless, Stopped, StudyError
from gaopt.execution.inline import Inline
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import ComparisonDir
from gaopt.journal.studies import free_dir, new_comparison_dir
from gaopt.objectives import finals
from gaopt.objectives.base import Plain
from gaopt.study.resume_check import changes
from tests.conftest import ROOT
from tests.flat import slope
from tests.integration.test_cli import gaopt
from tests.integration.test_comparing import plan, ran, tables

CODE = """
import os, signal, time
from pathlib import Path


def score(task, report):
    if task.study == {at!r}:
        {does}
    return task.genes["x"] * {factor}
"""
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
WAITING = "Path('waits').touch(); time.sleep(300)"
CONFIG = """
[study]
objective = "mine:score"
strategy = "random"
[genetic]
population = 4
generations = 1
[pool]
kind = "inline"
[space.x]
low = 0.1
high = 1.0
"""
BEGIN = ("compare", "mine.toml", "--methods", "random,genetic", "--seeds", "2", "--name", "mine")
REFUSED = (
    "gaopt: the comparison was begun with other code mine: start a new one,"
    " or go on all the same with --allow-changed (in Python allow_changed=True), which writes it down"
)


def code(place: Path, factor: int = 1, at: str = "", does: str = "pass") -> None:
    """The objective, and what it does in the trainings of one study."""
    (place / "mine.py").write_text(CODE.format(at=at, does=does, factor=factor))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def home(place: Path) -> ComparisonDir:
    return ComparisonDir(place / "results" / "mine")


def journals(home: ComparisonDir) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in home.path.rglob("study.db")}


@pytest.mark.slow
def test_other_code_after_a_kill_in_the_finals_is_refused_and_allowed_it_is_told(
    place: Path, home: ComparisonDir
) -> None:
    code(place, 1, "0", KILLED)
    assert gaopt(*BEGIN, cwd=place).returncode == -9
    code(place, 2)
    before, planned = journals(home), home.plan.read_bytes()
    done = gaopt("compare", "mine", "--seeds", "3", cwd=place)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == REFUSED
    assert "go on with: gaopt" not in done.stderr
    assert (journals(home), home.plan.read_bytes()) == (before, planned)
    done = gaopt("compare", "mine", "--allow-changed", cwd=place)
    assert done.returncode == 0, done.stderr
    assert (
        "After 8 trainings, with the finals of seed 0, the comparison was gone on with although there had changed:"
        " other code mine. Scores from before and after may not be comparable."
    ) in home.markdown.read_text("utf-8")


class Sampled(Plain):
    """An objective on data of which the test says what they are."""

    data: ClassVar[dict[str, str]] = {}

    def made_of(self, shared: Any) -> dict[str, str]:
        return self.data


sampled = Sampled(slope)


def made(plan: Plan, home: ComparisonDir, data: str, allowed: bool = False, looks: float = math.inf) -> None:
    """Run what is missing, on such data; be told to stop after so many looks at it."""
    left = count()

    def stop() -> None:
        if next(left) >= looks:
            raise Stopped(15)

    home.make()
    Sampled.data = {"data": data} if data else {}
    Runner(home, plan, Inline(sampled, None, Sampled.data), None, stop, str, allowed).run()


def on_data(seeds: int) -> Plan:
    return plan("tests.integration.test_comparing_goes_on:sampled", methods=("random", "genetic"), seeds=seeds)


@pytest.mark.parametrize("looks", [14, 68])
def test_what_trainings_are_made_of_is_compared_wherever_it_was_stopped(looks: int, home: ComparisonDir) -> None:
    """In the first search, between searches, in finals, and in the second seed."""
    with pytest.raises(Stopped):
        made(on_data(2), home, "old", looks=looks)
    before, planned = journals(home), home.plan.read_bytes()
    with pytest.raises(StudyError, match="the comparison was begun with other data: start a new one, or go on all"):
        made(on_data(3), home, "new")
    assert (journals(home), home.plan.read_bytes()) == (before, planned)
    made(on_data(2), home, "new", allowed=True)
    made(on_data(3), home, "new")  # it is known now
    assert [change.what for change in comparison(home).changes] == [("other data",)]
    with pytest.raises(StudyError, match="the comparison was begun with other data"):
        made(on_data(4), home, "old")  # put back it is changed again


def test_finals_of_an_earlier_version_can_be_gone_on_with(tmp_path: Path) -> None:
    home = ComparisonDir(tmp_path / "quick-compare")
    shutil.copytree(ROOT / "results" / home.name, home.path, ignore=shutil.ignore_patterns("*.html", "figures"))
    begun, planned = history(home.finals(0)), read(home)
    config = finals.configured(
        planned.base, finals.winners(begun.config), planned.finals, begun.config["study"]["seed"]
    )
    assert changes(begun, config, {"data": "another"}) == ()
    assert not comparison(home).changes


def few_faults(objective: str, **more: Any) -> Plan:
    drawn = plan(methods=("random", "genetic"), seeds=1, **more)
    return replace(drawn, configs={"toy": tables(objective, faults={"max_alike_failures": 3})})


def test_finals_that_all_fail_stop_with_the_first_traceback(home: ComparisonDir) -> None:
    with pytest.raises(Hopeless, match=r"the first 3 trainings all failed(.|\n)*no winner is trained again"):
        ran(few_faults("tests.flat:broken_in_finals", finals=4), home)


def test_a_winner_that_fails_each_time_keeps_no_other_from_its_score(home: ComparisonDir) -> None:
    found = ran(few_faults("tests.flat:broken_in_finals_of_one", finals=4), home)
    assert [len(History(Journal(home.finals(0).journal)).failed), set(found.scores())] == [4, {"random"}]


@contextmanager
def running(place: Path) -> Iterator[subprocess.Popen[str]]:
    """A driver in the midst of the second search."""
    code(place, 1, "genetic-0", WAITING)
    driver = subprocess.Popen(
        [sys.executable, "-m", "gaopt", *BEGIN], cwd=place, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        while not (place / "waits").exists():
            assert driver.poll() is None
            time.sleep(0.05)
        yield driver
    finally:
        driver.kill()
        driver.communicate()


@pytest.mark.slow
def test_a_second_driver_is_refused_and_changes_nothing(place: Path, home: ComparisonDir) -> None:
    with running(place) as driver:
        before, planned = journals(home), home.plan.read_bytes()
        done = gaopt("compare", "mine", "--seeds", "9", cwd=place)
        assert done.returncode == 2
        assert f"'mine' is in use by process {driver.pid} on " in done.stderr.splitlines()[-1]
        assert (journals(home), home.plan.read_bytes()) == (before, planned)
    code(place, 1)
    assert gaopt("compare", "mine", "--allow-changed", cwd=place).returncode == 0


def dead() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize("also", [[], ["study.lock"]])
def test_a_comparison_killed_while_it_wrote_its_plan_does_not_block_its_name(also: list[str], results: Path) -> None:
    for name in (f"comparison.toml.{dead()}.tmp", f"comparison.toml.{os.getpid()}.tmp", *also):
        (results / "mine").mkdir(parents=True, exist_ok=True)
        (results / "mine" / name).touch()
    assert new_comparison_dir("mine", "").path == results / "mine"
    (results / "mine" / f"comparison.toml.{os.getppid()}.tmp").touch()  # somebody writes it
    with pytest.raises(StudyError, match="exists and is no study"):
        free_dir("mine", "")


def test_what_killed_drivers_left_in_a_comparison_is_removed(home: ComparisonDir) -> None:
    few = plan(methods=("random", "genetic"), seeds=1)
    left = [home.path / "figures" / f"a.svg.{dead()}.tmp", home.path / f"report.md.{dead()}.tmp"]
    left[0].parent.mkdir(parents=True)
    for path in left:
        path.touch()
    ran(few, home)
    assert not any(path.exists() for path in left)
