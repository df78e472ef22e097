import asyncio
import os
import re
import signal
import threading
from collections import deque
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import gaopt
from gaopt import Choice, Gene, Space, Study, load
from gaopt.config import Assisted, Genetic
from gaopt.errors import BadInput, ConfigError, StudyError
from gaopt.journal.events import Closed, Event, Opened, Scored
from gaopt.journal.journal import Journal
from gaopt.objectives.base import Report, Task, takes_genes
from gaopt.report.format import score
from gaopt.study import finish
from gaopt.study.loop import run
from gaopt.study.prepare import prepare
from tests.conftest import toy

SPACE = Space(x=Gene(-1, 1), y=Gene(-1, 1))


def bowl(genes: dict) -> float:
    return genes["x"] ** 2 + genes["y"] ** 2


search = partial(gaopt.search, bowl, SPACE, minimize=True, progress=False)


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results"


@pytest.mark.parametrize("strategy", ["assisted", "genetic", "random"])
@pytest.mark.parametrize("mode", ["generational", "steady"])
def test_a_search_has_as_many_trainings_as_its_config_says(strategy: str, mode: str, tmp_path: Path) -> None:
    for trainings in (1, 7):
        own = {"genetic": Genetic(4, trainings=trainings), "assisted": Assisted(4, trainings=trainings)}
        if strategy != "assisted":
            del own["assisted"]
        config = replace(toy("sphere"), strategy=strategy, mode=mode, **own)
        history = run(config, tmp_path / str(trainings))
        assert len(history.individuals) == trainings == config.trainings
    more = replace(config, **{name: replace(numbers, trainings=9) for name, numbers in own.items()})
    assert len(run(more, tmp_path / "7").individuals) == 9  # also after a last generation that was not full


def test_what_an_objective_is_given_follows_from_its_arguments() -> None:
    class Model:
        def by_genes(self, genes: dict, folds: int = 3) -> float: ...

        def __call__(self, task: Task, report: Report) -> float: ...

    alone = [lambda genes: 0.0, Model().by_genes, partial(lambda x, genes: 0.0, 1), partial(Model.by_genes, Model())]
    both = [lambda task, report: 0.0, Model(), lambda *both: 0.0, lambda task, report=None: 0.0, max]
    assert [takes_genes(function) for function in (*alone, *both)] == [True] * len(alone) + [False] * len(both)


def test_a_loss_is_shown_as_one_and_searched_as_a_fitness(results: Path) -> None:
    study = search(name="bowl", stop=gaopt.Stop(target=1e-12))
    trained = [bowl(i.genes) for i in study.history.individuals.values()]
    assert len(trained) == 30
    assert study.best.value == min(trained) == -study.best.fitness < 1e-3
    assert study.best.genes == study.history.individuals[study.best.id].genes
    assert list(study.frame()["value"]) == trained
    assert study.generations()["best_so_far"].iloc[-1] == min(trained)
    assert f"best {score(min(trained))} by i{study.best.id}>" in repr(study)
    assert gaopt.open("bowl").best == gaopt.open(results / "bowl").best == study.best
    assert gaopt.open("bowl").minimize
    assert search(name="early", stop=gaopt.Stop(target=0.5)).progress.ended == "the target of 0.5 was reached"
    with pytest.raises(ConfigError, match="whose fitness is no loss"):
        prepare(replace(load("digits"), minimize=True))


def test_columns_of_others_that_are_called_value_keep_their_values() -> None:
    study = gaopt.search(lambda genes: genes["value"], Space(value=Gene(0, 1)), 3, progress=False)
    table = study.frame()
    assert list(table["value"]) == list(table["value_"]) == [i.fitness for i in study.history.individuals.values()]


