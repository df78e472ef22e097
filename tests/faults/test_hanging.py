"""Trainings that hang: ended after a limit, or after silence long beyond what their siblings took."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing

import pytest

from gaopt.config import Faults
from gaopt.errors import GaoptError, Stopped
from gaopt.execution import inline, worker
from gaopt.execution.worker import left_behind
from gaopt.journal.events import Birth, Bred, Closed, Failed, Reported, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Plain, Report, Task
from gaopt.study.loop import run
from gaopt.study.timeouts import BEHIND, GAP, LEAST, START, Patience
from tests.conftest import toy
from tests.faults.studies import events, study


def test_in_this_process_a_training_that_is_late_ends_with_its_next_report(home: StudyDir) -> None:
    history = run(study("is_slow", population=3, faults=Faults(seconds=0.5)), home)
    assert [(i.id, i.failure.reason) for i in history.failed if i.failure] == [(1, "timed out")]
    assert len(history.scored) == 2


def test_what_hangs_in_this_process_ends_the_study_which_goes_on_without_it(
    home: StudyDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline, "GRACE", 1)
    config = study("waits_for_ever", population=3, faults=Faults(seconds=0.5))
    with pytest.raises(GaoptError, match=r"a training hangs and cannot be ended in this process \(g0 i1 "):
        run(config, home)
    worker._left.clear()  # as in another process
    history = run(config, home)
    assert [i.id for i in history.failed] == [1]
    assert len(history.scored) == 2


def test_a_study_that_is_told_to_stop_ends_although_its_training_hangs_and_no_other_begins_beside_it(
    home: StudyDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline, "CLOSING", 0.2)
    begun, over, config = threading.Event(), threading.Event(), toy("sphere", population=2, generations=1)

    def hangs(task: Task, report: Report) -> float:
        begun.set()
        over.wait()
        return 0.5

    def stop() -> None:
        if begun.is_set():
            raise Stopped(15)

    with pytest.raises(Stopped), closing(inline.Inline(Plain(hangs))) as pool:
        run(config, home, pool=pool, stop=stop)
    assert events(home, Closed)[-1].reason == "interrupted"
    with pytest.raises(GaoptError, match="cannot be ended in this process"):
        run(config, home)
    over.set()
    deadline = time.monotonic() + 10
    while left_behind() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(run(config, home).scored) == 2


class Waiting:
    """For trainings of seven individuals, by a clock of its own."""

    def __init__(self, faults: Faults, begun: Iterable[int]) -> None:
        self.now = 0.0
        self.patience = Patience(faults, clock=lambda: self.now)
        births = tuple(Birth(n, {"lr": 1e-3}, "random") for n in range(7))
        self.history = History([Bred(0, births), *map(Started, begun)])
        for individual in begun:
            self.patience.begin(individual)

    def passes(self, seconds: float, say: Callable[[], object] | None = None) -> Failed | None:
        """So many seconds, in each of which the pool says something, or nothing. The first training that is lost."""
        for _ in range(int(seconds)):
            self.now += 1.0
            (say or self.patience.quiet)()
            if lost := self.patience.lost(self.history):
                return lost
        return None


def test_silence_is_measured_by_how_long_siblings_took() -> None:
    waiting = Waiting(Faults(stall_factor=5.0), begun=(3, 4))
    for n, seconds in enumerate((20.0, 30.0, 1000.0)):
        assert waiting.passes(400) is None  # too few to tell
        waiting.history.add(Scored(n, 0.5, seconds=seconds))
    waiting.patience.hear(Reported(4, 1, {}))
    lost = waiting.patience.lost(waiting.history)
    assert lost
    assert (lost.individual, lost.reason, lost.seconds) == (3, "timed out", 1200.0)
    assert waiting.passes(5 * 30) is None  # the other has reported since: it may be long, it does not hang
    lost = waiting.passes(1)
    assert lost
    assert lost.individual == 4


def test_short_trainings_do_not_make_a_worker_that_starts_hang() -> None:
    waiting = Waiting(Faults(), begun=[4])
    for n in range(4):
        waiting.history.add(Scored(n, 0.5, seconds=0.01))
    assert waiting.passes(START) is None
    waiting.patience.hear(Reported(4, 1, {}))
    assert waiting.passes(LEAST) is None
    assert waiting.passes(1)


def test_while_a_driver_is_held_up_nobody_is_silent() -> None:
    waiting = Waiting(Faults(seconds=20.0), begun=[0])
    waiting.passes(10)
    waiting.now += 10_000.0  # suspended, say
    assert waiting.passes(1 + 20 - 10 - GAP) is None
    assert waiting.passes(1)


def test_a_driver_that_is_behind_with_listening_takes_nobody_for_silent_too_early_and_notices_all_the_same() -> None:
    waiting = Waiting(Faults(seconds=20.0), begun=[0, 1])

    def other() -> None:
        waiting.patience.hear(Reported(1, 1, {}))

    assert waiting.passes(20 + BEHIND, say=other) is None
    assert waiting.passes(1, say=other)
