"""The genetic algorithm with a model that chooses among its offspring.

A generation is bred as ever: the fittest are promoted unchanged, offspring descend from the fittest by crossover and
mutation. But hundreds are bred for each place, and a Gaussian process fitted to all that was trained so far says
which of them is worth training: a surrogate-assisted evolution (Jin, *Surrogate-assisted evolutionary computation*,
2011) whose pre-selection is expected improvement.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from gaopt.config import Assisted
from gaopt.events import Birth, Bred
from gaopt.history import History, Individual
from gaopt.space import Genes, Space
from gaopt.strategies import operators
from gaopt.strategies.acquisition import Improvement
from gaopt.strategies.base import keyed
from gaopt.strategies.breeding import NOBODY, Genomes, Habits, bred, snapped, strangers
from gaopt.strategies.model import Array, fit, one_thread
from gaopt.strategies.targets import targets

PARENTS, OFFSPRING, STRANGERS = 10, 300, 150
ROUNDS, KEPT, CHILDREN, SHRINK = 5, 40, 150, 0.6
SUMMITS, APART = 3, 0.1
FEW = 50
"""A whole number with more values than this climbs like any other gene, and is rounded at the summit."""

Seen = set[tuple[float, ...]]
FIT, PLACE, SPARE = range(3)  # what a generator is for, the last number of its key


class AssistedSearch:
    """Example:
    >>> strategy = AssistedSearch(space, Assisted(population=10, litter=5), seed=0)
    >>> strategy.decide(History(), room=10)
    Bred(generation=0, ...)
    """

    def __init__(self, space: Space, config: Assisted, seed: int) -> None:
        self._space, self._config, self._seed = space, config, seed
        self._free = np.array([not gene.integer or gene.high - gene.low > FEW for gene in space.values()])

    def decide(self, history: History, room: int) -> Bred | None:
        if history.unfinished or history.generation + 1 >= self._config.generations:
            return None
        with one_thread():
            return self._next(history) if history.populations else self._first()

    def _rng(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(keyed(self._seed, *key).getrandbits(64))

    def _first(self) -> Bred:
        points = spread(self._config.population, len(self._space), self._rng(0, 0))
        genomes, seen, births = Genomes(points, np.full(points.shape, NOBODY)), Seen(), list[Birth]()
        for slot in range(len(genomes)):
            if birth := self._birth(len(births), genomes, [slot], seen, (0, slot)):
                births.append(birth)
        return Bred(0, tuple(births))

    def _next(self, history: History) -> Bred | None:
        generation, past = history.generation + 1, list(history.individuals.values())
        seen = {tuple(self._space.vector(individual.genes)) for individual in past}
        fittest = operators.fittest(self._space, past, PARENTS)
        parents = Genomes(self._points(fittest), np.array([[i.id] * len(self._space) for i in fittest]))
        gain, births = self._believed(past, generation), list[Birth]()
        for slot in range(self._config.litter):
            rng = self._rng(generation, slot, PLACE)
            choice = Choice(gain, parents, self._space, self._free)
            genomes, order = choice.ranked(rng)
            if birth := self._birth(len(past) + len(births), genomes, order, seen, (generation, slot)):
                births.append(birth)
                gain = gain.beside(self._point(birth.genes), rng)
        survivors = operators.fittest(self._space, history.population, self._config.promoted)
        return Bred(generation, tuple(births), tuple(individual.id for individual in survivors)) if births else None

    def _believed(self, past: list[Individual], generation: int) -> Improvement:
        """What all that was trained so far says of all that was not."""
        values = targets(np.array([individual.fitness for individual in past]))
        return Improvement(fit(self._points(past), values, self._rng(generation, 0, FIT)), np.array([values.max()]))

    def _points(self, individuals: list[Individual]) -> Array:
        return np.array([self._point(individual.genes) for individual in individuals])

    def _point(self, genes: Genes) -> Array:
        units = [gene.unit(genes[name]) for name, gene in self._space.items()]
        return np.clip(units, 0.0, 1.0)  # the last of the figures that a gene has may lie outside

    def _birth(self, id: int, genomes: Genomes, order: list[int], seen: Seen, key: tuple[int, int]) -> Birth | None:
        """The first genome in order that was never trained, else one drawn at random; None if there is none left."""
        for row in order:
            genes = self._genes(genomes.points[row])
            vector = tuple(self._space.vector(genes))
            if vector not in seen:
                seen.add(vector)
                return Birth(id, genes, *genomes.lineage(row))
        spare = operators.unseen(partial(self._stranger, key), seen, self._space)
        return Birth(id, spare.genes, "random") if spare else None

    def _stranger(self, key: tuple[int, int], attempt: int) -> operators.Offspring:
        return operators.Offspring(self._space.sample(keyed(self._seed, *key, SPARE, attempt)), (), False)

    def _genes(self, point: Array) -> Genes:
        return {name: gene.at(float(unit)) for (name, gene), unit in zip(self._space.items(), point, strict=True)}


@dataclass(frozen=True)
class Choice:
    """The search on the model for one place: from offspring that are bred to those worth training.

    Attributes:
        parents: from the fittest to the least fit.
        free: (d,) the genes that climb: not the whole numbers of few values.
    """

    gain: Improvement
    parents: Genomes
    space: Space
    free: np.ndarray

    def ranked(self, rng: np.random.Generator) -> tuple[Genomes, list[int]]:
        """Genomes, and their rows from the most promising to the least."""
        genomes = self._candidates(rng)
        gains = self.gain(genomes.points)
        for round in range(ROUNDS):
            best = genomes[np.argsort(-gains, kind="stable")[:KEPT]]
            children = bred(best, CHILDREN, self.space, self._habits(0.2 * SHRINK**round, 0.0), rng)
            genomes, gains = genomes + children, np.append(gains, self.gain(children.points))
        genomes, gains = self._climbed(genomes, gains)
        return genomes, [int(row) for row in np.argsort(-gains, kind="stable")]

    def _candidates(self, rng: np.random.Generator) -> Genomes:
        offspring = bred(self.parents, OFFSPRING, self.space, self._habits(0.2, 1.5), rng)
        return self.parents + offspring + strangers(STRANGERS, self.space, rng)

    def _habits(self, step: float, decades: float) -> Habits:
        return Habits(mutation=max(1 / len(self.space), 0.4), step=step, decades=decades)

    def _climbed(self, genomes: Genomes, gains: Array) -> tuple[Genomes, Array]:
        """With the summits above the best genomes that lie apart; a summit has its genome's lineage."""
        rows = apart(genomes.points, np.argsort(-gains, kind="stable"))
        points = np.array([self.gain.climbed(genomes.points[row], self.free) for row in rows])
        summits = Genomes(snapped(points, self.space), genomes.sources[rows])
        return genomes + summits, np.append(gains, self.gain(summits.points))


def apart(points: Array, order: np.ndarray) -> list[int]:
    """The first few rows in an order that lie more than APART from each other."""
    chosen: list[int] = []
    for row in order:
        if all(np.linalg.norm(points[row] - points[other]) > APART for other in chosen):
            chosen.append(int(row))
        if len(chosen) == SUMMITS:
            break
    return chosen


def spread(number: int, genes: int, rng: np.random.Generator) -> Array:
    """(number, genes): a Latin hypercube, the points moved until they fill it evenly by centred discrepancy."""
    from scipy.stats import qmc  # costs half a second, and only a first generation needs it

    return np.asarray(qmc.LatinHypercube(genes, optimization="random-cd", rng=rng).random(number))
