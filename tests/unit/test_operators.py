import itertools
import random
import statistics
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaopt import Gene, Genetic, Space, StudyConfig
from gaopt.config import Operators
from gaopt.errors import ConfigError
from gaopt.journal.events import Birth, Bred, Event, Failed, Scored
from gaopt.journal.history import History
from gaopt.space.gene import Choice
from gaopt.strategies import operators
from gaopt.strategies.base import keyed
from gaopt.strategies.genetic import GeneticSearch
from gaopt.strategies.initial_design import spread
from gaopt.strategies.operators import Genome
from gaopt.strategies.selection import distances
from gaopt.strategies.surrogate.assisted import AssistedSearch
from tests.conftest import lived, space

WIDE = Space(
    lr=Gene(1e-6, 1e-2, "log"),
    wd=Gene(0.0, 0.1),
    layers=Gene(1, 6, integer=True),
    drop=Gene(0.0, 0.5, step=0.125),
    act=Choice(("relu", "gelu", "tanh")),
)
CONDITIONAL = Space(
    "lr * 10 < wd or optimizer == 'adam'",
    lr=Gene(1e-6, 1e-2, "log"),
    wd=Gene(0.0, 0.1),
    optimizer=Choice(("adam", "sgd")),
    mom=Gene(0.1, 0.99, when="optimizer == 'sgd'"),
    nesterov=Choice((True, False), when="mom > 0.5"),
)


def search(genes: Space = WIDE, seed: int = 0, chosen: Operators = operators.DEFAULT, **numbers: Any) -> GeneticSearch:
    return GeneticSearch(StudyConfig(genes, "", seed=seed, genetic=Genetic(**numbers), operators=chosen))


def outcome(birth: Birth) -> Scored | Failed:
    """Every seventh training fails; the others have a fitness that their genes decide."""
    genes = {name: float(value) if type(value) is int else value for name, value in birth.genes.items()}
    luck = random.Random(repr(sorted(genes.items()))).random()
    return Failed(birth.id, "diverged") if birth.id % 7 == 6 else Scored(birth.id, luck)


def events(strategy: Any) -> list[Event]:
    return lived(strategy, outcome)


def litters(happened: list[Event]) -> list[tuple[Birth, ...]]:
    return [event.births for event in happened if isinstance(event, Bred)]


def mutated(chosen: Operators, parent: Genome, genes: Space = WIDE, threshold: float = 1.0) -> list[Genome]:
    box = operators.toolbox(genes, Genetic(mutation=threshold), chosen)
    return [box.mutate(genome=parent, rng=keyed(0, n)) for n in range(300)]


def mated(chosen: Operators, one: Genome, other: Genome, genes: Space = WIDE) -> list[Genome]:
    box = operators.toolbox(genes, Genetic(), chosen)
    return [box.mate(one, other, rng=keyed(0, n)) for n in range(300)]


def units(genomes: list[Genome], name: str, genes: Space = WIDE) -> list[float]:
    return [genes[name].unit(genome[list(genes).index(name)]) for genome in genomes]


MIDDLE = Genome(WIDE.vector(WIDE.at([0.5] * 5)))
LOW, HIGH = (Genome(WIDE.vector(WIDE.at([unit] * 5))) for unit in (0.4, 0.6))


EVERY = [
    Operators(selection=selected, mutation=mutation, crossover=crossover, adaptive=True)  # type: ignore[arg-type]
    for selected, mutation, crossover in (
        ("losers", "redraw", "point"),
        ("fittest", "gaussian", "uniform"),
        ("tournament", "polynomial", "blend"),
        ("rank", "gaussian", "sbx"),
    )
]


def test_a_decision_depends_on_history_and_seed_and_on_no_global_generator() -> None:
    for chosen in EVERY:
        found = []
        for state in (1, 2):
            random.seed(state)
            before = random.getstate()
            found.append(events(search(CONDITIONAL, chosen=chosen, population=6, generations=4)))
            assert random.getstate() == before
        assert found[0] == found[1]
        assert found[0] != events(search(CONDITIONAL, 1, chosen, population=6, generations=4))


def test_a_gaussian_mutation_moves_numbers_by_its_step_on_their_own_scale() -> None:
    children = mutated(Operators(mutation="gaussian", step=0.1), MIDDLE)
    for name in ("lr", "wd"):
        assert statistics.mean(units(children, name)) == pytest.approx(0.5, abs=0.02)
        assert statistics.stdev(units(children, name)) == pytest.approx(0.1, rel=0.15)


def test_steps_and_whole_numbers_snap_and_a_choice_is_drawn_anew() -> None:
    children = mutated(Operators(mutation="gaussian", step=0.5), MIDDLE)
    assert {child[2] for child in children} == {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}
    assert {child[3] for child in children} == {0.0, 0.125, 0.25, 0.375, 0.5}
    counts = [sum(child[4] == act for child in children) for act in ("relu", "gelu", "tanh")]
    assert min(counts) > 70


