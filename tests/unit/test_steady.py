"""study.mode = "steady": an individual whenever a worker is free."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.driver import Simulated
from gaopt.config import Assisted, Fidelity, Genetic, Operators, Stop, StudyConfig, from_tables
from gaopt.errors import ConfigError
from gaopt.journal.events import Bred, Scored
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.strategies.registry import strategy
from gaopt.study.loop import run
from gaopt.study.progress import planned, progress
from tests.conftest import toy

STRATEGIES = ("assisted", "genetic", "random")


def steady(name: str) -> StudyConfig:
    sizes = {"population": 6, "generations": 5}
    return replace(toy(), strategy=name, mode="steady", genetic=Genetic(**sizes), assisted=Assisted(**sizes))


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_worker_waits_while_there_is_something_left_to_train(name: str, home: StudyDir) -> None:
    pool, config = Simulated(4, spread=3.0), steady(name)
    seen = list[int]()
    history = run(config, home, pool=pool, watch=lambda history, event: seen.append(len(history.running)))
    assert len(history.individuals) == len(history.scored) == planned(config) == 18
    first, last = seen.index(4), len(seen) - seen[::-1].index(4)
    assert min(seen[first:last]) >= 3, "one ends, and the next begins"
    assert [len(ids) for ids in history.populations] == [6, 6, 6, 6, 6], "survivors, and births one by one"
    bred = [event for event in Journal(home.journal) if isinstance(event, Bred)]
    assert [len(event.births) for event in bred] == [6] + [1] * 12
    for event in bred[1:]:
        for survivor in event.survivors:
            assert history.individuals[survivor].generation < event.generation
    if name != "random":
        assert all(individual.birth.parents for individual in history.members(4) if individual.generation == 4)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_history_gives_the_same_next_individual(name: str, home: StudyDir) -> None:
    config = steady(name)
    run(config, home)
    events = list(Journal(home.journal))
    search, history = strategy(config), History()
    for event in events:
        if isinstance(event, Bred):
            assert search.decide(history, 1) == replace(event, at=0.0)
        history.add(event)


def test_what_is_left_is_told_while_a_generation_is_half_born(home: StudyDir) -> None:
    def watch(now: History, event: object) -> None:
        if isinstance(event, Scored):
            found = progress("x", now, held=True, now=0.0)
            assert (found.trainings, found.done) == (18, len(now.ends))

    assert len(run(steady("genetic"), home, pool=Simulated(4, spread=3.0), watch=watch).scored) == 18


def test_a_budget_counts_what_is_being_trained_and_rules_wait_for_a_whole_generation(home: StudyDir) -> None:
    class Tens(Simulated):
        def wait(self) -> Any:
            return replace(super().wait(), fitness=self.now, epochs=10)  # each later one is fitter

    spent = run(replace(steady("random"), stop=Stop(epochs=120)), home, pool=Tens(4, spread=3.0))
    assert 110 <= sum(individual.epochs for individual in spent.individuals.values()) <= 120
    patient = replace(steady("random"), stop=Stop(generations=1))
    assert len(run(patient, StudyDir(home.path.parent / "patient"), pool=Tens(4, spread=3.0)).individuals) == 18


def test_the_mode_is_read_back_and_what_counts_by_generations_is_refused() -> None:
    config = steady("assisted")
    assert from_tables(config.plain()).mode == "steady"
    assert "mode" not in toy().plain()["study"]
    for changes, key in (
        ({"fidelity": Fidelity(rungs=(0.5,))}, "fidelity.rungs"),
        ({"strategy": "genetic", "genetic": Genetic(retrain=True)}, "genetic.retrain"),
        ({"operators": Operators(immigrants=1)}, "operators.immigrants"),
        ({"strategy": "optuna-tpe"}, "optuna-tpe"),
    ):
        with pytest.raises(ConfigError, match=key):
            strategy(replace(config, **changes))
