import hashlib

import pytest

from gaopt import Gene, Genetic, Space, StudyConfig
from gaopt.journal.events import Birth, Bred, Failed, Scored
from gaopt.journal.history import History
from gaopt.strategies.genetic import GeneticSearch
from tests.conftest import lived, scored, space


def search(seed: int = 0, genes: Space | None = None, **numbers: float) -> GeneticSearch:
    return GeneticSearch(StudyConfig(genes or space(), "", seed=seed, genetic=Genetic(**numbers)))  # type: ignore[arg-type]


def decided(strategy: GeneticSearch, history: History) -> Bred:
    decision = strategy.decide(history, room=10)
    assert decision
    return decision


def test_ids_stay_unique_where_a_place_could_not_be_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gaopt.strategies.genetic.TRIES", 1000)
    two = Space(a=Gene(0, 2, integer=True), b=Gene(0, 2, integer=True))
    strategy = search(1, two, population=6, generations=4, mutation=0.0, crossover=0.0)
    history = History(lived(strategy, lambda birth: Scored(birth.id, birth.genes["a"])))
    assert list(history.individuals) == list(range(len(history.individuals)))


def test_a_space_that_is_used_up_ends_the_search() -> None:
    strategy = search(0, Space(n=Gene(0, 2, integer=True)), population=3)
    first = decided(strategy, History())
    history = History([first, *(Scored(birth.id, 0.5) for birth in first.births)])
    assert not strategy.decide(history, room=3)


def test_survivors_are_trained_again_with_a_fresh_seed_where_the_config_asks() -> None:
    decision = decided(search(retrain=True), scored([n / 10 for n in range(10)]))
    again = [birth for birth in decision.births if birth.origin == "retrained"]
    assert decision.survivors == ()
    assert len(decision.births) == 10
    assert [(birth.parents, birth.trial) for birth in again] == [((n,), 1) for n in (9, 8, 7, 6, 5)]


def fifth_fails(birth: Birth) -> Failed | Scored:
    """Every fifth training fails; small genes are fit."""
    return Failed(birth.id, "diverged") if birth.id % 5 == 4 else Scored(birth.id, -sum(birth.genes.values()))


def test_a_search_decides_what_it_decided_before_there_was_a_choice_of_operators() -> None:
    history = History(lived(search(7, population=4, generations=4), fifth_fails))
    assert [(birth.parents, *birth.genes.values()) for birth in (i.birth for i in history.individuals.values())] == [
        ((), 4.24921e-05, 0.0442655, 0.359243),
        ((), 0.00140511, 0.0657062, 0.211664),
        ((), 1.16396e-06, 0.0866497, 1.33868),
        ((), 5.7275e-05, 0.0305677, 0.139848),
        ((0, 1), 0.00140511, 0.0500387, 0.359243),
        ((2,), 1.16396e-06, 0.0129441, 1.38233),
        ((5, 3), 0.000373334, 0.0305677, 0.139848),
        ((4,), 0.00140511, 0.0713321, 1.46146),
        ((1,), 0.00140511, 0.0848273, 0.211664),
        ((7, 3), 5.7275e-05, 0.0713321, 1.41905),
    ]
    assert history.populations == [(0, 1, 2, 3), (3, 1, 4, 5), (3, 1, 6, 7), (3, 6, 8, 9)]


def test_nor_does_it_decide_otherwise_on_whole_numbers() -> None:
    wide = Space(
        lr=Gene(1e-6, 1e-2, "log"),
        layers=Gene(1, 9, integer=True),
        width=Gene(16, 512, "log", integer=True),
        shift=Gene(-3, 5),
    )
    settings: dict[str, dict[str, float]] = {
        "e7eb4e4f054db868": {},
        "ea55e26bd9567477": {"mutation": 0.2, "crossover": 0.9, "point": 0.3},
        "769c480c69b7883d": {"retrain": True, "survivors": 0.3},
    }
    for digest, numbers in settings.items():
        history = History(lived(search(3, wide, population=12, generations=7, **numbers), fifth_fails))
        births = [
            (i.birth.origin, i.birth.parents, *map(float, i.genes.values())) for i in history.individuals.values()
        ]
        assert hashlib.sha256(repr((births, history.populations)).encode()).hexdigest()[:16] == digest
