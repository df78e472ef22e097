import itertools
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import tomli_w

from gaopt import Choice, Gene, Genetic, PoolConfig, Space, StudyConfig, load
from gaopt.config import Assisted, Faults, Fidelity, from_tables
from gaopt.errors import Cancelled, ConfigError, GaoptError, Hopeless, Lost, Stopped, StudyError, Unjudged
from gaopt.execution.inline import Inline
from gaopt.execution.worker import outcomes
from gaopt.journal.events import Closed, Data, Event, Failed, Judged, Noted, Outcome, Reported, Retried, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Objective, Plain, Report, Score, Task
from gaopt.study.loop import resumed, run
from tests.conftest import ROOT, toy
from tests.faults.studies import table, trained_twice


def test_a_study_runs_to_its_end(home: StudyDir) -> None:
    history = run(toy(), home)
    assert len(history.individuals) == 30
    assert not history.unfinished
    assert history.best
    assert history.best.fitness == max(i.fitness for i in history.individuals.values())
    assert history.closed == Closed("finished", at=history.closed.at if history.closed else 0)


def test_a_failure_is_an_outcome_with_a_reason_and_the_search_goes_on(home: StudyDir) -> None:
    history = run(toy(), home)
    failed = [i for i in history.individuals.values() if i.failure]
    assert failed
    assert all(i.genes["mom"] > 1.2 and i.failure and i.failure.reason == "diverged" for i in failed)
    assert all(i.fitness == float("-inf") for i in failed)


TINY = ["pool.kind=inline", "data.limit=100", "study.strategy=genetic", "genetic.population=2"]


def cut(home: StudyDir, seq: int, to: Path) -> StudyDir:
    """A copy of a study as a kill after `seq` events leaves it."""
    to.mkdir()
    shutil.copy(home.journal, to / "study.db")
    with closing(sqlite3.connect(to / "study.db")) as connection, connection:
        connection.execute("DELETE FROM events WHERE seq > ?", (seq,))
    return StudyDir(to)


@pytest.mark.smoke
def test_a_journal_cut_at_every_event_goes_on_to_the_same_study(home: StudyDir, tmp_path: Path) -> None:
    config = toy(population=4, generations=3)
    run(config, home)
    whole, events = table(home), list(Journal(home.journal))
    assert len(events) > 40
    for seq in range(len(events)):
        part = cut(home, seq, tmp_path / f"cut{seq}")
        finished = {e.individual for e in events[:seq] if isinstance(e, Scored | Failed)}
        trained: list[int] = []

        def watch(history: History, event: Event, trained: list[int] = trained) -> None:
            if isinstance(event, Started):
                trained.append(event.individual)

        run(config, part, watch=watch)
        assert table(part) == whole
        assert not finished & set(trained)


class Shuffled:
    """A pool that trains many side by side and ends them in a random order."""

    dashboard = ""
    made_of: Mapping[str, str] = MappingProxyType({})
    data: Data | None = None

    def __init__(self, objective: Objective, seed: int, capacity: int) -> None:
        self.capacity, self._rng = capacity, random.Random(seed)
        self._objective = objective
        self._running: list[list[Outcome]] = []

    @property
    def room(self) -> int:
        return self.capacity - len(self._running)

    def submit(self, task: Task) -> None:
        self._running.append(list(outcomes(self._objective, task)))

    def wait(self) -> Outcome:
        chosen = self._rng.choice(self._running)
        outcome = chosen.pop(0)
        if not chosen:
            self._running.remove(chosen)
        return outcome

    def cancel(self, individual: int) -> None:
        pass

    def stop(self) -> Iterator[Outcome]:
        while self._running:
            yield Shuffled.wait(self)

    def close(self) -> None:
        pass


def test_the_order_of_completion_changes_nothing(home: StudyDir, tmp_path: Path) -> None:
    from gaopt.objectives.toy import valley

    run(toy(), home)
    for seed in range(3):
        other = StudyDir(tmp_path / f"shuffled{seed}")
        run(toy(), other, pool=Shuffled(Plain(valley), seed, capacity=4))
        assert table(other) == table(home)


