"""Which parents a genetic search breeds from, how far its steps are, and how far apart offspring stay."""

import math
import random
from typing import Any

import pytest

from gaopt.config import Operators
from gaopt.journal.events import Birth, Bred, Failed, Granted, Scored
from gaopt.journal.history import History
from gaopt.strategies.operators import Genome
from gaopt.strategies.selection import by_rank, selection, step, successes
from tests.conftest import scored, space
from tests.unit.test_operators import search

RNGS = [random.Random(seed) for seed in range(300)]


def test_the_fittest_have_offspring_in_turn() -> None:
    history = scored([0.1, 0.9, 0.3, 0.8, None, 0.7, None, 0.6, 0.4, None])
    decision = search(space(), chosen=Operators(selection="fittest")).decide(history, 10)
    assert decision
    assert [birth.parents[0] for birth in decision.births] == [1, 3, 5, 7, 8]
    assert {parent for birth in decision.births for parent in birth.parents} <= {1, 3, 5, 7, 8}
    few = search(space(), chosen=Operators(selection="fittest")).decide(scored([0.1, 0.2] + [None] * 8), 10)
    assert few
    assert [birth.parents[0] for birth in few.births] == [1, 0, 1, 0, 1]


def order_of(*fitnesses: float) -> list[Genome]:
    return [Genome([float(id)], fitness, id) for id, fitness in enumerate(fitnesses)]


def test_who_has_no_fitness_is_a_parent_only_where_nobody_has_one_and_nobody_is_mated_with_itself() -> None:
    kinds: list[Any] = ["fittest", "tournament", "rank"]
    for kind in kinds:
        found = selection(Operators(selection=kind), order_of(0.9, 0.5, -math.inf, math.nan), 3)
        assert {found.parent(slot, rng).id for slot, rng in enumerate(RNGS)} == {0, 1}
        nobody = selection(Operators(selection=kind), order_of(-math.inf, -math.inf), 1)
        assert nobody.parent(0, RNGS[0]).id in (0, 1)
        alone = selection(Operators(selection=kind), order_of(0.9, -math.inf), 1)
        assert alone.partner(alone.parent(0, RNGS[0]), RNGS[0]) is None
    for kind in ["losers", *kinds]:
        found = selection(Operators(selection=kind), order_of(0.9, 0.5, 0.4, 0.3), 2)
        for slot, rng in enumerate(RNGS):
            partner = found.partner(parent := found.parent(slot, rng), rng)
            assert partner
            assert partner.id != parent.id


def test_by_rank_the_first_of_n_is_n_times_as_likely_as_the_last() -> None:
    rng = random.Random(0)
    drawn = [by_rank(order_of(9.0, 1e-9, -1e9), rng).id for _ in range(6000)]
    assert [drawn.count(id) / 6000 for id in range(3)] == pytest.approx([3 / 6, 2 / 6, 1 / 6], abs=0.03)


def generations(shares: list[float]) -> History:
    """Ten offspring a generation, of which such shares are fitter than their parent."""
    history = History([Bred(0, (Birth(0, {"x": 0.5}, "random"),)), Scored(0, 0.5)])
    for share in shares:
        ids = range(len(history.individuals), len(history.individuals) + 10)
        history.add(Bred(history.generation + 1, tuple(Birth(id, {"x": id}, "mutation", (0,)) for id in ids)))
        for n, id in enumerate(ids):
            history.add(Scored(id, 0.6 if n < 10 * share else 0.5))
    return history


def test_steps_widen_while_more_than_a_fifth_of_the_offspring_win_and_narrow_else() -> None:
    assert step(generations([]), 0.2) == 0.2
    assert successes(generations([0.3, 0.0])) == [0.3, 0.0]
    assert step(generations([0.3]), 0.2) == pytest.approx(0.3)
    assert step(generations([0.2]), 0.2) == pytest.approx(0.2 / 1.5)
    assert step(generations([0.3, 0.1]), 0.2) == pytest.approx(0.2)
    assert step(generations([1.0] * 20), 0.2) == 1.0
    assert step(generations([0.0] * 20), 0.2) == 0.01
    assert step(generations([1.0] * 20 + [0.0]), 0.2) == pytest.approx(1 / 1.5)
    assert step(generations([0.0] * 5), 0.001) == 0.001


def test_who_was_left_on_a_rung_is_compared_with_its_parent_on_that_rung() -> None:
    rung = Bred(0, (Birth(0, {"x": 0.5}, "random", share=0.5),))
    history = History([rung, Scored(0, 0.3), Granted((0,), 1.0), Scored(0, 0.9)])
    born = tuple(Birth(id, {"x": 0.1 * id}, "mutation", (0,), share=0.5) for id in (1, 2, 3))
    for event in (Bred(1, born, (0,)), Scored(1, 0.4), Scored(2, 0.2), Failed(3, "diverged")):
        history.add(event)
    assert successes(history) == [pytest.approx(1 / 3)]
