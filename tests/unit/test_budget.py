"""Budgets that are spent to the last epoch, and the searches of Optuna among ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gaopt import Choice, Gene, Genetic, PoolConfig, Space, StudyConfig
from gaopt.compare.model import SearchRun
from gaopt.config import Assisted, GridConfig, Stop
from gaopt.errors import ConfigError
from gaopt.journal.events import Bred, Failed, Reported, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.strategies import optuna
from gaopt.strategies.optuna import Sampled
from gaopt.strategies.registry import strategy
from gaopt.strategies.wrappers import Budget
from gaopt.study.loop import run
from tests.conftest import space

STRATEGIES: list[str] = ["assisted", "genetic", "random", "optuna-tpe", "fixed"]


def config(strategy: str, epochs: int) -> StudyConfig:
    own = {"fixed": {"lr": 3e-3, "wd": 0.01, "mom": 0.85}} if strategy == "fixed" else {}
    return StudyConfig(
        space=space(),
        objective="gaopt.objectives.toy:valley",
        strategy=strategy,
        genetic=Genetic() if strategy in ("assisted", "fixed") else Genetic(generations=30),
        assisted=Assisted(generations=30) if strategy == "assisted" else Assisted(),
        grid=GridConfig(repeats=100) if strategy == "fixed" else GridConfig(),
        stop=Stop(epochs=epochs, exact=True),
        pool=PoolConfig(kind="inline"),
        **own,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_search_spends_its_budget_to_the_last_epoch(strategy: str, tmp_path: Path) -> None:
    for epochs in (1, 5, 48):
        history = run(config(strategy, epochs), StudyDir(tmp_path / str(epochs)))
        assert SearchRun(strategy, 0, history).epochs == epochs
        assert all(i.status in ("early", "failed") for i in history.individuals.values() if i.share < 1)
        assert history.best is None or history.best.share == 1.0


def test_what_a_failure_did_not_spend_is_spent_on_others() -> None:
    """Trainings that fail in their first epoch cost one: four more whole ones, of three epochs, fit beside six."""
    search = strategy(replace(config("fixed", 18), objective="gaopt.objectives.toy:sphere"))
    search = Budget(search._search, 18, 3)  # type: ignore[attr-defined]
    history, scored = History(), 0
    while decision := search.decide(history, 1):
        assert isinstance(decision, Bred)
        history.add(decision)
        (birth,) = decision.births
        history.add(Started(birth.id))
        if birth.id % 2:
            history.add(Failed(birth.id, "diverged", epochs=1))
        else:
            scored += birth.share == 1
            history.add(Scored(birth.id, 0.5, epochs=round(3 * birth.share)))
    assert sum(i.epochs for i in history.individuals.values()) == 18
    assert scored == 4


def test_what_is_under_way_is_counted_as_whole() -> None:
    search = Budget(strategy(replace(config("fixed", 18), stop=Stop())), 10, 5)
    history = History()
    for id in range(2):
        decision = search.decide(history, 1)
        assert isinstance(decision, Bred)
        history.add(decision)
        history.add(Started(id))
        history.add(Reported(id, 1, {}))
    assert not search.decide(history, 1)


def sampled(genes: Space, sampler: str, trainings: int, seed: int = 0) -> Sampled:
    numbers = Genetic(population=2, generations=trainings - 1)  # one more each generation
    return Sampled(StudyConfig(genes, "", sampler, seed, genetic=numbers))


@pytest.mark.parametrize("sampler", ["optuna-tpe", "optuna-gp"])
def test_the_same_history_gives_the_same_question_of_optuna(sampler: str) -> None:
    search, history = sampled(space(), sampler, 20, 3), History()
    for id in range(12):
        decision = search.decide(history, 1)
        assert decision == sampled(space(), sampler, 20, 3).decide(history, 1)
        assert decision is not None
        history.add(decision)
        history.add(Scored(id, float(decision.births[0].genes["wd"])))
    assert search.decide(History(), 1) != sampled(space(), sampler, 20, 4).decide(History(), 1)


@pytest.mark.slow
def test_optuna_stays_inside_any_space() -> None:
    whole = Space(
        "a + n < 9",
        a=Gene(0.0, 5.0, step=0.5),
        n=Gene(1, 8, integer=True),
        kind=Choice(("adam", "sgd", 3)),
        on=Choice((True, False)),
        x=Gene(1e-5, 1.0, "log", when="on and kind == 'sgd'"),
    )
    search, history = sampled(whole, "optuna-tpe", 40), History()
    for id in range(40):
        decision = search.decide(history, 1)
        assert decision is not None
        genes = decision.births[0].genes
        assert whole.allows(genes)
        assert ("x" in genes) == (genes["on"] and genes["kind"] == "sgd")
        history.add(decision)
        history.add(Scored(id, float(genes["a"])) if id % 5 else Failed(id, "error"))
    assert {i.genes["kind"] for i in history.individuals.values()} == {"adam", "sgd", 3}


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optuna, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"gaopt\[peers\]"):
        strategy(config("optuna-tpe", 10))
