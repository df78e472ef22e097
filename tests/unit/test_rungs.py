import math
import random
from collections.abc import Callable

import pytest

from gaopt import Gene, Genetic, Space, StudyConfig
from gaopt.config import Assisted, Fidelity, Stop
from gaopt.journal.events import Bred, Event, Failed, Granted, Scored
from gaopt.journal.history import History
from gaopt.space.encoding import Encoding
from gaopt.space.space import Genes
from gaopt.strategies.base import Strategy
from gaopt.strategies.genetic import GeneticSearch
from gaopt.strategies.stopping import Stopping
from gaopt.strategies.surrogate.assisted import AssistedSearch
from gaopt.strategies.surrogate.foresight import observations
from gaopt.strategies.wrappers import Rungs

Score = Callable[[Genes, float], float]
SQUARE = Space(x=Gene(0.0, 1.0), y=Gene(0.0, 1.0))
SMALL = {"population": 8, "litter": 6, "generations": 5}


def peak(genes: Genes) -> float:
    return -((genes["x"] - 0.3) ** 2) - (genes["y"] - 0.6) ** 2 + 0.1 * math.sin(9 * genes["x"])


def rough(genes: Genes) -> float:
    """With peaks enough that there is something to gain for long."""
    return math.sin(12 * genes["x"]) * math.sin(9 * genes["y"]) + 0.3 * genes["x"]


def telling(genes: Genes, share: float) -> float:
    """Short trainings score less, and their best genes lie a little aside."""
    return peak(genes) - (1 - share) * (0.5 + 0.1 * genes["x"])


def misleading(genes: Genes, share: float) -> float:
    return peak(genes) if share == 1 else -peak(genes)


def luck(genes: Genes, share: float) -> float:
    return peak(genes) if share == 1 else random.Random(repr(genes)).gauss(0, 1)


def assisted(seed: int = 0, rungs: tuple[float, ...] = (0.1,), **numbers: float) -> Rungs:
    config = StudyConfig(SQUARE, "", seed=seed, assisted=Assisted(**(SMALL | numbers)))  # type: ignore[arg-type]
    return Rungs(AssistedSearch(config), Fidelity(rungs, 0.3))


def genetic(rungs: tuple[float, ...] = (0.1,)) -> Rungs:
    config = StudyConfig(SQUARE, "", genetic=Genetic(population=8, generations=3))
    return Rungs(GeneticSearch(config), Fidelity(rungs, 0.3))


def events(search: Strategy, score: Score, failing: int = 0) -> list[Event]:
    """A whole search; if asked, each so many-th individual fails."""
    history, happened = History(), list[Event]()
    while decision := search.decide(history, 10):
        history.add(decision)
        happened.append(decision)
        for each in history.waiting:
            fails = failing and each.id % failing == failing - 1
            scored = Scored(each.id, score(each.genes, each.share), epochs=round(10 * each.share))
            after = Failed(each.id, "diverged") if fails else scored
            history.add(after)
            happened.append(after)
    return happened


def bred(happened: list[Event]) -> list[Bred]:
    return [event for event in happened if isinstance(event, Bred)]


def short(happened: list[Event]) -> list[bool]:
    """Of each generation, whether it began on a rung."""
    return [decision.births[0].share < 1 for decision in bred(happened)]


@pytest.mark.parametrize("search", [assisted, genetic])
def test_only_a_whole_training_wins_and_some_of_every_generation_are_whole(search: Callable[..., Rungs]) -> None:
    happened = events(search(rungs=(0.1, 0.3)), lambda genes, share: telling(genes, share) + 9 * (share < 1))
    history = History(happened)
    assert history.best
    assert history.best.fitness == peak(history.best.genes)
    assert {i.generation for i in history.scored} == set(range(len(history.populations)))
    assert history.early


@pytest.mark.slow
@pytest.mark.parametrize("score", [misleading, luck])
def test_a_litter_is_trained_whole_where_early_scores_mislead(score: Score) -> None:
    happened = events(assisted(litter=9, generations=6), score)
    first, _, *later = short(happened)
    assert first  # nothing can be known before
    assert sum(later) <= 1  # of four
    whole = [decision for decision in bred(happened) if decision.births[0].share == 1]
    assert {len(decision.births) for decision in whole} == {4}  # 9 × (0.1 + 0.3): what the rung would have cost


@pytest.mark.slow
def test_a_rung_is_used_where_early_scores_say_all() -> None:
    happened = events(assisted(litter=9, generations=6), lambda genes, share: rough(genes) - 7 * (share < 1))
    assert sum(short(happened)) >= 5


def test_scores_of_a_rung_come_in_the_unit_of_whole_trainings() -> None:
    def points(added: float) -> list[float]:
        happened = events(assisted(generations=1), lambda genes, share: peak(genes) + added * (share < 1))
        told, _ = observations(History(happened), Encoding(SQUARE), 0)
        whole, early = (
            dict(zip(map(repr, told.points[at].tolist()), told.values[at], strict=True))
            for at in (told.sources == 0, told.sources == 1)
        )
        assert {point: early[point] for point in whole} == pytest.approx(whole)
        return told.values.tolist()

    assert points(-7.0) == pytest.approx(points(0.0))


def test_a_budget_is_not_overdrawn_by_rungs_nor_where_they_are_left_out() -> None:
    for budget in (31, 65, 99):
        for search in [genetic((0.1, 0.3)), assisted()]:
            stop, fidelity = Stop(epochs=budget), search._config
            history = History(events(Stopping(search, SQUARE, stop, fidelity), misleading))
            spent = sum(i.epochs for i in history.individuals.values())
            first = 10 * fidelity.cost(8, 0.1)
            assert spent <= max(budget, first)
            assert budget - spent < 10 or len(history.populations) == 5 - 2 * isinstance(search._search, GeneticSearch)


def test_a_failure_on_a_rung_goes_no_further() -> None:
    happened = events(assisted(), telling, failing=3)
    failed = {event.individual for event in happened if isinstance(event, Failed)}
    granted = {id for event in happened if isinstance(event, Granted) for id in event.individuals}
    assert {2, 5} <= failed
    assert not granted & {2, 5}
