"""The genetic operators: the only door to DEAP.

DEAP works on lists that carry a fitness and, in its own operators, on Python's global generator. Here each operator
takes its generator as an argument, lends it to DEAP for as long as an operator of DEAP's is at work (`lent`), and the
class with the fitness is written out rather than made by `deap.creator` (whose classes do not unpickle in another
process). DEAP's operators on numbers see points of the unit cube, so that each gene moves on its own scale.
"""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

from deap import base, tools

from gaopt.config import Genetic, Operators
from gaopt.journal.events import Birth
from gaopt.journal.history import History, Individual
from gaopt.space.gene import AnyGene, Choice, Gene
from gaopt.space.space import TRIES, Genes, Space
from gaopt.strategies.base import keyed

DEFAULT = Operators()


class Fitness(base.Fitness):
    """One number, to be maximised."""

    weights = (1.0,)


class Genome(list[Any]):
    """The genes in the order of the space, as DEAP wants them; None for one that is not there."""

    def __init__(self, values: Sequence[Any], fitness: float = -math.inf, id: int = -1) -> None:
        super().__init__(values)
        # With a NaN, selBest returns a wrong winner: it stops here, whatever the history says.
        self.fitness = Fitness((fitness if not math.isnan(fitness) else -math.inf,))
        self.id = id


@contextmanager
def lent(rng: random.Random) -> Iterator[None]:
    """Python's global generator goes on from where this one is, and this one from there; then it is as it was."""
    before = random.getstate()
    random.setstate(rng.getstate())
    try:
        yield
    finally:
        rng.setstate(random.getstate())
        random.setstate(before)


def toolbox(space: Space, config: Genetic, chosen: Operators = DEFAULT, wider: float = 1.0) -> base.Toolbox:
    """DEAP's toolbox with the operators of the search: `mutate`, `mate`.

    A gaussian mutation has its step multiplied by `wider`, a polynomial one its eta divided by it.
    """
    cut = min(max(1, int(len(space) * config.point)), max(1, len(space) - 1))
    bounded = {"low": 0.0, "up": 1.0}
    gaussian = partial(tools.mutGaussian, mu=0.0, sigma=chosen.step * wider, indpb=1.0)
    polynomial = partial(tools.mutPolynomialBounded, eta=chosen.eta / wider, indpb=1.0, **bounded)
    mutations = {
        "redraw": partial(redraw, space),
        "gaussian": partial(shift, space, gaussian),
        "polynomial": partial(shift, space, polynomial),
    }
    crossovers = {
        "point": partial(cross, cut=cut),
        "uniform": uniform,
        "blend": partial(between, space, partial(tools.cxBlend, alpha=chosen.alpha)),
        "sbx": partial(between, space, partial(tools.cxSimulatedBinaryBounded, eta=chosen.eta, **bounded)),
    }
    box = base.Toolbox()
    box.register("mutate", mutations[chosen.mutation or "redraw"], threshold=config.mutation)
    box.register("mate", crossovers[chosen.crossover or "point"])
    return box


def ranked(space: Space, individuals: Sequence[Individual]) -> list[Genome]:
    """From the fittest to the least fit; of equals the older first, failures last."""
    # The oldest first, and of those without a fitness the ones that got furthest: selBest sorts stably.
    genomes = [Genome(space.vector(i.genes), i.fitness, i.id) for i in sorted(individuals, key=_standing)]
    return list(tools.selBest(genomes, len(genomes)))


def _standing(individual: Individual) -> tuple[int, float, float, int]:
    """What decides between equals: left on a rung before failed, the highest rung and the best score there first."""
    if individual.status == "early":
        return 1, -individual.share, -individual.early[individual.share].fitness, individual.id
    return (2 if individual.failure else 0), 0.0, 0.0, individual.id


def fittest(space: Space, individuals: Sequence[Individual], number: int) -> list[Individual]:
    """So many of them, in the order of `ranked`."""
    by_id = {individual.id: individual for individual in individuals}
    return [by_id[genome.id] for genome in ranked(space, individuals)[:number]]


def tournament(candidates: Sequence[Genome], rng: random.Random, rivals: int) -> Genome:
    """The fittest of so many, each drawn from all."""
    with lent(rng):
        winner: Genome = tools.selTournament(candidates, 1, rivals)[0]
    return winner


def redraw(space: Space, genome: Genome, rng: random.Random, threshold: float) -> Genome:
    """A copy in which each gene whose uniform number falls under the threshold is drawn anew, at least one."""
    fresh = space.vector(space.sample(rng))
    hit = _hit(len(genome), rng, threshold)
    return Genome([new if h else old for h, new, old in zip(hit, fresh, genome, strict=True)])


