"""How far apart individuals are, so that a generation does not crowd in one place."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gaopt.space.gene import Choice
from gaopt.space.space import Genes, Space

Array = NDArray[np.float64]


class Crowd:
    """The individuals of a generation so far.

    Args:
        apart: how far they should be from each other, as a share of the diagonal of the unit cube; 0 for any.
    """

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
        if self._apart:
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
