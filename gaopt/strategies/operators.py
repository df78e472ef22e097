"""The genetic operators: the only door to DEAP.

DEAP works on lists that carry a fitness and, in its own operators, on Python's global generator. Here each
operator takes its generator as an argument, and the class with the fitness is written out rather than made by
`deap.creator` (whose classes do not unpickle in another process).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deap import base, tools

from gaopt.config import Genetic
from gaopt.history import Individual
from gaopt.space import Genes, Space


class Fitness(base.Fitness):
    """One number, to be maximised."""

    weights = (1.0,)


class Genome(list[float]):
    """The genes in the order of the space, as DEAP wants them."""

    def __init__(self, values: Sequence[float], fitness: float = -math.inf, id: int = -1) -> None:
        super().__init__(values)
        # With a NaN, selBest returns a wrong winner: it stops here, whatever the history says.
        self.fitness = Fitness((fitness if not math.isnan(fitness) else -math.inf,))
        self.id = id


@dataclass(frozen=True)
class Offspring:
    """A genome bred, and what it was bred from."""

    genes: Genes
    parents: tuple[int, ...]
    mated: bool


def toolbox(space: Space, config: Genetic) -> base.Toolbox:
    """DEAP's toolbox with the operators of the search: `random`, `select`, `mutate`, `mate`."""
    box = base.Toolbox()
    box.register("random", random_genome, space)
    box.register("select", tools.selBest, k=config.population)
    box.register("mutate", redraw, space, threshold=config.mutation)
    box.register("mate", cross, cut=min(max(1, int(len(space) * config.point)), max(1, len(space) - 1)))
    return box


def ranked(box: base.Toolbox, space: Space, population: Sequence[Individual]) -> list[Genome]:
    """The population from the fittest to the least fit; of equals the older first, failures last."""
    return list(box.select(genomes(space, population)))  # selBest sorts stably


def genomes(space: Space, individuals: Sequence[Individual]) -> list[Genome]:
    """As DEAP wants them, the oldest first."""
    oldest_first = sorted(individuals, key=lambda individual: individual.id)
    return [Genome(space.vector(i.genes), i.fitness, i.id) for i in oldest_first]


def fittest(space: Space, individuals: Sequence[Individual], number: int) -> list[Individual]:
    """So many of them, from the fittest to the least fit; of equals the older first, failures last."""
    by_id = {individual.id: individual for individual in individuals}
    return [by_id[genome.id] for genome in tools.selBest(genomes(space, individuals), number)]


def random_genome(space: Space, rng: random.Random) -> Genome:
    """A genome drawn evenly from the space."""
    return Genome(space.vector(space.sample(rng)))


def redraw(space: Space, genome: Genome, rng: random.Random, threshold: float) -> Genome:
    """A copy in which each gene whose uniform number falls under the threshold is drawn anew, at least one."""
    fresh = space.vector(space.sample(rng))
    hit = [rng.random() < threshold for _ in genome]
    if not any(hit):
        hit[rng.randrange(len(hit))] = True
    return Genome([new if h else old for h, new, old in zip(hit, fresh, genome, strict=True)])


def cross(one: Genome, other: Genome, rng: random.Random, cut: int) -> Genome:
    """One child of a crossover at a single, fixed point; which side it has from whom is tossed.

    DEAP's `cxOnePoint` draws its point at random; the search is defined with the middle of the genome.
    """
    left, right = (one, other) if rng.random() < 0.5 else (other, one)
    return Genome([*left[:cut], *right[cut:]])


def offspring(
    box: base.Toolbox,
    space: Space,
    config: Genetic,
    loser: Genome,
    survivors: Sequence[Genome],
    rng: random.Random,
) -> Offspring:
    """What takes the place of a loser: a mutant of it, in part mated with a survivor."""
    child: Genome = box.mutate(genome=loser, rng=rng)
    parents: tuple[int, ...] = (loser.id,)
    mated = rng.random() < config.crossover
    if mated:
        partner = survivors[rng.randrange(len(survivors))]
        child, parents = box.mate(child, partner, rng=rng), (loser.id, partner.id)
    return Offspring(space.genes(child), parents, mated)


def unseen(draw: Callable[[int], Offspring], seen: set[tuple[float, ...]], space: Space) -> Offspring | None:
    """The first draw whose genes were never trained, remembered in `seen`; None if a thousand all were."""
    for attempt in range(1000):
        candidate = draw(attempt)
        vector = tuple(space.vector(candidate.genes))
        if vector not in seen:
            seen.add(vector)
            return candidate
    return None
