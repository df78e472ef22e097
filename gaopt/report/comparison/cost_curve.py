"""The best score so far against what was spent until then."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from gaopt.compare.model import Cost, SearchRun
from gaopt.journal.history import Individual


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

    def spent(self, cost: Cost) -> float:
        return float(self.epochs if cost == "epochs" else self.seconds)


@dataclass(frozen=True)
class Band:
    """Over the seeds of a method: the mean of the best so far, and the lowest and the highest, at each amount spent."""

    spent: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def steps(search: SearchRun) -> list[Step]:
    """In the order in which the trainings ended."""
    found: list[Step] = []
    epochs, seconds, best = 0, 0.0, -math.inf
    for _, _, individual, took, lasted, fitness in sorted(_trainings(search), key=lambda each: each[:2]):
        epochs, seconds = epochs + took, seconds + lasted
        best = max(best, -math.inf if fitness is None else fitness)
        found.append(Step(individual, epochs, seconds, fitness, best))
    return found


def _trainings(search: SearchRun) -> Iterator[tuple[int, int, Individual, int, float, float | None]]:
    """(its place among those that ended, id, individual, epochs, seconds, fitness) of every training that has ended."""
    places = {(outcome.individual, share): place for place, (share, outcome) in enumerate(search.history.ends)}
    for individual in search.history.individuals.values():
        for share, score in individual.early.items():
            yield places[individual.id, share], individual.id, individual, score.epochs, score.seconds, None
        if individual.outcome:
            before = sum(score.epochs for score in individual.early.values())
            whole = individual.status == "scored" and individual.birth.origin != "repeat"
            fitness = individual.fitness if whole else None
            place, lasted = places[individual.id, individual.share], individual.outcome.seconds
            yield place, individual.id, individual, individual.epochs - before, lasted, fitness


def band(searches: Sequence[SearchRun], cost: Cost) -> Band | None:
    """From where every search of a method has a score; one that has ended keeps its last. None without scores."""
    paths = [[step for step in steps(search) if step.best > -math.inf] for search in searches]
    paths = [path for path in paths if path]
    if not paths:
        return None
    begin = max(path[0].spent(cost) for path in paths)
    grid = sorted({step.spent(cost) for path in paths for step in path if step.spent(cost) >= begin})
    rows = [[_at(path, spent, cost) for path in paths] for spent in grid]
    return Band(tuple(grid), tuple(map(fmean, rows)), tuple(map(min, rows)), tuple(map(max, rows)))


def _at(path: Sequence[Step], spent: float, cost: Cost) -> float:
    return path[bisect_right(path, spent, key=lambda step: step.spent(cost)) - 1].best
