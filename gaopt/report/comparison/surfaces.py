"""How pairs of genes act together: what a random forest (scikit-learn's) expects of them, averaged over the others.

That average is Friedman's partial dependence (*Greedy function approximation*, 2001, section 8.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gaopt.journal.history import Individual
from gaopt.space.gene import AnyGene, Choice

CELLS = 18
"""Places along each axis, of a gene that is a number."""
LEAST = 20
"""Whole trainings below which a forest has nothing to say."""
ABSENT = -0.5
"""In place of a gene that an individual does not have: trees can split it off."""


@dataclass(frozen=True)
class Surface:
    """
    Attributes:
        genes: the one across and the one up.
        across, up: (x,) and (y,) values of the genes; of a choice its number.
        expected: (y, x) scores.
        tried: of every training that has both genes the values across and up.
    """

    genes: tuple[str, str]
    across: tuple[float, ...]
    up: tuple[float, ...]
    expected: tuple[tuple[float, ...], ...]
    tried: tuple[tuple[float, ...], tuple[float, ...]]


def surfaces(trainings: Sequence[Individual], genes: Mapping[str, AnyGene], chosen: Sequence[str]) -> list[Surface]:
    """One for each pair of the chosen genes.

    Args:
        trainings: whole ones, whose genes lie within their ranges.
        genes: all that they may have.
    """
    scores = [individual.fitness for individual in trainings]
    if len(trainings) < LEAST or max(scores) == min(scores):
        return []
    from sklearn.ensemble import RandomForestRegressor

    names = list(genes)
    points = np.array([[_unit(genes[name], i, name) for name in names] for i in trainings])
    forest = RandomForestRegressor(100, min_samples_leaf=3, random_state=0, n_jobs=1).fit(points, scores)
    pairs = [pair for pair in combinations(chosen, 2) if any(set(pair) <= set(i.genes) for i in trainings)]
    return [_surface(forest, points, trainings, genes, pair) for pair in pairs]


def _unit(gene: AnyGene, individual: Individual, name: str) -> float:
    return gene.unit(individual.genes[name]) if name in individual.genes else ABSENT


def _surface(
    forest: object,
    points: np.ndarray,
    trainings: Sequence[Individual],
    genes: Mapping[str, AnyGene],
    pair: tuple[str, str],
) -> Surface:
    from sklearn.inspection import partial_dependence

    places = [list(genes).index(name) for name in pair]
    units = {place: _places(genes[name]) for place, name in zip(places, pair, strict=True)}
    found = partial_dependence(forest, points, places, custom_values=units, kind="average", method="recursion")
    having = [i for i in trainings if set(pair) <= set(i.genes)]
    across, up = (tuple(_value(genes[name], unit) for unit in _places(genes[name])) for name in pair)
    tried = tuple(tuple(_shown(genes[name], i.genes[name]) for i in having) for name in pair)
    return Surface(pair, across, up, tuple(map(tuple, found["average"][0].T.tolist())), (tried[0], tried[1]))


def _places(gene: AnyGene) -> np.ndarray:
    """The middles of equal parts of [0, 1]."""
    cells = len(gene.choices) if isinstance(gene, Choice) else CELLS
    return (np.arange(cells) + 0.5) / cells


def _value(gene: AnyGene, unit: float) -> float:
    """On the gene's own scale, between its steps too; of a choice its number."""
    if isinstance(gene, Choice):
        return float(gene.choices.index(gene.at(unit)))
    return float(
        gene.low * (gene.high / gene.low) ** unit if gene.scale == "log" else gene.low + (gene.high - gene.low) * unit
    )


def _shown(gene: AnyGene, value: float) -> float:
    return float(gene.choices.index(value)) if isinstance(gene, Choice) else float(value)
