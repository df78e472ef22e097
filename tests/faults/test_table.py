"""The table of faults: a few of each row, and what docs/reliability.md says of all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gaopt.journal.events import Scored
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.conftest import ROOT
from tests.ends import lost
from tests.faults import changed, checkpoint, clock, diverged, hanging, holder, hopeless, memory, ports, workers
from tests.faults.cause import caused
from tests.faults.row import Tally
from tests.faults.studies import left_alone, once, study
from tests.faults.table import ROWS, Row, gathered, tried
from tests.faults.walk import spread
from tests.odd_causes import cannot_be_tried, does_not_survive, sleeps
from tests.unit.test_study import cut
from tests.witness import finished

DOCUMENT = (ROOT / "docs" / "reliability.md").read_text("utf-8")
FEW: list[Callable[..., Tally]] = [
    partial(workers.dies_once, population=3),
    partial(memory.killed_by_the_kernel, population=2),
    diverged.loss,
    hanging.beyond_siblings,
    partial(clock.set_back, most=4),
    partial(hopeless.stopped, most=2),
    partial(holder.two_drivers, times=2),
    changed.data,
    partial(checkpoint.interrupted, most=6),
]


@pytest.mark.slow
def test_a_study_lives_through() -> None:
    for cause in FEW:
        lives_through(cause)


@pytest.mark.usefixtures("dashboards")
@pytest.mark.slow
def test_a_study_lives_through_taken_ports() -> None:
    lives_through(partial(ports.taken, times=1))


def lives_through(cause: Callable[..., Tally]) -> None:
    tally = caused(cause)
    assert tally.tried > 0
    assert (tally.survived, tally.lost) == (tally.tried, 0)


def test_the_document_has_every_row_and_nothing_was_lost() -> None:
    rows = re.findall(r"^\| (.+?) \| .+ \| (\d+) \| (\d+) \| (\d+) \| \d+ \|$", DOCUMENT, re.M)
    assert [fault for fault, *_ in rows] == [row.fault for row in ROWS]
    for fault, times, survived, gone in rows:
        assert int(times) > 0, fault
        assert (survived, gone) == (times, "0"), fault


def test_a_row_adds_its_causes_up_and_says_what_could_not_be_tried() -> None:
    row = Row("disk", "a disk", ())
    well = gathered(row, [Tally(3, 3, 0, "full"), Tally(1, 1, 0, "slow")], 2.5, ["no right to mount"])
    assert well.well
    assert well.cells == "| a disk | full; slow; not tried: no right to mount | 4 | 4 | 0 | 2 |"
    assert "tried     4" in well.line
    assert not gathered(row, [Tally(3, 2, 0, "full")], 1.0).well
    assert not gathered(row, [Tally(3, 3, 1, "full")], 1.0).well
    broken = gathered(row, [Tally(3, 3, 0, "full")], 1.0, broken=["slow: OSError: no"])
    assert (broken.well, broken.tally.tried, broken.tally.survived) == (False, 4, 3)


def test_a_cause_that_tried_nothing_or_did_not_cause_its_fault_is_not_well(tmp_path: Path) -> None:
    told = gathered(Row("disk", "a disk", ()), [Tally(0, 0, 0, "full")], 1.0)
    assert (told.well, told.broken) == (False, ("nothing was tried: full",))
    with pytest.raises(AssertionError, match="no place for the fault"):
        next(spread([], None))
    config = study("sound", population=3)
    home, alone = StudyDir(tmp_path / "unharmed"), left_alone(tmp_path, config)
    run(config, home)
    tally = once(home, alone, "killed", "dies once")
    assert tally == Tally(3, 0, 0, "dies once")


def test_what_is_in_no_journal_afterwards_is_lost_and_so_is_what_was_trained_again(tmp_path: Path) -> None:
    home = StudyDir(tmp_path / "study")
    run(study("sound", population=3), home)
    assert lost(home, finished(home)) == 0
    last = max(place for place, event in enumerate(Journal(home.journal)) if isinstance(event, Scored))
    part = cut(home, last, tmp_path / "cut")
    assert lost(part, finished(home)) == 1
    with Journal(part.journal, write=True) as journal:
        journal.append(Scored(0, 0.5))
    assert lost(part, finished(home)) == 2
    assert lost(part, [*finished(home), 1]) == 3


def test_a_cause_that_does_not_end_is_ended_and_one_that_cannot_be_tried_says_why() -> None:
    with pytest.raises(TimeoutError, match=r"not over after 0.5 s"):
        caused(sleeps, limit=0.5)
    told = tried(Row("disk", "a disk", (cannot_be_tried,)))
    assert (told.untried, told.broken, told.tally.tried) == (("no right to",), (), 0)


def test_what_a_cause_printed_is_shown_where_it_did_not_end_well(capfd: pytest.CaptureFixture[str]) -> None:
    assert not caused(does_not_survive).well
    assert "the last write" in capfd.readouterr().err
