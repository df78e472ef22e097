"""What the model is told of a history: every score there is, each from its source."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from gaopt.journal.events import Recalled
from gaopt.journal.history import History, Individual
from gaopt.search.initial_design import translated
from gaopt.search.surrogate.multi_fidelity import Observations
from gaopt.search.surrogate.targets import targets
from gaopt.space.encoding import Array, Encoding
from gaopt.space.space import Genes

MOST = 100
"""Rows of an earlier study: enough to show its shape, and few enough for a model whose time grows with the cube."""

Row = tuple[Genes, float]


def shares(history: History) -> list[float]:
    """Of the rungs on which there is an outcome, the longest first: the first is source 1 of the model."""
    return sorted({share for i in history.individuals.values() for share in _scores(i)} - {1.0}, reverse=True)


def heard(history: History) -> bool:
    """Whether there is anything to learn from."""
    return any(map(_scores, history.individuals.values())) or any(recalled.genes for recalled in history.recalled)


def told(history: History, encoding: Encoding, seed: int) -> Observations:
    """The whole trainings of this study, those of each rung, and what each earlier study found."""
    everyone = list(history.individuals.values())
    whole, *short = (_of_share(everyone, share) for share in (1.0, *shares(history)))
    earlier = [rows for recalled in history.recalled if (rows := list(_of_study(recalled, encoding, seed)))]
    sources = [whole, *short, *earlier]
    points = encoding.points(genes for rows in sources for genes, _ in rows)
    values = [targets(np.array([score for _, score in rows])) for rows in sources]
    numbers = np.repeat(np.arange(len(sources)), [len(rows) for rows in sources])
    return Observations(encoding.columns(points), np.concatenate(values), numbers)


def best(told: Observations) -> Array:
    """(1,): the best whole training; empty where there is none."""
    own = told.values[told.sources == 0]
    return np.array([own.max()]) if len(own) else np.empty(0)


def _scores(individual: Individual) -> dict[float, float]:
    """Its scores by their share of a whole training; a failure is one too, at the share that it failed on."""
    scores = {share: scored.fitness for share, scored in individual.early.items()}
    return scores | ({individual.share: individual.fitness} if individual.done else {})


def _of_share(individuals: Sequence[Individual], share: float) -> list[Row]:
    return [(i.genes, scores[share]) for i in individuals if share in (scores := _scores(i))]


def _of_study(recalled: Recalled, encoding: Encoding, seed: int) -> Iterator[Row]:
    """Its individuals as they would be in this space; of many, every so many-th in the order of their fitness."""
    order = sorted(range(len(recalled.genes)), key=lambda n: -recalled.fitness[n])
    for place in order[:: math.ceil(len(order) / MOST) or 1]:
        if genes := translated(encoding.space, recalled.genes[place], seed, place):
            yield genes, recalled.fitness[place]
