"""Whatever an objective tells, its individual has an outcome that can be written down and read again."""

from __future__ import annotations

import itertools
import os
import re
import resource
import sqlite3
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gaopt import Choice, Gene, Genetic, PoolConfig, Space, StudyConfig
from gaopt.config import Assisted, Faults
from gaopt.errors import Diverged, Hopeless
from gaopt.execution.inline import Inline
from gaopt.execution.worker import batches, outcomes
from gaopt.journal.events import Birth, Bred, Failed, Outcome, Reported, Retried, Scored
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Plain, Report, Score, Task
from gaopt.study import retries
from gaopt.study.loop import run
from tests.conftest import toy


def raises(error: BaseException, cause: BaseException | None = None) -> Callable[[Task, Report], Score]:
    def objective(task: Task, report: Report) -> Score:
        raise error from cause

    return objective


def tells(score: Score | None = None, **told: Any) -> Callable[[Task, Report], Score]:
    def objective(task: Task, report: Report) -> Score:
        if told:
            report(**{"epoch": 1, "metrics": {}, **told})
        return score or Score(0.5)

    return objective


def outcome(objective: Callable[[Task, Report], Score], home: StudyDir) -> tuple[Outcome, list[Reported]]:
    """Of the one individual of a study that is run, and then read from the disk again."""
    config = replace(
        toy(population=2, generations=1), space=Space(lr=Gene(0.1, 1.0)), faults=Faults(max_alike_failures=0)
    )
    run(config, home, pool=Inline(Plain(objective)))
    history = History(Journal(home.journal))
    found = history.individuals[0]
    assert found.outcome
    return found.outcome, list(found.reports.values())


def test_what_cannot_be_written_down_fails_the_individual_alone(tmp_path: Path) -> None:
    for n, (objective, message) in enumerate(
        [
            (tells(epoch=-1), "cannot be written down"),
            (tells(epoch=1.5), "the epoch is 1.5: must be a whole number"),
            (tells(Score(0.5, epochs=2**40)), "Scored.epochs is"),
            (raises(OSError("b\udcff.png is gone")), "b?.png is gone"),
            (raises(circle := ValueError("in a circle"), circle), "in a circle"),
        ]
    ):
        found, _ = outcome(objective, StudyDir(tmp_path / str(n)))
        assert isinstance(found, Failed)
        assert found.reason == "error"
        assert message in found.message


def test_what_an_objective_tells_that_is_no_number_is_named_with_what_may_be(tmp_path: Path) -> None:
    returned = "what the objective returned is {!r}: must be a number, or a gaopt.Score"
    for n, (told, sentence) in enumerate(
        [
            *((value, returned) for value in (None, "0.9", True, (0.5, 0.6), np.ones(2))),
            (Score(None), "the fitness is {0.fitness!r}: must be a number"),  # type: ignore[arg-type]
            (Score(0.5, {"loss": "low"}), "the metric 'loss' is 'low': must be a number"),  # type: ignore[dict-item]
            (Score(0.5, seconds="1"), "the number of seconds is '1': must be a number"),  # type: ignore[arg-type]
        ]
    ):
        found, _ = outcome(lambda task, report, told=told: told, StudyDir(tmp_path / str(n)))  # type: ignore[misc]
        assert isinstance(found, Failed)
        assert (found.message, found.traceback) == (sentence.format(told), "")
    found, _ = outcome(tells(metrics={"loss": "low"}), StudyDir(tmp_path / "report"))
    assert isinstance(found, Failed)
    assert re.fullmatch(r"the .* must be .* \(.*test_outcomes.py, line \d+\)", found.message)


def test_an_array_or_a_tensor_with_one_element_is_a_number(tmp_path: Path) -> None:
    import torch

    def numbers(make: Any) -> Any:
        return lambda task, report: report(make(1), {"loss": make(0.5)}) or make(0.5)

    makers = (np.array, torch.tensor, lambda x: np.array([x]), lambda x: torch.tensor([[x]]))
    score = tells(Score(np.array([0.5]), epochs=torch.tensor(1), seconds=-1.0))  # type: ignore[arg-type]
    for n, objective in enumerate([*map(numbers, makers), score]):
        found, _ = outcome(objective, StudyDir(tmp_path / str(n)))
        assert isinstance(found, Scored), found
        assert (type(found.fitness), found.fitness, found.epochs, found.seconds >= 0) == (float, 0.5, 1, True)


def test_a_training_that_diverges_within_an_epoch_pays_for_it_and_after_one_for_no_more(tmp_path: Path) -> None:
    for within, epochs in ((0, 2), (1, 1)):

        def diverges(task: Task, report: Report, within: int = within) -> Score:
            report(1, {})
            raise Diverged("far", within)

        found, _ = outcome(diverges, StudyDir(tmp_path / str(within)))
        assert isinstance(found, Failed)
        assert (found.reason, found.epochs) == ("diverged", epochs)


class Net:
    """In a circle, as networks and their hooks are."""

    def __init__(self) -> None:
        self.me = self


