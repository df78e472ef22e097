import os
import random
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from gaopt import load
from gaopt.config import Faults
from gaopt.errors import Cancelled, StudyError, Unjudged
from gaopt.execution.worker import outcomes
from gaopt.journal.events import Closed, Data, Event, Failed, Judged, Noted, Outcome, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Objective, Plain, Report, Score, Task
from gaopt.study.loop import run
from gaopt.study.prepare import resumed
from tests.conftest import toy
from tests.faults.studies import table


def test_a_study_runs_to_its_end(home: StudyDir) -> None:
    history = run(toy(), home)
    assert len(history.individuals) == 30
    assert not history.unfinished
    assert history.best
    assert history.best.fitness == max(i.fitness for i in history.individuals.values())
    assert history.closed == Closed("finished", at=history.closed.at if history.closed else 0)


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