def shift(
    space: Space, move: Callable[[list[float]], Any], genome: Genome, rng: random.Random, threshold: float
) -> Genome:
    """A copy in which such genes, at least one, are moved; a choice, which cannot be moved, is drawn anew."""
    child, hit, numbers = Genome(genome), _hit(len(genome), rng, threshold), list[tuple[int, Gene]]()
    for n, gene in enumerate(space.values()):
        if not hit[n] or genome[n] is None:
            continue
        if isinstance(gene, Choice):
            child[n] = gene.at(rng.random())
        else:
            numbers.append((n, gene))
    return _moved(child, numbers, rng, move, genome)


def _hit(genes: int, rng: random.Random, threshold: float) -> list[bool]:
    hit = [rng.random() < threshold for _ in range(genes)]
    if not any(hit):
        hit[rng.randrange(genes)] = True
    return hit


def cross(one: Genome, other: Genome, rng: random.Random, cut: int) -> Genome:
    """One child of a crossover at a single, fixed point; which side it has from whom is tossed."""
    left, right = (one, other) if rng.random() < 0.5 else (other, one)
    return Genome([*left[:cut], *right[cut:]])


def uniform(one: Genome, other: Genome, rng: random.Random) -> Genome:
    """A child that has each gene from either, as a coin falls."""
    child = Genome(one)
    with lent(rng):
        tools.cxUniform(child, list(other), indpb=0.5)
    return child


def between(
    space: Space, mate: Callable[[list[float], list[float]], Any], one: Genome, other: Genome, rng: random.Random
) -> Genome:
    """A child whose numbers lie between, or about, those of both. What cannot be mixed it has from either."""
    child = uniform(one, other, rng)
    genes = [(n, gene) for n, gene in enumerate(space.values()) if one[n] is not None and other[n] is not None]
    numbers = [(n, gene) for n, gene in genes if not isinstance(gene, Choice)]
    return _moved(child, numbers, rng, mate, one, other)


def _moved(
    child: Genome, numbers: Sequence[tuple[int, Gene]], rng: random.Random, move: Callable[..., Any], *parents: Genome
) -> Genome:
    """The child with these genes where an operator of DEAP's moves those of its parents, as points of [0, 1].

    A gene that was given outside of its bounds counts as one at the bound, and so does one that is moved beyond: a
    reflection would keep genes away from there.
    """
    units = [[min(max(gene.unit(parent[n]), 0.0), 1.0) for n, gene in numbers] for parent in parents]
    with lent(rng):
        move(*units)
    for (n, gene), unit in zip(numbers, units[0], strict=True):
        child[n] = gene.at(unit)
    return child


def completed(space: Space, genome: Genome, rng: random.Random) -> Genes:
    """A genome as an individual: within the bounds, with the genes whose conditions hold, drawn if need be."""
    values = {
        name: gene.at(rng.random()) if value is None else _inside(gene, value)
        for (name, gene), value in zip(space.items(), genome, strict=True)
    }
    return space.expressed(values)


def _inside(gene: AnyGene, value: Any) -> Any:
    """The value itself where the gene can have it; what was given by hand may lie beyond its bounds or steps."""
    if isinstance(gene, Choice) or (not gene.levels and gene.low <= value <= gene.high):
        return value
    return gene.at(gene.unit(value))


def stranger(space: Space, rng: random.Random) -> Birth:
    """An individual drawn evenly from the space."""
    return Birth(-1, space.sample(rng), "random")


Seen = set[tuple[Any, ...]]
UNSURE = 100  # after so many tries in vain it is asked whether anything is left


def seen(space: Space, individuals: Iterable[Individual | Birth]) -> Seen:
    """The genes of these, as `unseen` knows them again."""
    return {tuple(space.vector(each.genes)) for each in individuals}


def seen_in(space: Space, history: History) -> Seen:
    """The same of a whole history. Those found before are kept with it: at 10,000 individuals all take 60 ms."""
    of, number, found = _seen.get(history, (space, 0, set()))
    if of is not space:
        number, found = 0, set()
    found |= seen(space, islice(history.individuals.values(), number, None))
    _seen[history] = space, len(history.individuals), found
    return set(found)


_seen: WeakKeyDictionary[History, tuple[Space, int, Seen]] = WeakKeyDictionary()


def unseen(draw: Callable[[int], Birth | None], seen: Seen, space: Space, attempts: int = TRIES) -> Birth | None:
    """The first draw whose genes were never trained, remembered in `seen`; None if there was none in so many."""
    for attempt in range(attempts):
        if attempt == UNSURE and space.used_up(seen):
            return None
        if candidate := draw(attempt):
            vector = tuple(space.vector(candidate.genes))
            if vector not in seen:
                seen.add(vector)
                return candidate
    return None


def newcomer(space: Space, seen: Seen, seed: int, *key: int) -> Birth | None:
    """A stranger whose genes were never trained; None where there is none left."""
    return unseen(lambda attempt: stranger(space, keyed(seed, *key, attempt)), seen, space)