def test_what_a_failed_training_held_is_free_when_its_failure_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[weakref.ref[Net]] = []
    freed: list[bool] = []

    def emptied() -> None:
        freed.append(seen[-1]() is None)
        raise RuntimeError("CUDA error")

    there = SimpleNamespace(current_accelerator=lambda: SimpleNamespace(type="xpu"))
    xpu = SimpleNamespace(is_initialized=lambda: True, empty_cache=emptied)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(accelerator=there, xpu=xpu))

    def diverges(task: Task, report: Report) -> Score:
        net = Net()
        seen.append(weakref.ref(net))
        raise Diverged("far")

    task = Task("s", 0, 0, {"lr": 1e-3}, 0, {}, tmp_path, tmp_path)
    assert [type(each) for each in outcomes(Plain(diverges), task)] == [Failed]
    assert freed == [True]


def after(*outcomes: Outcome) -> History:
    births = tuple(Birth(n, {"lr": 0.1}, "random") for n in range(len(outcomes)))
    return History([Bred(0, births), *outcomes])


def ends(*reasons: str) -> History:
    """Trainings that came to so: "" for a score."""
    told = (Failed(n, reason, f"no {n}") if reason else Scored(n, 0.5) for n, reason in enumerate(reasons))  # type: ignore[arg-type]
    return after(*told)


def test_a_study_of_which_nearly_all_fails_stops_with_the_first_of_those() -> None:
    for reasons, told in [
        (["error"] * 4, "the first 4 trainings all failed: error. Individual 0:\nno 0"),
        (["diverged"] * 4, "the first 4 trainings all failed: diverged. Individual 0:\nno 0"),
        (["diverged"] * 3 + ["error"], "the first 4 trainings all failed: diverged, error. Individual 0:\nno 0"),
        (["", *["error"] * 4], "the last 4 trainings all failed: error. Individual 1:\nno 1"),
        (["", *["error", "timed out"] * 2], "the last 4 trainings all failed: error, timed out. Individual 1:\nno 1"),
        (["error"] * 3 + [""] + ["error"] * 3, "6 of the first 7 trainings failed: error. Individual 0:\nno 0"),
        ([""] * 3 + [*["error"] * 3, ""] * 2, "6 of the last 8 trainings failed: error. Individual 3:\nno 3"),
    ]:
        with pytest.raises(Hopeless) as stopped:
            retries.check(ends(*reasons), Faults(max_alike_failures=4))
        assert str(stopped.value) == told
        retries.check(ends(*reasons), Faults(max_alike_failures=0))


def test_a_study_of_which_enough_is_trained_or_only_diverges_goes_on() -> None:
    often = ["", "error", "error", "", "error"] * 4
    for reasons in ([], ["error"] * 3, ["", *["diverged"] * 20], ["", "error"] * 10, often):
        retries.check(ends(*reasons), Faults(max_alike_failures=4))


def test_one_that_was_killed_and_then_ran_out_of_memory_is_still_tried_alone() -> None:
    history = after(Retried(0, "killed"))  # type: ignore[arg-type]
    tried = retries.settled(history, Failed(0, "out of memory"), Faults())
    assert isinstance(tried, Retried)
    history.add(tried)
    assert isinstance(retries.settled(history, Failed(0, "out of memory"), Faults()), Failed)
    assert isinstance(retries.settled(history, Failed(0, "killed"), Faults()), Failed)


@pytest.mark.slow
def test_what_a_training_changes_of_its_process_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def state() -> list[Any]:
        os.umask(umask := os.umask(0o077))
        process = [os.getcwd(), umask, dict(os.environ), resource.getrlimit(resource.RLIMIT_NOFILE)]
        asked = (sys.getrecursionlimit, torch.get_default_dtype, torch.is_grad_enabled)
        return [*process, *(ask() for ask in asked), torch.get_float32_matmul_precision()]

    def spoils(task: Task, report: Report) -> float:
        os.chdir(task.folder)
        os.umask(0o022 if state()[1] != 0o022 else 0o027)
        os.environ["MINE"] = "1"
        os.environ.pop("THEIRS")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
        sys.setrecursionlimit(sys.getrecursionlimit() + 1)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.set_float32_matmul_precision("medium")
        inside.extend(state())
        raise ValueError

    monkeypatch.setenv("THEIRS", "1")
    inside: list[Any] = []
    for _ in range(2):  # the first loads modules, and what they put into the environment stays
        inside.clear()
        before = state()
        [failed] = outcomes(Plain(spoils), Task("s", 0, 0, {"lr": 1e-3}, 0, {}, tmp_path, tmp_path))
    assert isinstance(failed, Failed)
    assert all(now != then for now, then in zip(inside, before, strict=True))
    assert state() == before


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


def test_outcomes_that_have_come_meanwhile_come_together(tmp_path: Path) -> None:
    goes_on = threading.Event()

    def trains(task: Task, report: Report) -> float:
        report(1, {"loss": 1.0})
        goes_on.wait(10)
        report(2, {"loss": 0.5})
        return 0.5

    task = Task("s", 0, 0, {"lr": 1e-3}, 0, {}, tmp_path, tmp_path)
    running = batches(Plain(trains), task)
    assert [type(each) for each in next(running)] == [Reported]
    [training] = [thread for thread in threading.enumerate() if thread.name == task.name]
    goes_on.set()
    training.join(10)
    assert [[type(each) for each in batch] for batch in running] == [[Reported, Scored]]
