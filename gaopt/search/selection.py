"""Who has offspring."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from gaopt.config import Operators
from gaopt.search.operators import Genome, tournament

Draw = Callable[[Sequence[Genome], random.Random], Genome]


class Selection(Protocol):
    def parent(self, slot: int, rng: random.Random) -> Genome:
        """Who has the offspring of a place."""
        ...

    def partner(self, parent: Genome, rng: random.Random) -> Genome | None:
        """What a parent is mated with, never itself; None where there is no other."""
        ...


@dataclass(frozen=True)
class InTurn:
    """One parent after another, each mated with any of the partners."""

    parents: Sequence[Genome]
    partners: Sequence[Genome]

    def parent(self, slot: int, rng: random.Random) -> Genome:
        return self.parents[slot % len(self.parents)]

    def partner(self, parent: Genome, rng: random.Random) -> Genome | None:
        others = _but(self.partners, parent)
        return others[rng.randrange(len(others))] if others else None


@dataclass(frozen=True)
class Drawn:
    """Both parents are drawn.

    Attributes:
        candidates: from the fittest to the least fit.
    """

    candidates: Sequence[Genome]
    draw: Draw

    def parent(self, slot: int, rng: random.Random) -> Genome:
        return self.draw(self.candidates, rng)

    def partner(self, parent: Genome, rng: random.Random) -> Genome | None:
        others = _but(self.candidates, parent)
        return self.draw(others, rng) if others else None


def selection(config: Operators, order: Sequence[Genome], promoted: int) -> Selection:
    """As a config has it, in a population that is sorted from the fittest to the least fit.

    Who has no fitness, for it failed or was left on a rung, is no parent while anyone has one; but with "losers" each
    loser is, whatever it lost by.
    """
    survivors, losers = order[:promoted], order[promoted:]
    match config.selection:
        case "fittest":
            return InTurn(_fit(survivors), _fit(survivors))
        case "tournament":
            return Drawn(_fit(order), partial(tournament, rivals=config.rivals))
        case "rank":
            return Drawn(_fit(order), by_rank)
        case _:
            return InTurn(losers, survivors)


def by_rank(candidates: Sequence[Genome], rng: random.Random) -> Genome:
    """One of them, the fitter the likelier: the first of n is n times as likely as the last.

    Linear ranking (Baker, *Adaptive selection methods for genetic algorithms*, 1985): orders of magnitude between
    fitnesses do not matter.
    """
    return rng.choices(candidates, weights=range(len(candidates), 0, -1))[0]


def _fit(genomes: Sequence[Genome]) -> Sequence[Genome]:
    """Those that have a fitness, if there are any, else all."""
    return [genome for genome in genomes if genome.fitness.values[0] > -math.inf] or genomes


def _but(genomes: Sequence[Genome], one: Genome) -> list[Genome]:
    return [genome for genome in genomes if genome.id != one.id]
