"""The table of faults: one small try of each row here, all of them in `make faults`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import partial

import pytest

from tests.conftest import ROOT
from tests.faults import around, checkpoint, disk, nodes, trainings
from tests.faults.cause import caused
from tests.faults.studies import Tally
from tests.faults.table import ROWS

traced = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
TRIES: dict[str, Callable[..., Tally]] = {
    "workers": partial(trainings.dies_once, population=3),
    "memory": partial(trainings.killed_by_the_kernel, population=2),
    "diverged": trainings.loss,
    "hanging": trainings.beyond_siblings,
    "ports": partial(around.taken, times=1),
    "nodes": partial(nodes.node_lost, most=1),
    "Ray's head": partial(nodes.head_lost, most=1),
    "stopped": nodes.told_while_behind,
    "holder": partial(around.two_drivers, times=1),
    "clock": partial(around.set_back, most=3),
    "changed": around.data,
    "hopeless": partial(trainings.stopped, most=2),
}
TRACED: dict[str, Callable[..., Tally]] = {
    "killed": partial(disk.killed_at_every_call, most=8),
    "killed again and again": partial(disk.killed_again_and_again, most=8),
    "disk": partial(disk.failing, most=8),
    "disk that is full": partial(disk.full, most=5),
    "disk that is read-only": partial(disk.read_only, most=3),
    "disk that is slow": partial(disk.slow, milliseconds=20),
    "checkpoint": partial(checkpoint.interrupted, most=4),
}


@pytest.mark.slow
@pytest.mark.parametrize("row", [*TRIES, *(pytest.param(row, marks=traced) for row in TRACED)])
def test_a_study_lives_through(row: str) -> None:
    tally = caused((TRIES | TRACED)[row])
    assert tally.tried > 0
    assert (tally.survived, tally.lost) == (tally.tried, 0)


def test_every_row_is_tried_and_in_the_document_with_nothing_lost() -> None:
    assert {row.name for row in ROWS} <= {*TRIES, *TRACED}
    document = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+?) \| .+ \| (\d+) \| (\d+) \| (\d+) \| \d+ \|$", document, re.M)
    assert [fault for fault, *_ in rows] == [row.fault for row in ROWS]
    assert all(int(times) > 0 and (survived, gone) == (times, "0") for _, times, survived, gone in rows)
