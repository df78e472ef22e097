"""The best score so far against what was spent until then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaopt.compare.model import Cost, SearchRun
from gaopt.journal.history import Individual

Band = tuple[np.ndarray, np.ndarray]
"""(amounts,) spent, and (searches, amounts) the best scores of all searches of a method by then."""


@dataclass(frozen=True)
class Step:
    """The state of a search after one training.

    Attributes:
        individual: that was trained.
        epochs, seconds: trained in all until then, short trainings and failures included.
        fitness: of this training; None if it failed, was a short one on a rung, or that of a finalist trained again.
        best: the best fitness so far, −∞ before the first.
    """

    individual: Individual
    epochs: int
    seconds: float
    fitness: float | None
    best: float


def steps(search: SearchRun) -> list[Step]:
    """In the order in which the trainings ended."""
    found: list[Step] = []
    epochs, seconds, best = 0, 0.0, -math.inf
    for _, outcome in search.history.ends:
        individual = search.history.individuals[outcome.individual]
        last = outcome is individual.outcome
        epochs += outcome.epochs or (individual.epoch if last else 0)
        seconds += outcome.seconds
        whole = last and individual.status == "scored" and individual.birth.origin != "repeat"
        best = max(best, individual.fitness if whole else -math.inf)
        found.append(Step(individual, epochs, seconds, individual.fitness if whole else None, best))
    return found


def band(searches: Sequence[SearchRun], cost: Cost) -> Band | None:
    """From where every search of a method has a score; one that has ended keeps its last. None without scores."""
    each = [[step for step in steps(search) if step.best > -math.inf] for search in searches]
    paths = [(np.array([getattr(s, cost) for s in path], float), np.array([s.best for s in path])) for path in each]
    paths = [path for path in paths if path[0].size]
    if not paths:
        return None
    grid = np.unique(np.concatenate([spent for spent, _ in paths]))
    grid = grid[grid >= max(spent[0] for spent, _ in paths)]
    return grid, np.array([best[np.searchsorted(spent, grid, side="right") - 1] for spent, best in paths])
