"""Genes as points of the unit cube, on which genomes are bred, and as columns, by which the model tells them apart.

A point has a coordinate a gene, NaN for one that is not there. A column is such a coordinate, except for choices, which
have no order: of two values one column, 0 or 1, of more a column each. To the model, a number that is not there lies
in the middle, or where its prior has it; of a choice that is not there no column is set, of two values half of one.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gaopt.space.conditions import Expression
from gaopt.space.gene import Choice
from gaopt.space.space import Genes, Space

Array = NDArray[np.float64]

FEW = 50  # a whole number of more values than this climbs like any other gene, and is rounded at the summit


class Encoding:
    """The points and columns of a space; `climbs` (c,) says which columns an ascent on the model may move."""

    def __init__(self, space: Space) -> None:
        self.space = space
        genes = list(space.values())
        self._places = {name: n for n, name in enumerate(space)}
        self._levelled = [(n, gene) for n, gene in enumerate(genes) if gene.levels]
        widths = [{1: 0, 2: 1}.get(gene.levels, gene.levels) if isinstance(gene, Choice) else 1 for gene in genes]
        self._starts = np.cumsum([0, *widths])
        self._choices = [(n, gene) for n, gene in enumerate(genes) if isinstance(gene, Choice)]
        numbers = [n for n, gene in enumerate(genes) if not isinstance(gene, Choice)]
        self._numbers, self._columns = np.array(numbers, int), self._starts[:-1][numbers]
        beliefs = [gene.belief or (0.5, np.inf) for gene in genes if not isinstance(gene, Choice)]
        self._means, self._deviations = np.array(beliefs).reshape(-1, 2).T
        self.climbs = np.zeros(max(1, int(self._starts[-1])), bool)
        self.climbs[self._columns] = [not 0 < genes[n].levels <= FEW for n in numbers]

    def __len__(self) -> int:
        """Coordinates of a point."""
        return len(self.space)

    def points(self, individuals: Iterable[Genes]) -> Array:
        """(n, d): where individuals lie."""
        units = np.array([self.space.units(genes) for genes in individuals], float).reshape(-1, len(self))
        return np.clip(units, 0.0, 1.0)  # the last of the figures that a gene has may lie outside

    def genes(self, point: Array) -> Genes:
        """The individual at a point (d,)."""
        return self.space.at([float(unit) for unit in point])

    def strangers(self, number: int, rng: np.random.Generator) -> Array:
        """(number, d): individuals drawn evenly, as they would be trained."""
        found = np.empty((0, len(self)))
        while len(found) < number:  # a space that allows hardly anything was refused
            drawn = self.snapped(rng.random((number, len(self))))
            found = np.vstack([found, drawn[self.allowed(drawn)]])
        return found[:number]

    def snapped(self, points: Array) -> Array:
        """(n, d) as they would be trained: values that can be counted at their places, NaN for what is not there."""
        exact = points.copy()
        for column, gene in self._levelled:
            there = ~np.isnan(exact[:, column])
            exact[there, column] = [gene.unit(gene.at(unit)) for unit in exact[there, column]]  # type: ignore[arg-type]
        for name, condition in self.space.conditions.items():  # each speaks of genes before it, which are settled
            exact[~self._holds(condition, exact, otherwise=False), self._places[name]] = np.nan
        return exact

    def allowed(self, points: Array) -> NDArray[np.bool_]:
        """(n,): whether the constraints hold."""
        held = np.ones(len(points), bool)
        for constraint in self.space.constraints:
            held &= self._holds(constraint, points, otherwise=True)
        return held

    def _holds(self, condition: Expression, points: Array, otherwise: bool) -> NDArray[np.bool_]:
        """(n,): whether a condition holds, `otherwise` where a gene that it speaks of is not there."""
        genes = [(name, self.space[name]) for name in condition.names]
        units = points[:, np.array([self._places[name] for name in condition.names], int)]
        there = ~np.isnan(units).any(1)
        held = np.full(len(points), otherwise)
        held[there] = [
            condition.holds({name: gene.at(unit) for (name, gene), unit in zip(genes, row, strict=True)})
            for row in units[there].tolist()
        ]
        return held

    def columns(self, points: Array) -> Array:
        """(n, c): points (n, d) as the model sees them. A space of one individual has an empty column."""
        found = np.zeros((len(points), len(self.climbs)))
        units = points[:, self._numbers]
        found[:, self._columns] = np.where(np.isnan(units), self._means, units)
        for n, gene in self._choices:
            start, count = int(self._starts[n]), gene.levels
            level = np.floor(points[:, n] * count).clip(0, count - 1)
            if count == 2:
                found[:, start] = np.nan_to_num(level, nan=0.5)
            elif count > 2:
                found[:, start : start + count] = level[:, None] == np.arange(count)
        return found

    def beliefs(self) -> tuple[Array, Array, Array]:
        """By column (c,) what the priors say: means and standard deviations of numbers, logarithmic odds of choices."""
        means, deviations, odds = np.zeros((3, len(self.climbs)))
        deviations += np.inf
        means[self._columns], deviations[self._columns] = self._means, self._deviations
        for n, gene in self._choices:
            start, count = int(self._starts[n]), gene.levels
            if gene.prior is not None and count > 1:
                level = gene.choices.index(gene.prior)
                column, sign = (start, 2 * level - 1) if count == 2 else (start + level, 1)
                odds[column] = sign * np.log(gene.spread)
        return means, deviations, odds

    def moved(self, point: Array, columns: Array) -> Array:
        """(d,): a point once its columns (c,) have climbed, as it would be trained."""
        there = np.nan_to_num(point, nan=0.5)
        there[self._numbers] = columns[self._columns]
        return np.asarray(self.snapped(there[None])[0])
