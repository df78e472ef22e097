"""Faults, caused for real: what the study loses by them (nothing), and what it says of them."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from gaopt.cli import run as driver
from gaopt.config import Faults
from gaopt.errors import Hopeless
from gaopt.execution.process import Health
from gaopt.execution.ray import kernel
from gaopt.execution.worker import reason
from gaopt.journal.events import Birth, Bred, Event, Failed, Opened, Reported, Retried, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.study import retries as faults
from gaopt.study.loop import run
from gaopt.study.progress import progress
from tests.conftest import ROOT, toy
from tests.ends import table
from tests.faults.studies import FAULTY, events, gone, on_ray, ray_of, study
from tests.unit.test_study import cut


@pytest.fixture(scope="module")
def two_cpus() -> Iterator[None]:
    with ray_of(2):
        yield


# The dashboard. First in this file: it starts Ray itself.


@pytest.mark.usefixtures("dashboards")
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_where_all_ports_of_the_dashboard_are_taken_a_study_runs_without_one(
    home: StudyDir, capsys: pytest.CaptureFixture[str]
) -> None:
    from gaopt.execution.ray.session import DASHBOARD

    config = on_ray(toy("sphere", population=2, generations=1))
    with ExitStack() as taken:
        for port in DASHBOARD:
            with suppress(OSError):  # taken by another
                taken.enter_context(socket.create_server(("127.0.0.1", port)))
        pool = taken.enter_context(closing(driver.open_pool(config, None)))
        assert pool.dashboard == ""
        driver._introduce(home, config, pool)
        assert len(run(config, home, pool=pool).scored) == 2
    assert "there is no Ray dashboard" in capsys.readouterr().err


# Workers that die.


@pytest.mark.usefixtures("two_cpus")
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_worker_that_dies_costs_one_try_and_the_others_go_on(home: StudyDir) -> None:
    history = run(on_ray(study("dies")), home)
    assert Counter(e.individual for e in events(home, Retried)) == {0: 1, 1: 1, 2: 1, 3: 1}
    assert {e.reason for e in events(home, Retried)} == {"killed"}
    assert [i.id for i in history.scored] == [0, 1, 2, 4, 5]
    [failed] = history.failed
    assert failed.failure
    assert (failed.id, failed.failure.reason) == (3, "killed")
    assert "WorkerCrashedError" in failed.failure.message


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_tries_are_as_many_as_the_config_says(home: StudyDir, retries: int) -> None:
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


def test_what_a_lost_try_had_trained_is_not_counted(home: StudyDir) -> None:
    history = run(study("ends_without_a_score"), home)
    assert history.individuals[1].epochs == 1  # of two tries
    assert list(history.individuals[2].reports) == [1]
    assert isinstance(history.individuals[2].outcome, Scored)


def test_the_report_says_how_many_were_begun_again(home: StudyDir) -> None:
    from gaopt.report.facts import numbers

    assert ("begun again", "2") in numbers(run(study("ends_without_a_score"), home))


def test_other_failures_are_not_tried_again(home: StudyDir) -> None:
    run(replace(study("dies", population=2), objective="tests.unit.test_study:broken"), home)
    assert not events(home, Retried)
    assert len(events(home, Failed)) == 2


# Memory.


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


# Studies that only fail.


def test_a_study_that_only_fails_stops_with_the_first_traceback_and_goes_on_once_mended(home: StudyDir) -> None:
    config = study("fails", population=12, faults=Faults(max_alike_failures=5))
    with pytest.raises(Hopeless, match=r"first 5 trainings all failed: error. Individual 0:\nTraceback") as stopped:
        run(config, home)
    assert 'raise ValueError("no such luck")' in str(stopped.value)
    history = History(Journal(home.journal))
    assert history.closed
    assert history.closed.reason == "failed"
    assert len(history.failed) == 5
    with pytest.raises(Hopeless):  # nothing was mended: as many again
        run(config, home)
    (home.path / "mended").touch()
    history = run(config, home)
    assert (len(history.failed), len(history.scored)) == (10, 2)


def test_a_study_that_is_not_to_stop_for_failures_fails_to_its_end(home: StudyDir) -> None:
    run(study("fails", faults=Faults(max_alike_failures=0)), home)
    assert len(events(home, Failed)) == 6


def test_the_command_says_so_and_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        f'[study]\nobjective = "{FAULTY}:fails"\nstrategy = "random"\n[pool]\nkind = "inline"\n'
        "[faults]\nalike = 2\n[space.lr]\nlow = 0.1\nhigh = 1.0\n"
    )
    command = [sys.executable, "-m", "gaopt", "run", str(path), "--name", "mine"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "the first 2 trainings all failed: error" in done.stderr
    assert done.stderr.count("Traceback") == 1  # the training's, and none of gaopt's own
    assert "go on with: gaopt resume mine" in done.stderr


# The clock.


def test_time_left_is_told_by_what_ended_since_the_clock_was_set_back() -> None:
    config = toy("sphere", population=4, generations=1)
    births = tuple(Birth(n, {"lr": 1e-3, "wd": 0.1, "mom": 0.5}, "random") for n in range(4))
    day = 86_400.0
    history = History([
        Opened(config.plain(), "0", "host", 1, at=day),
        Bred(0, births, at=day),
        *(Started(n, at=day) for n in range(4)),
        Scored(0, 0.5, at=day + 10),
        Scored(1, 0.5, at=20.0),  # set back
        Scored(2, 0.5, at=30.0),
    ])  # fmt: skip
    now = progress("s", history, held=True, now=30.0)
    assert now.elapsed == 20.0
    assert now.left == pytest.approx(20.0 / 3)


# Trainings that learn nothing.


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


@pytest.mark.slow
def test_a_training_that_was_better_than_chance_once_is_left_alone() -> None:
    from resnet.callbacks import Diverged, Learns

    for errors, ended in (([0.9, 0.5, 0.9], False), ([0.9, 0.8], True), ([0.81], True), ([0.79], False)):
        learns = Learns(SimpleNamespace(errors=errors), share=0.5, chance=0.2)  # type: ignore[arg-type]
        learns.learn = SimpleNamespace(epoch=1)
        with pytest.raises(Diverged) if ended else nullcontext():
            learns.check()


def test_chance_is_the_commonest_class_and_a_little_luck() -> None:
    import numpy as np

    from resnet.split import Split

    images = np.zeros((1000, 1, 1, 1), np.uint8)
    for counts, chance in (((500, 500), 0.5316), ((900, 100), 0.9190), ((1000,), 1.0)):
        assert Split(images, np.repeat(np.arange(len(counts)), counts)).chance == pytest.approx(chance, abs=1e-4)


# The kernel.


def test_what_the_kernel_has_killed_for_memory_is_counted_where_it_counts(tmp_path: Path) -> None:
    counts = tmp_path / "vmstat"
    assert kernel.killed(counts) == 0
    counts.write_text("pgfault 17\noom_kill 3\noom_kill_other 9\n")
    assert kernel.killed(counts) == 3
    counts.write_text("pgfault 17\n")
    assert kernel.killed(counts) == 0
