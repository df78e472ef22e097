"""Studies that are told to stop, or killed: what had ended keeps its score, and the rest goes on."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gaopt import load
from gaopt.errors import GaoptError, Lost, Stopped
from gaopt.execution.inline import Inline
from gaopt.journal.events import Closed, Event, Failed, Outcome, Reported, Retried
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Objective, Plain, Report, Task
from gaopt.study.loop import run
from gaopt.study.prepare import resumed
from tests.conftest import ROOT, toy
from tests.faults.studies import table, trained_twice
from tests.unit.test_study import TINY, Shuffled, broken


def test_told_to_stop_a_study_is_closed_as_interrupted_and_can_be_resumed(home: StudyDir) -> None:
    def stop(history: History, event: Event) -> None:
        if len(history.scored) == 7:
            raise Stopped(signal.SIGTERM)

    with pytest.raises(Stopped):
        run(toy(), home, watch=stop)
    history = History(Journal(home.journal))
    assert history.closed
    assert history.closed.reason == "interrupted"
    assert len(run(resumed(home), home).individuals) == 30


@pytest.mark.smoke
def test_a_driver_killed_again_and_again_ends_with_the_same_study(home: StudyDir, tmp_path: Path) -> None:
    config = replace(
        toy(population=6, generations=3),
        objective="tests.faulty:naps",
        settings={"settings": {"epochs": 3, "seconds": 0.05}},
    )
    undisturbed = StudyDir(tmp_path / "undisturbed")
    run(config, undisturbed)
    (tmp_path / "naps.toml").write_text(tomli_w.dumps(config.plain()))
    code = "import sys; import gaopt; gaopt.run(gaopt.load(sys.argv[1]), sys.argv[2])"
    command = [sys.executable, "-c", code, str(tmp_path / "naps.toml"), str(home.path)]
    rng, kills = random.Random(0), 0
    for _ in range(5):
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": "."})
        try:
            process.wait(timeout=0.7 + rng.random())
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    else:
        run(config, home)
    assert kills >= 1
    assert table(home, "pid") == table(undisturbed, "pid")
    assert not trained_twice(home)


@pytest.mark.slow
def test_an_individual_of_many_epochs_goes_on_from_its_own_checkpoint(
    home: StudyDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resnet.loader import Shuffled as Batches

    config = load("quick", [*TINY, "recipe.epochs=5", "recipe.checkpoint=0", "genetic.generations=1"])
    undisturbed = StudyDir(tmp_path / "undisturbed")
    run(config, undisturbed)
    passes: list[int] = []
    whole = Batches.__iter__
    monkeypatch.setattr(Batches, "__iter__", lambda self: (passes.append(self.epoch), whole(self))[1])

    def stop(history: History, event: Event) -> None:
        if isinstance(event, Reported) and event.individual == 1 and event.epoch == 2:
            raise Stopped(signal.SIGTERM)

    with pytest.raises(Stopped):
        run(config, home, watch=stop)
    checkpoint = home.scratch(1) / "checkpoint.safetensors"
    deadline = time.monotonic() + 300
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    passes.clear()
    history = run(config, home)
    assert passes[-1] == 4
    assert 0 not in passes
    assert sorted(history.individuals[1].reports) == [1, 2, 3, 4, 5]
    assert table(home) == table(undisturbed)


class Struck(Shuffled):
    """A pool whose processes a signal to all of them ends, one after the other."""

    def __init__(self, objective: Objective, comes_to: GaoptError | Failed) -> None:
        super().__init__(objective, seed=0, capacity=2)
        self.comes_to, self.signalled, self._left = comes_to, False, 5

    def wait(self) -> Outcome:
        self._left -= 1
        if self._left:
            return super().wait()
        self.signalled = True
        if isinstance(self.comes_to, GaoptError):
            raise self.comes_to
        return self.comes_to


def test_what_ends_while_a_study_stops_has_its_score_and_is_not_trained_again(tmp_path: Path) -> None:
    for told in (Stopped(15), Lost("gone")):
        begun, trained = threading.Event(), list[int]()

        def mute(task: Task, report: Report, begun: Any = begun, trained: Any = trained) -> float:
            begun.set()
            time.sleep(1.2)  # longer than the pool is silent before `stop` is asked
            trained.append(task.individual)
            return task.genes["lr"]

        def stop(begun: Any = begun, told: BaseException = told) -> None:
            if begun.is_set():
                raise told

        config, home = toy(population=2, generations=1), StudyDir(tmp_path / type(told).__name__)
        with pytest.raises(type(told)):
            run(config, home, pool=Inline(Plain(mute)), stop=stop)
        assert [i.id for i in History(Journal(home.journal)).scored] == trained == [0]
        run(config, home, pool=Inline(Plain(mute)))
        assert trained == [0, 1]


def test_of_what_failed_while_a_study_stops_only_what_diverged_is_a_failure(home: StudyDir) -> None:
    pool = Ending(Plain(broken))

    def stop() -> None:
        if pool.running == {0, 1}:
            raise Stopped(15)

    with pytest.raises(Stopped):
        run(toy(population=3, generations=1), home, pool=pool, stop=stop)
    history = History(Journal(home.journal))
    assert [(i.id, i.failure and i.failure.reason) for i in history.individuals.values() if i.outcome] == [
        (1, "diverged")
    ]
    assert history.individuals[0].reports.keys() == {1}


class Ending(Shuffled):
    """A pool of two in which all ends badly when it is stopped."""

    def __init__(self, objective: Objective) -> None:
        super().__init__(objective, seed=0, capacity=2)
        self.running: set[int] = set()

    def submit(self, task: Task) -> None:
        self._running.append([])
        self.running.add(task.individual)

    def stop(self) -> Iterator[Outcome]:
        yield Reported(0, 1, {"loss": 0.5})
        yield Failed(0, "error", "CalledProcessError: died with SIGINT")
        yield Failed(1, "diverged", "the loss is nan")


STRUCK = (
    Lost("the raylet has died"),
    Failed(0, "killed", "the worker died"),
    Failed(0, "error", "CalledProcessError: died with SIGINT"),
)


def test_a_signal_that_ends_what_trains_as_well_is_what_stopped_the_study(tmp_path: Path) -> None:
    from gaopt.objectives.toy import sphere

    undisturbed = StudyDir(tmp_path / "undisturbed")
    run(toy("sphere"), undisturbed)
    for number, comes_to in enumerate(STRUCK):
        home, pool = StudyDir(tmp_path / str(number)), Struck(Plain(sphere), comes_to)

        def stop(pool: Struck = pool) -> None:
            if pool.signalled:
                raise Stopped(15)

        with pytest.raises(Stopped):
            run(toy("sphere"), home, pool=pool, stop=stop)
        ends = [event for event in Journal(home.journal) if isinstance(event, Closed | Retried | Failed)]
        assert [event.reason for event in ends] == ["interrupted"]
        run(toy("sphere"), home)
        assert table(home) == table(undisturbed)
