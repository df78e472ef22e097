"""The table of faults: a few of each row, and what docs/reliability.md says of all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest

from tests.conftest import ROOT
from tests.reliability import clock, diverged, hanging, hopeless, memory, ports, workers
from tests.reliability.cause import caused
from tests.reliability.row import Tally
from tests.reliability.table import ROWS, Row, gathered

DOCUMENT = (ROOT / "docs" / "reliability.md").read_text("utf-8")
FEW: list[Callable[..., Tally]] = [
    partial(workers.dies_once, population=3),
    partial(memory.refused, population=2),
    partial(memory.killed_by_the_kernel, population=2),
    diverged.loss,
    diverged.chance,
    hanging.beyond_siblings,
    partial(ports.taken, times=1),
    partial(clock.set_back, most=4),
    partial(hopeless.stopped, most=2),
]


@pytest.mark.slow
@pytest.mark.parametrize("cause", FEW, ids=lambda cause: getattr(cause, "func", cause).__name__)
def test_a_study_lives_through(cause: Callable[..., Tally]) -> None:
    tally = caused(cause)
    if not tally.tried:
        pytest.skip(tally.how)
    assert (tally.survived, tally.lost) == (tally.tried, 0)


def test_the_document_has_every_row_and_nothing_was_lost() -> None:
    rows = re.findall(r"^\| (.+?) \| .+ \| (\d+) \| (\d+) \| (\d+) \| \d+ \|$", DOCUMENT, re.M)
    assert [fault for fault, *_ in rows] == [row.fault for row in ROWS]
    for fault, tried, survived, lost in rows:
        assert int(tried) > 0, fault
        assert (survived, lost) == (tried, "0"), fault


def test_a_row_adds_its_causes_up_and_says_what_could_not_be_tried() -> None:
    row = Row("disk", "a disk", ())
    well = gathered(row, [Tally(3, 3, 0, "full"), Tally(0, 0, 0, "no right to mount"), Tally(1, 1, 0, "slow")], 2.5, [])
    assert well.well
    assert well.cells == "| a disk | full; slow; not tried: no right to mount | 4 | 4 | 0 | 2 |"
    assert "tried     4" in well.line
    assert not gathered(row, [Tally(3, 2, 0, "full")], 1.0, []).well
    assert not gathered(row, [Tally(3, 3, 1, "full")], 1.0, []).well
    broken = gathered(row, [Tally(3, 3, 0, "full")], 1.0, ["slow: OSError: no"])
    assert (broken.well, broken.tally.tried, broken.tally.survived) == (False, 4, 3)