def test_a_finished_study_goes_on_with_more_generations(home: StudyDir, tmp_path: Path) -> None:
    run(toy(generations=2), home)
    before = History(Journal(home.journal)).individuals
    longer = run(toy(generations=5), home)
    assert len(longer.populations) == 5
    assert all(longer.individuals[id].outcome == i.outcome for id, i in before.items())
    run(toy(generations=5), StudyDir(tmp_path / "at once"))
    assert table(home) == table(StudyDir(tmp_path / "at once"))


def test_a_study_that_is_held_is_refused_before_its_data_are_loaded(home: StudyDir) -> None:
    run(toy(population=2, generations=1), home)
    with (
        Journal(home.journal, write=True),
        pytest.raises(StudyError, match=rf"^'study' is in use by process {os.getpid()} on "),
    ):
        resumed(home)
    assert resumed(home)


def test_running_a_finished_study_again_trains_nothing(home: StudyDir) -> None:
    run(toy(), home)
    events: list[Event] = []
    run(toy(), home, watch=lambda history, event: events.append(event))
    assert [type(event).__name__ for event in events] == ["Opened", "Closed"]


def test_another_config_is_refused_for_a_study_that_exists(home: StudyDir) -> None:
    run(toy(), home)
    before = home.journal.read_bytes()
    with pytest.raises(StudyError, match=r"begun with genetic.survivors = 0.5, now it is 0.3"):
        run(toy(survivors=0.3), home)
    assert home.journal.read_bytes() == before


def test_bad_input_leaves_nothing_behind(home: StudyDir) -> None:
    with pytest.raises(ConfigError):
        run(replace(toy(), objective="gaopt.objectives.toy:nothing"), home)
    with pytest.raises(ConfigError, match=r"unknown table \[recipe\]"):
        run(replace(toy(), settings={"recipe": {}}), home)
    assert not home.path.exists()


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


def broken(task: Task, report: Report) -> float:
    raise ValueError("no such luck")


def as_number(task: Task, report: Report) -> float:
    return task.genes["lr"]


def test_an_objective_that_raises_fails_its_individual(home: StudyDir) -> None:
    history = run(replace(toy(population=2, generations=2), objective="tests.unit.test_study:broken"), home)
    assert history.best is None
    assert [i.failure.reason for i in history.failed if i.failure] == ["error"] * 3
    assert all("ValueError: no such luck" in i.failure.message for i in history.failed if i.failure)


def test_a_best_individual_whose_weights_are_gone_is_trained_again_and_judged(home: StudyDir, tmp_path: Path) -> None:
    config = load("quick", [*TINY, "recipe.epochs=1", "genetic.generations=1"])
    history = run(config, home)
    assert history.best
    best = history.best.id
    judged = next(seq for seq, event in Journal(home.journal).since(0) if isinstance(event, Judged))
    for name, torn in (("part", False), ("torn", True)):
        part = cut(home, judged - 1, tmp_path / name)  # without its work/
        if torn:
            part.scratch(best).mkdir(parents=True)
            (part.scratch(best) / "weights.safetensors").write_bytes(home.weights.read_bytes()[:-1])
        assert run(config, part).judged[best].metrics == history.judged[best].metrics
        assert part.weights.read_bytes() == home.weights.read_bytes()
        assert noted(part) == [f"weights.safetensors is {'torn or altered' if torn else 'gone'}: trained again"]

    whole = home.weights.read_bytes(), home.best.read_bytes()
    for harm in (home.weights.unlink, lambda: home.best.write_text(home.best.read_text("utf-8")[1:])):
        harm()
        run(config, home)
        assert noted(home).pop() == "the best model was gone or altered: measured and written again"
        assert (home.weights.read_bytes(), home.best.read_bytes()) == whole
    before = noted(home)
    run(config, home)
    assert noted(home) == before


def test_the_best_that_was_judged_before_another_is_judged_again(home: StudyDir) -> None:
    """What judging leaves is of the last that was."""
    config = replace(toy(population=4, generations=2), objective="tests.unit.test_study:judging")
    best = run(config, home).best
    assert best
    other = next(n for n in range(4) if n != best.id)
    with Journal(home.journal, write=True) as journal:
        journal.append(Judged(other, {"top1": 0.2}))  # a finalist, until the search went on
    history = run(config, home)
    assert list(history.judged) == [other, best.id]


def noted(home: StudyDir) -> list[str]:
    return [event.message for event in Journal(home.journal) if isinstance(event, Noted)]