def test_the_same_call_goes_on_and_returns_at_once_what_is_finished() -> None:
    calls = deque[float]()  # a list would be a value that the objective carries along

    def objective(task: Task, report: Report) -> float:
        calls.append(task.genes["x"])
        report(1, {"x": task.genes["x"]})
        if len(calls) == 5:
            os.kill(os.getpid(), signal.SIGINT)
            report(2, {})  # raises, once the search has looked up
            while True:
                report(3, {})
        return task.genes["x"]

    four = Assisted(population=4)
    once = partial(gaopt.search, objective, {"x": Gene(0, 1)}, strategy=four, progress=False)
    again = partial(once, trainings=8, name="mine")
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match="the same call goes on"):
        again()
    assert signal.getsignal(signal.SIGINT) is before
    study = gaopt.open("mine")
    assert (study.state, len(study.history.scored)) == ("interrupted", 4)
    assert again().state == "finished"
    assert len(calls) == 9
    again()
    assert len(calls) == 9
    assert len(again(trainings=10).frame()) == 10
    assert again(trainings=6).resume(12, progress=False).frame()["value"].max() == max(calls)
    whole = once(12, name="whole")
    assert [i.genes for i in whole.history.scored] == [i.genes for i in gaopt.open("mine").history.scored]


def test_without_a_name_another_search_is_another_study() -> None:
    first = search(trainings=3)
    assert first.name == "bowl-1"
    assert search(trainings=3).name == "bowl-1"
    assert search(trainings=4).name == "bowl-1"
    assert search(trainings=3, seed=1).name == "bowl-2"
    alone = gaopt.search(lambda genes: 1.0, SPACE, 2, progress=False)
    assert alone.name == "lambda-1"
    assert "gaopt.search(…, name='lambda-1')" in alone.report().with_suffix(".md").read_text()  # no command has it
    assert gaopt.search("gaopt.objectives.toy:sphere", SPACE, 2, progress=False).name == "sphere-1"
    with pytest.raises(StudyError, match=r"study\.seed = 0, now it is 1"):
        search(trainings=3, seed=1, name="bowl-1")


def test_other_arrays_are_another_search() -> None:
    def made(data: object) -> str:
        return gaopt.search(lambda genes: genes["x"] + len([data]), SPACE, 2, progress=False).name

    kinds = [np.array, torch.tensor, pd.DataFrame, lambda rows: np.array(rows, object)]
    for number, kind in enumerate(kinds):
        assert made(kind([[1.0, 2.0]])) == made(kind([[1.0, 2.0]])) == f"lambda-{2 * number + 1}"
        assert made(kind([[1.0, 3.0]])) == f"lambda-{2 * number + 2}"


