"""Breeding many genomes at once, each gene with the individual that it descends from.

The genetic operators on arrays: DEAP's own take one genome at a time, and here a thousand are bred for every individual
that is trained. Genomes are points of the unit cube (`Encoding`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaopt.journal.events import Origin
from gaopt.space.encoding import Array, Encoding

NOBODY = -1


@dataclass(frozen=True)
class Genomes:
    """Genomes and their lineage."""

    points: Array  # (n, d) in the unit cube, NaN for a gene that is not there
    sources: NDArray[np.int64]  # (n, d) the individual from which each gene descends, NOBODY where it was drawn anew

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Genomes:
        return Genomes(self.points[rows], self.sources[rows])

    def __add__(self, other: Genomes) -> Genomes:
        return Genomes(np.vstack([self.points, other.points]), np.vstack([self.sources, other.sources]))

    def lineage(self, row: int) -> tuple[Origin, tuple[int, ...]]:
        """How a genome came about, and from which individuals: from the one that gave most genes to the least."""
        ids, counts = np.unique(self.sources[row][self.sources[row] != NOBODY], return_counts=True)
        parents = tuple(int(id) for _, id in sorted(zip(-counts, ids, strict=True)))
        return ("random", "mutation")[len(parents)] if len(parents) < 2 else "crossover", parents


def strangers(number: int, encoding: Encoding, rng: np.random.Generator) -> Genomes:
    """Genomes drawn evenly."""
    points = encoding.strangers(number, rng)
    return Genomes(points, np.full(points.shape, NOBODY))


def bred(
    parents: Genomes,
    number: int,
    encoding: Encoding,
    rng: np.random.Generator,
    *,
    mating: float = 0.5,
    mutation: float = 0.4,
    step: float = 0.2,
    decades: float = 1.5,
    renewal: float = 0.05,
) -> Genomes:
    """Offspring of parents that are sorted from the fittest to the least fit; those that the constraints allow.

    A gene that neither parent has comes anew, should its condition hold in the offspring.

    Args:
        mating: the share that has two parents.
        mutation: the probability that a gene moves.
        step: the standard deviation of its movement, in units of its range.
        decades: a step is shortened by up to so many orders of magnitude, evenly.
        renewal: the probability that a gene is drawn anew.
    """
    mothers, fathers = _tournaments(len(parents), number, rng), _tournaments(len(parents), number, rng)
    swapped = (rng.random((number, 1)) < mating) & (rng.random((number, len(encoding))) < 0.5)
    points = np.where(swapped, parents.points[fathers], parents.points[mothers])
    sources = np.where(swapped, parents.sources[fathers], parents.sources[mothers])
    lengths = step * 10 ** -rng.uniform(0.0, decades, points.shape)
    points = points + np.where(rng.random(points.shape) < mutation, lengths * rng.standard_normal(points.shape), 0.0)
    renewed = (rng.random(points.shape) < renewal) | np.isnan(points)
    points = np.where(renewed, rng.random(points.shape), np.clip(points, 0.0, 1.0))
    exact = encoding.snapped(points)
    return Genomes(exact, np.where(renewed | np.isnan(exact), NOBODY, sources))[encoding.allowed(exact)]


def _tournaments(size: int, number: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(number,) winners of tournaments of two among so many, the first the fittest."""
    return rng.integers(size, size=(number, 2)).min(1)
