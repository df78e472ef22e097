"""Trainings that hang: ended after a limit, or after silence long beyond what their siblings took."""

from __future__ import annotations

import pytest

from gaopt.config import Faults
from gaopt.errors import GaoptError
from gaopt.events import Birth, Bred, Failed, Reported, Retried, Scored, Started
from gaopt.history import History
from gaopt.home import Home
from gaopt.patience import LEAST, Patience
from gaopt.pools import inline
from gaopt.study import run
from tests.reliability.studies import events, gone, on_ray, ray_of, study


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_training_that_hangs_is_killed_and_the_others_go_on(home: Home) -> None:
    with ray_of(2):
        history = run(on_ray(study("hangs", faults=Faults(seconds=15.0))), home)
        assert {i.id: i.failure.reason for i in history.failed if i.failure} == dict.fromkeys((1, 3), "timed out")
        assert "faults.seconds" in events(home, Failed)[0].message
        assert len(history.scored) == 4
        assert not events(home, Retried)
        assert all(gone(int(i.reports[1].metrics["pid"])) for i in history.failed)


def test_in_this_process_a_training_that_is_late_ends_with_its_next_report(home: Home) -> None:
    history = run(study("is_slow", population=3, faults=Faults(seconds=0.5)), home)
    assert [(i.id, i.failure.reason) for i in history.failed if i.failure] == [(1, "timed out")]
    assert len(history.scored) == 2


def test_what_hangs_in_this_process_ends_the_study_which_goes_on_without_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline, "GRACE", 1)
    config = study("waits_for_ever", population=3, faults=Faults(seconds=0.5))
    with pytest.raises(GaoptError, match=r"individual 1 hangs, and cannot be ended in this process"):
        run(config, home)
    history = run(config, home)
    assert [i.id for i in history.failed] == [1]
    assert len(history.scored) == 2


def test_silence_is_measured_by_how_long_siblings_took() -> None:
    now = [0.0]
    patience = Patience(Faults(times=5.0), clock=lambda: now[0])
    history = History([Bred(0, tuple(Birth(n, {"lr": 1e-3}, "random") for n in range(5)))])
    for n in (3, 4):
        history.add(Started(n))
        patience.begin(n)
    for n, seconds in enumerate((20.0, 30.0, 1000.0)):
        now[0] = 10_000.0
        assert patience.lost(history) is None  # too few to tell
        history.add(Scored(n, 0.5, seconds=seconds))
    patience.hear(Reported(4, 1, {}))
    lost = patience.lost(history)
    assert lost
    assert (lost.individual, lost.reason, lost.seconds) == (3, "timed out", 10_000.0)
    assert patience.lost(history) is None
    now[0] += 5 * 30.0
    assert patience.lost(history) is None  # the other has reported since: it may be long, it does not hang
    now[0] += 1.0
    lost = patience.lost(history)
    assert lost
    assert lost.individual == 4


def test_short_trainings_do_not_make_a_worker_that_starts_hang() -> None:
    now = [0.0]
    patience = Patience(Faults(), clock=lambda: now[0])
    history = History([Bred(0, tuple(Birth(n, {"lr": 1e-3}, "random") for n in range(5)))])
    for n in range(4):
        history.add(Scored(n, 0.5, seconds=0.01))
    patience.begin(4)
    now[0] = LEAST
    assert patience.lost(history) is None
    now[0] = LEAST + 1
    assert patience.lost(history)


def test_a_training_that_waits_for_room_is_not_silent() -> None:
    patience = Patience(Faults(seconds=1.0), clock=lambda: 1e9)
    assert patience.lost(History([Bred(0, (Birth(0, {"lr": 1e-3}, "random"),)), Started(0)])) is None