def test_the_threshold_says_how_many_genes_mutate_at_least_one() -> None:
    wide = Space(**{name: Gene(0, 1) for name in "abcdefgh"})
    parent = Genome([0.5] * 8)
    for mutation in ("redraw", "gaussian", "polynomial"):

        def changed(threshold: float, mutation: Any = mutation) -> list[int]:
            children = mutated(Operators(mutation=mutation), parent, wide, threshold)
            return [sum(old != new for old, new in zip(parent, child, strict=True)) for child in children]

        assert set(changed(0.0)) == {1}
        assert set(changed(1.0)) == {8}
        assert statistics.mean(changed(0.5)) == pytest.approx(4, abs=0.4)


def test_a_blend_reaches_beyond_its_parents_by_alpha_and_no_further() -> None:
    inside = units(mated(Operators(crossover="blend", alpha=0.0), LOW, HIGH), "wd")
    beyond = units(mated(Operators(crossover="blend", alpha=0.5), LOW, HIGH), "wd")
    assert 0.4 - 1e-5 <= min(inside) < 0.42 < 0.58 < max(inside) <= 0.6 + 1e-5
    assert 0.3 - 1e-5 <= min(beyond) < 0.35 < 0.65 < max(beyond) <= 0.7 + 1e-5


def test_offspring_that_break_a_constraint_are_bred_again_and_in_the_end_drawn_at_random(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gaopt.strategies.genetic.TRIES", 1000)
    found = events(search(CONDITIONAL, population=20, generations=3))
    assert all(CONDITIONAL.allows(birth.genes) for litter in litters(found) for birth in litter)
    assert [len(litter) for litter in litters(found)] == [20] + [10] * 2
    # Only the parents themselves can be bred here: all else breaks the constraint.
    narrow = Space("a == b", a=Gene(0, 9, integer=True), b=Gene(0, 9, integer=True))
    chosen = Operators(selection="fittest", mutation="polynomial", eta=1000.0)
    later = litters(events(search(narrow, chosen=chosen, population=4, generations=2, mutation=0.0, crossover=0.0)))[1:]
    assert [birth.origin for litter in later for birth in litter] == ["random"] * 2


def test_so_many_of_each_later_generation_are_immigrants() -> None:
    found = litters(events(search(chosen=Operators(immigrants=2))))
    for litter in found[1:]:
        assert [birth.origin == "random" for birth in litter] == [False] * 3 + [True] * 2
        assert [birth.parents == () for birth in litter] == [False] * 3 + [True] * 2
    everyone = litters(events(search(chosen=Operators(immigrants=99))))
    assert {birth.origin for litter in everyone for birth in litter} == {"random"}


def nearest(genes: Space, members: list[dict[str, Any]]) -> float:
    choices = np.array([isinstance(gene, Choice) for gene in genes.values()])
    points = np.array([genes.units(each) for each in members])
    return min(float(distances(points[n + 1 :], points[n], choices).min()) for n in range(len(points) - 1))


def test_offspring_keep_apart_from_all_of_their_generation() -> None:
    narrow = Operators(selection="fittest", mutation="gaussian", step=0.1)
    near, far = (History(events(search(space(), chosen=replace(narrow, min_distance=apart)))) for apart in (0.0, 0.1))
    for history, kept in ((near, False), (far, True)):
        found = [
            nearest(space(), [child.genes, other.genes])
            for generation in range(1, len(history.populations))
            for child, other in itertools.combinations(reversed(history.members(generation)), 2)
            if child.generation == generation  # two survivors were never told to
        ]
        assert (min(found) >= 0.1) == kept


def test_a_first_generation_fills_the_space_evenly_without_what_a_constraint_forbids_or_comes_twice() -> None:
    twelve = Space(a=Gene(0, 3, integer=True), b=Choice((1, 2, 3)))
    firsts: list[Any] = ["hypercube", "sobol", "random"]
    for first in firsts:

        def births(genes: Space, number: int = 12, seed: int = 0, first: Any = first) -> tuple[Birth, ...]:
            return litters(events(search(genes, seed, Operators(first), population=number, generations=1)))[0]

        for number in [2, 10, 16] if first != "random" else []:
            points = spread(number, space(), np.random.default_rng(0), first)
            if first == "hypercube" or number != 10:
                assert (np.sort((points * number).astype(int), axis=0) == np.arange(number)[:, None]).all()
            found = [space()["lr"].unit(birth.genes["lr"]) for birth in births(space(), number)]
            assert max(np.diff(sorted([0.0, *found, 1.0]))) < (0.3 if number > 2 else 0.8)
        assert births(space()) != births(space(), seed=1)
        assert all(CONDITIONAL.allows(birth.genes) for birth in births(CONDITIONAL))
        assert len({tuple(birth.genes.items()) for birth in births(twelve)}) == 12


def test_an_assisted_search_refuses_operators_that_it_does_not_breed_with() -> None:
    for chosen in (Operators(selection="rank"), Operators(mutation="gaussian"), Operators(adaptive=True)):
        with pytest.raises(ConfigError, match=r"operators\.\w+ is .* with the strategy 'assisted'"):
            AssistedSearch(StudyConfig(WIDE, "", operators=chosen))


def inside(genes: Space, found: dict[str, Any]) -> bool:
    """Whether an individual is one that the space could have drawn."""
    for name, value in found.items():
        gene = genes[name]
        if isinstance(gene, Choice):
            if value not in gene.choices:
                return False
        elif not gene.low <= value <= gene.high or (gene.levels and value != gene.at(gene.unit(value))):
            return False
    return genes.check(found) == found and genes.allows(found)