class Judging(Plain):
    def __call__(self, task: Task, report: Report) -> Score:
        return Score(0.1, {"top1": 0.25}) if task.judge else Score(self.function(task, report))  # type: ignore[arg-type]


judging = Judging(as_number, judges=True)


def test_the_best_individual_alone_is_judged_and_once(home: StudyDir) -> None:
    config = replace(toy(population=4, generations=2), objective="tests.unit.test_study:judging")
    history = run(config, home)
    assert history.best
    assert {id: judged.metrics for id, judged in history.judged.items()} == {history.best.id: {"top1": 0.25}}
    again: list[Event] = []
    run(config, home, watch=lambda history, event: again.append(event))
    assert not any(isinstance(event, Judged) for event in again)


class LosesItsWorker(Judging):
    """The first two times that it is to be judged."""

    def __call__(self, task: Task, report: Report) -> Score:
        if task.judge and (tries := len([*task.home.glob("judged-*")])) < 2:
            (task.home / f"judged-{tries}").touch()
            raise Cancelled
        return super().__call__(task, report)


losing = LosesItsWorker(as_number, judges=True)


def test_judging_is_tried_again_where_the_machine_failed_and_not_for_ever(tmp_path: Path) -> None:
    for retries in (2, 1):
        home = StudyDir(tmp_path / str(retries))
        losing = replace(toy(population=2, generations=1), objective="tests.unit.test_study:losing")
        config = replace(losing, faults=Faults(retries=retries))
        if retries == 1:
            with pytest.raises(Unjudged, match="could not be measured on the test split"):
                run(config, home)
            assert len(noted(home)) == 1
        history = run(config, home)
        assert [*history.judged] == [history.best.id if history.best else None]
        assert noted(home)[0].startswith("measured on the test split again: killed: ")
        assert len(noted(home)) == retries


def test_an_individual_s_folder_goes_when_it_is_not_the_best(home: StudyDir) -> None:
    config = replace(toy(population=6, generations=2), objective="tests.unit.test_study:leaving")
    history = run(config, home)
    assert history.best
    assert [folder.name for folder in (home.path / "work").iterdir()] == [str(history.best.id)]


def leaving(task: Task, report: Report) -> float:
    task.folder.mkdir(parents=True)
    (task.folder / "weights").write_text("heavy")
    return task.genes["lr"]


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
        if isinstance(event, Reported) and event.individual == 1 and event.epoch == 4:
            raise Stopped(signal.SIGTERM)

    with pytest.raises(Stopped):
        run(config, home, watch=stop)
    checkpoint = home.scratch(1) / "checkpoint.safetensors"
    deadline = time.monotonic() + 30
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
    for told in (Stopped(15), Hopeless("all fail"), Lost("gone")):
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


WHOLE = Space(
    layers=Gene(1, 5, integer=True), width=Choice((16, 32)), depth=Gene(2, 9, integer=True, when="layers > 2")
)


def test_a_whole_number_is_one_to_the_objective_and_in_every_table(tmp_path: Path) -> None:
    from gaopt.report.tables import csv, individuals

    first = {"layers": 3.0, "width": 16, "depth": 4.0}
    strategies: dict[str, dict[str, Any]] = {
        "genetic": {"genetic": Genetic(4, 2), "given": (first,)},
        "assisted": {"assisted": Assisted(4, 2), "given": (first,)},
        "grid": {},
        "fixed": {"fixed": first},
        **({"optuna-tpe": {"assisted": Assisted(4, 2)}} if find_spec("optuna") else {}),
    }
    for strategy, numbers in strategies.items():
        seen: list[Mapping[str, object]] = []
        home = StudyDir(tmp_path / strategy)
        config = StudyConfig(WHOLE, "gaopt.objectives.toy:valley", strategy, pool=PoolConfig("inline"), **numbers)

        def known(task: Task, report: Report, seen: Any = seen) -> float:
            seen.append(task.genes)
            return float(sum(task.genes.values()))

        history = run(config, home, pool=Inline(Plain(known)))
        with closing(sqlite3.connect(home.journal)) as connection, connection:  # as versions up to 0.5.0 wrote it
            for name, value in itertools.product(("layers", "depth"), range(10)):
                old, new = f'"{name}":{value}', f'"{name}":{value}.0'
                connection.execute("UPDATE events SET body = replace(body, ?, ?)", (old, new))
        older = History(Journal(home.journal))
        seen += [i.genes for each in (history, older) for i in each.individuals.values()]
        assert {type(value) for genes in seen for value in genes.values()} == {int}
        assert csv(individuals(history)) == csv(individuals(older))
        assert not re.search(r"\b[0-9]\.0\b", csv(individuals(older)[["layers", "width", "depth"]]))


