"""Who has offspring, how far these reach, and how far apart they stay."""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gaopt.config import Operators
from gaopt.journal.history import History, Individual
from gaopt.space.encoding import Array
from gaopt.space.gene import Choice
from gaopt.space.space import Genes, Space
from gaopt.strategies.operators import Genome, tournament

FACTOR, SUCCESS = 1.5, 0.2
"""Auger, *Benchmarking the (1+1) evolution strategy with one-fifth success rule on the BBOB-2009 function testbed*,
2009; here the factor is applied once a generation, and both ways."""
NARROWEST, WIDEST = 0.01, 1.0


@dataclass(frozen=True)
class Selection:
    """Who has offspring: parents and partners from the fittest to the least fit, and how one of them is drawn.

    Without `draw` it is one parent after another, each mated with any of the partners.
    """

    parents: Sequence[Genome]
    partners: Sequence[Genome]
    draw: Callable[[Sequence[Genome], random.Random], Genome] | None = None

    def parent(self, slot: int, rng: random.Random) -> Genome:
        """Who has the offspring of a place."""
        return self.draw(self.parents, rng) if self.draw else self.parents[slot % len(self.parents)]

    def partner(self, parent: Genome, rng: random.Random) -> Genome | None:
        """What a parent is mated with, never itself; None where there is no other."""
        others = [genome for genome in self.partners if genome.id != parent.id]
        if not others:
            return None
        return self.draw(others, rng) if self.draw else rng.choice(others)


def selection(config: Operators, order: Sequence[Genome], promoted: int) -> Selection:
    """As a config has it, in a population that is sorted from the fittest to the least fit.

    Who has no fitness is no parent while anyone has one; but with "losers" each loser is, whatever it lost by.
    """
    survivors, losers = order[:promoted], order[promoted:]
    match config.selection:
        case "fittest":
            return Selection(_fit(survivors), _fit(survivors))
        case "tournament":
            return Selection(_fit(order), _fit(order), partial(tournament, rivals=config.rivals))
        case "rank":
            return Selection(_fit(order), _fit(order), by_rank)
        case _:
            return Selection(losers or survivors, survivors)


def by_rank(candidates: Sequence[Genome], rng: random.Random) -> Genome:
    """One of them, the fitter the likelier: the first of n is n times as likely as the last.

    Linear ranking (Baker, *Adaptive selection methods for genetic algorithms*, 1985).
    """
    return rng.choices(candidates, weights=range(len(candidates), 0, -1))[0]


def _fit(genomes: Sequence[Genome]) -> Sequence[Genome]:
    return [genome for genome in genomes if genome.fitness.values[0] > -math.inf] or genomes


def step(history: History, first: float) -> float:
    """The step of mutation in the next generation, as a share of a gene's range, from that of the first one.

    The one-fifth success rule: on simple landscapes an evolution gains most where a fifth of the offspring are fitter
    than their parents (Rechenberg, *Evolutionsstrategie*, 1973). More say that it could take longer steps, fewer that
    it overshoots.
    """
    narrowest, found = min(NARROWEST, first), first
    for share in successes(history):
        found = min(max(found * (FACTOR if share > SUCCESS else 1 / FACTOR), narrowest), WIDEST)
    return found


def successes(history: History) -> list[float]:
    """The share of offspring that are fitter than their first parent, for each generation that has any."""
    won: dict[int, list[bool]] = {}
    for child in history.individuals.values():
        if child.birth.origin in ("mutation", "crossover"):
            parent = history.individuals[child.birth.parents[0]]
            share = min(child.share, parent.share)  # where one was left on a rung, both as they were there
            won.setdefault(child.generation, []).append(_fitness(child, share) > _fitness(parent, share))
    return [sum(won[generation]) / len(won[generation]) for generation in sorted(won)]


def _fitness(individual: Individual, share: float) -> float:
    if share < 1:
        return individual.early[share].fitness if share in individual.early else -math.inf
    return individual.fitness


class Crowd:
    """The individuals of a generation so far, to be so far `apart`: a share of the unit cube's diagonal; 0 for any."""

    def __init__(self, space: Space, apart: float, members: Iterable[Genes] = ()) -> None:
        self._space, self._apart = space, apart
        self._choices = np.array([isinstance(gene, Choice) for gene in space.values()])
        self._points = np.array([space.units(genes) for genes in members], float).reshape(-1, len(space))

    def near(self, genes: Genes) -> bool:
        """Whether an individual would be nearer than that to one of them."""
        if not self._apart or not len(self._points):
            return False
        return bool(distances(self._points, np.array(self._space.units(genes)), self._choices).min() < self._apart)

    def add(self, genes: Genes) -> None:
        self._points = np.vstack([self._points, self._space.units(genes)])


def distances(points: Array, point: Array, choices: NDArray[np.bool_]) -> Array:
    """(n,) from points (n, d) to a point (d,), as shares of the diagonal; NaN is a gene that is not there.

    Over the genes that either has: two choices are 0 or 1 apart, and so is a gene from one that is not there, as in
    Gower, *A General Coefficient of Similarity and Some of Its Properties*, 1971.
    """
    gaps = np.where(np.isnan(points) & np.isnan(point), 0.0, np.nan_to_num(np.abs(points - point), nan=1.0))
    gaps[:, choices] = gaps[:, choices] > 0
    either = (~np.isnan(points) | ~np.isnan(point)).sum(1)
    return np.asarray(np.sqrt((gaps**2).sum(1) / np.maximum(either, 1)))