@pytest.mark.parametrize("wrong", [lambda: 1.0, lambda a, b, c: 1.0, lambda genes, *, must: 1.0])
def test_a_function_that_cannot_be_called_with_genes_is_refused(wrong: object, results: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be called with the genes alone, or a task and a report"):
        gaopt.search(wrong, SPACE, 2, progress=False)
    assert not results.exists()


def test_it_runs_in_a_thread_and_inside_of_an_event_loop() -> None:
    found: list[Study] = []
    thread = threading.Thread(target=lambda: found.append(search(trainings=3, name="thread")))
    thread.start()
    thread.join()

    async def cell() -> Study:
        return search(trainings=3, name="loop")

    assert [study.state for study in (*found, asyncio.run(cell()))] == ["finished", "finished"]


def test_callbacks_are_told_of_every_event_and_one_that_fails_once(caplog: pytest.LogCaptureFixture) -> None:
    told: list[tuple[int, Event]] = []

    class Broken:
        def on_event(self, study: Study, event: Event) -> None:
            raise ValueError(f"no room for \x1b {event.at}")

    def tell(study: Study, event: Event) -> None:
        told.append((len(study.history.scored), event))
        if isinstance(event, Scored):
            assert study.best.value == min(bowl(i.genes) for i in study.history.scored)

    study = search(trainings=4, callbacks=[Broken(), tell])
    assert [event for _, event in told] == list(Journal(study.home.journal))
    assert [number for number, event in told if isinstance(event, Scored)] == [1, 2, 3, 4]
    (record,) = caplog.records
    assert re.match(r"note: Broken failed at Opened and is not called again: ValueError: no room .*x1b", record.message)
    for bad in (3, Broken):
        with pytest.raises(ConfigError, match="a method on_event"):
            search(trainings=4, name="bad", callbacks=[bad])


def test_a_callback_stops_a_search_by_a_keyboard_interrupt() -> None:
    def enough(study: Study, event: Event) -> None:
        if isinstance(event, Scored) and event.individual == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(trainings=9, name="short", callbacks=[enough])
    assert isinstance(gaopt.open("short").history.closed, Closed)
    assert len(gaopt.open("short").history.scored) == 3


def test_progress_is_lines_where_nothing_renews_itself(capsys: pytest.CaptureFixture[str]) -> None:
    search(trainings=2)
    assert capsys.readouterr() == ("", "")
    search(trainings=3, name="seen", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("study seen: at most 3 trainings, results in results/seen\n")
    assert re.search(r"i2 loss \S+ in .*; 3/3, best \S+ by i\d", err)
    search(trainings=3, name="seen", progress=True)
    assert "<gaopt.Study 'seen': finished, 3/3 trained" in capsys.readouterr().err


def test_a_study_in_a_notebook_is_a_table_of_its_best() -> None:
    space = Space(**{"<b>": Choice(("<i>", "&")), "x": Gene(0, 1)})
    html = gaopt.search(lambda genes: genes["x"], space, 8, progress=False)._repr_html_()
    assert html.count("<tr>") == 6
    assert "&lt;b&gt;" in html
    assert "<i>" not in html
    assert "8/8 trained" in html


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"trainings": 0}, "trainings is 0: must be a whole number, 1 or more"),
        ({"trainings": 2.5}, "trainings is 2.5: must be"),
        ({"strategy": "genetic"}, r"must be gaopt.Assisted\(…\)"),
        ({"pool": "dask"}, "pool is 'dask': must be 'inline'"),
        ({"name": 3}, "name is 3: must be a text or a path"),
        ({"stop": 0.9}, "stop is 0.9: must be a gaopt.Stop"),
        ({"callbacks": print}, "callbacks is <built-in function print>: must be a list"),
        ({"name": "a b"}, "the study name 'a b' cannot be used"),
        ({"name": ""}, "the study name '' cannot be used"),
        ({"name": "results/.."}, "the study name '..' cannot be used"),
        ({"seed": -1}, "study.seed is -1"),
        ({"given": [{"x": 1.0}]}, "no value for the gene 'y'"),
        ({"strategy": Genetic(generations=3)}, "genetic.generations is 3, which is read only where"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_nothing_is_written(wrong: dict, said: str, results: Path) -> None:
    with pytest.raises(BadInput, match=said):
        search(**wrong)
    with pytest.raises(ConfigError, match=r"must be a gaopt.Space, or genes by name"):
        gaopt.search(bowl, [SPACE], progress=False)
    assert not results.exists()


def test_a_study_that_is_not_there_or_has_no_score_says_so() -> None:
    search(trainings=2, name="bowl")
    with pytest.raises(StudyError, match="did you mean 'bowl'"):
        gaopt.open("bow")
    failing = gaopt.search(lambda genes: float("nan"), SPACE, 2, name="nothing", progress=False)
    with pytest.raises(StudyError, match="no individual of the study 'nothing' has a score"):
        _ = failing.best
    assert repr(failing) == "<gaopt.Study 'nothing': finished, 2/2 trained, 2 failed>"
    with pytest.raises(StudyError, match="<lambda>, which leaves no model"):
        finish.configured(gaopt.search(lambda genes: genes["x"], SPACE, 2, progress=False).home)


def test_a_study_of_a_function_that_has_a_name_is_resumed_by_anybody() -> None:
    gaopt.search("gaopt.objectives.toy:sphere", SPACE, 3, name="toy", progress=False)
    study = gaopt.open("toy").resume(5, progress=False)
    assert len(study.frame()) == 5
    search(trainings=3, name="mine")
    opened: list[Event] = []
    search(trainings=4, name="mine", callbacks=[lambda study, event: opened.append(event)])
    assert isinstance(opened[0], Opened)