LAX: dict[str, Callable[[], StudyConfig]] = {
    "genetic.mutation is 2": lambda: replace(toy(), genetic=Genetic(mutation=2)),
    "genetic.population is 4.5": lambda: toy(population=4.5),
    "fidelity.keep is 3": lambda: replace(toy(), fidelity=Fidelity((0.5,), keep=3)),
    "study.seed is nan": lambda: replace(toy(), seed=float("nan")),  # type: ignore[arg-type]
    "study.strategy is 'genetik'": lambda: replace(toy(), strategy="genetik"),  # type: ignore[arg-type]
    "pool is 'inline': must be a table": lambda: replace(toy(), pool="inline"),  # type: ignore[arg-type]
    "space.x.integer is 1: must be": lambda: replace(toy(), space=Space(x=Gene(0, 2, integer=1))),  # type: ignore[arg-type]
    "given: no value for the gene": lambda: replace(toy(), given=({"lr": 1e-3},)),
    "settings.a is None: must be": lambda: replace(toy(), settings={"settings": {"a": None}}),
    "settings has a table 'pool'": lambda: replace(toy(), settings={"pool": {"kind": "ray"}}),
    "the objective 5 is a int: must be": lambda: replace(toy(), objective=5),  # type: ignore[arg-type]
}


def test_a_config_of_python_s_is_refused_as_a_file_s_would_be(tmp_path: Path) -> None:
    for n, said in enumerate(LAX):
        home = StudyDir(tmp_path / str(n))
        with pytest.raises(ConfigError, match=said):
            run(LAX[said](), home)
        assert not home.path.exists()


def test_numbers_of_numpy_paths_and_tables_become_plain_ones(home: StudyDir, tmp_path: Path) -> None:
    given = replace(
        toy(population=np.int64(4), generations=np.int32(2), mutation=np.float32(0.5)),
        space={"x": Gene(np.float64(0), 1)},  # type: ignore[arg-type]
        objective="gaopt.objectives.toy:sphere",
        seed=np.int64(3),  # type: ignore[arg-type]
        pool={"kind": "inline"},  # type: ignore[arg-type]
        given=[{"x": np.float32(0.25)}],  # type: ignore[arg-type]
        settings={"settings": {"at": tmp_path, "sizes": np.arange(3), "pair": (1, np.bool_(True))}},
    )
    history = run(given, home)
    found = from_tables(history.config)
    assert found.settings == {"settings": {"at": str(tmp_path), "sizes": [0, 1, 2], "pair": [1, True]}}
    assert (found.seed, found.genetic, found.given) == (3, Genetic(4, 2), ({"x": 0.25},))
    assert resumed(home) == found
    assert table(home)


USERS = ("config.toml", "study.lock", "work/3/photo.jpg", "study.db")


def test_a_folder_of_the_user_s_is_no_place_for_a_study(tmp_path: Path) -> None:
    for n, name in enumerate(USERS):
        home = StudyDir(tmp_path / str(n))
        mine = home.path / name
        mine.parent.mkdir(parents=True)
        mine.write_text("mine")
        home.path.joinpath("study.db" if name == "study.lock" else name).write_text("mine")
        before = {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
        with pytest.raises(StudyError, match=r"exists and is no study|is not a journal of gaopt"):
            run(toy(population=4, generations=2), home)
        assert {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()} == before


def test_what_others_put_into_a_study_stays_there(home: StudyDir) -> None:
    run(toy(population=4, generations=2), home)
    for name in ("work/2024/a.jpg", "work/mine.txt", "work/notes/b.txt", "figures/mine.svg"):
        (home.path / name).parent.mkdir(parents=True, exist_ok=True)
        (home.path / name).write_text("mine")
    run(toy(population=4, generations=4), home)
    assert (home.path / "work/2024/a.jpg").is_file()
    assert {path.name for path in (home.path / "work").iterdir()} >= {"2024", "mine.txt", "notes"}
    assert (home.path / "figures/mine.svg").is_file()
