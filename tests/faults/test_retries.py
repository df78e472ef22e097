"""Faults, caused for real: what the study loses by them (nothing), and what it says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gaopt.config import Faults
from gaopt.execution.process import Health
from gaopt.execution.worker import reason
from gaopt.journal.events import Birth, Bred, Event, Failed, Reported, Retried, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.study import retries as faults
from gaopt.study.loop import run
from tests.faults.studies import events, gone, on_ray, ray_of, study, table
from tests.unit.test_study import cut


@pytest.fixture(scope="module")
def two_cpus() -> Iterator[None]:
    with ray_of(2):
        yield


def test_tries_are_as_many_as_the_config_says(tmp_path: Path) -> None:
    for retries in (0, 1, 3):
        home = StudyDir(tmp_path / str(retries))
        history = run(study("ends_without_a_score", faults=Faults(retries=retries)), home)
        assert Counter(e.individual for e in events(home, Started))[1] == 1 + retries
        assert [i.id for i in history.failed] == ([1] if retries else [1, 2])


def test_after_a_kill_at_any_event_the_tries_so_far_are_known(home: StudyDir, tmp_path: Path) -> None:
    config = study("ends_without_a_score", population=4)
    run(config, home)
    whole, found = table(home), list(Journal(home.journal))
    for seq in range(2, len(found)):
        part = cut(home, seq, tmp_path / f"cut{seq}")
        for individual in (1, 2):
            (part.scratch(individual)).mkdir(parents=True)
            if any(isinstance(e, Started) and e.individual == individual for e in found[:seq]):
                (part.scratch(individual) / "begun").touch()
        run(config, part)
        tries = Counter(e.individual for e in events(part, Retried))
        assert tries[1] == 1
        assert tries[2] <= 1
        assert table(part) == whole


def test_other_failures_are_not_tried_again(home: StudyDir) -> None:
    run(replace(study("sound", population=2), objective="tests.unit.test_study:broken"), home)
    assert not events(home, Retried)
    assert len(events(home, Failed)) == 2


@pytest.mark.usefixtures("two_cpus")
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_ran_out_of_memory_is_trained_again_alone_and_never_in_a_spoiled_worker(home: StudyDir) -> None:
    history = run(on_ray(study("too_large", population=8)), home)
    assert {e.individual: e.reason for e in events(home, Retried)} == dict.fromkeys((1, 2, 3), "out of memory")
    assert [i.id for i in history.failed] == [3]
    assert history.failed[0].failure
    assert history.failed[0].failure.reason == "out of memory"
    together = beside(home)
    assert together[0]
    assert together[1] == together[2] == together[3] == set()
    found = list(Journal(home.journal))
    for place, event in enumerate(found):
        if isinstance(event, Retried) and "CUDA" in event.message:
            spoilt = pids(found[:place], event.individual)[-1]
            assert spoilt not in pids(found[place:])
            assert gone(spoilt)


def pids(found: Sequence[Event], individual: int | None = None) -> list[int]:
    """The workers that an individual, or all, reported from."""
    reported = [e for e in found if isinstance(e, Reported) and individual in (None, e.individual)]
    return [int(event.metrics["pid"]) for event in reported]


def beside(home: StudyDir) -> dict[int, set[int]]:
    """Who ran beside each individual in its last try."""
    running: set[int] = set()
    met: dict[int, set[int]] = {}
    for event in Journal(home.journal):
        if isinstance(event, Started):
            met[event.individual] = set(running)
            for other in running:
                met[other].add(event.individual)
            running.add(event.individual)
        elif isinstance(event, Retried | Scored | Failed):
            running.discard(event.individual)
    return met


@pytest.mark.slow
def test_torch_runs_out_of_the_host_s_memory_in_words_only() -> None:
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert reason(caught.value) == "out of memory"
    assert reason(RuntimeError("CUDA error: out of memory")) == "out of memory"
    assert reason(RuntimeError("CUDA error: device-side assert triggered")) == "error"


def test_a_process_trains_nobody_after_errors_of_cuda_or_memory_or_two_failures_in_a_row() -> None:
    plain, diverged = Failed(0, "error", "ValueError: no"), Failed(0, "diverged", "the loss was nan in epoch 2")
    for outcomes, spoilt in (
        ([Failed(0, "out of memory", "OutOfMemoryError: CUDA out of memory. Tried to allocate 3 GiB")], True),
        ([Failed(0, "out of memory", "MemoryError")], True),
        ([Failed(0, "error", "AcceleratorError: CUDA error: device-side assert triggered")], True),
        ([Failed(0, "error", "RuntimeError: cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")], True),
        ([plain], False),
        ([plain, Reported(1, 1, {}), plain], True),
        ([plain, Scored(1, 1.0), plain], False),
        ([diverged, diverged, diverged], False),
        ([Scored(0, 1.0)], False),
    ):
        health = Health()
        *before, last = [health.spoilt_by(outcome) for outcome in outcomes]
        assert (any(before), last) == (False, spoilt), outcomes


def test_no_search_breeds_while_one_is_trained_alone() -> None:
    births = tuple(Birth(n, {"lr": 1e-3}, "random") for n in range(3))
    begun = [Bred(0, births), *(Started(n) for n in range(3))]
    history = History([*begun, Retried(0, "out of memory"), Retried(1, "killed")])
    assert [i.id for i in faults.ready(history, room=2)] == [1]  # 2 still runs
    history.add(Started(1))
    assert faults.ready(history, room=2) == []
    for n in (1, 2):
        history.add(Scored(n, 0.5))
    assert [i.id for i in faults.ready(history, room=2)] == [0]
    history.add(Started(0))
    assert faults.room(history, room=1) == 0


@pytest.mark.slow
def test_a_training_stuck_at_chance_is_ended_early_as_diverged() -> None:
    from resnet.data import DataSpec, load
    from resnet.recipe import Recipe
    from resnet.spec import NetSpec
    from resnet.train import Diverged, train

    recipe = Recipe(lr=1e-9, epochs=2, chance=0.5)
    reports: list[int] = []
    with pytest.raises(Diverged, match=r"no better than chance up to epoch 1: top-1 was at most 0\.") as told:
        train(NetSpec("resnet20"), recipe, load(DataSpec("digits", limit=150)), report=lambda n, *_: reports.append(n))
    assert reports == [1]
    assert told.value.epochs == 1
