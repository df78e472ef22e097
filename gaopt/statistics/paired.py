"""The reference against each other method: a paired test over seeds, corrected for the number of methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import gamma, sqrt
from statistics import fmean, stdev

import numpy as np

from gaopt.statistics.intervals import Interval, Scores, interval

FEWEST = 3
"""Pairs of a claim."""

DUST = 1e-12
"""The share of a number that is rounding in floating point."""


@dataclass(frozen=True)
class Contrast:
    """The reference against one other method, seed by seed.

    Attributes:
        seeds: that both have.
        differences: reference − other, on each of these seeds.
        deviation: of the differences, as the test takes it: with the rounding of scores that move in steps. None with
            fewer than two seeds.
        p: of the paired t-test, two-sided; None with fewer than three seeds.
        adjusted: p by Holm's correction for all contrasts of the family.
        claimed: whether a difference is.
    """

    reference: str
    other: str
    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    deviation: float | None
    p: float | None
    adjusted: float | None
    claimed: bool

    @property
    def pairs(self) -> int:
        return len(self.seeds)

    @property
    def difference(self) -> float | None:
        """The mean of the differences; None without a seed in common."""
        return fmean(self.differences) if self.differences else None

    @cached_property
    def interval(self) -> Interval | None:
        """Of the difference, at 95 %, not corrected for the other contrasts."""
        return interval(self.differences) if self.differences else None

    @property
    def effect(self) -> float | None:
        """The mean of the differences in units of their deviation (d_z), with Hedges' (1981) correction for few pairs.

        None with fewer than three seeds or where all differences are equal.
        """
        if self.pairs < FEWEST or stdev(self.differences) <= 1e-6 * (self.deviation or 0.0):
            return None
        return _hedges(self.pairs - 1) * fmean(self.differences) / stdev(self.differences)


def _hedges(freedom: int) -> float:
    """J of Hedges 1981; for hundreds of pairs, where gamma overflows, by his approximation."""
    if freedom > 300:
        return 1 - 3 / (4 * freedom - 1)
    return gamma(freedom / 2) / (sqrt(freedom / 2) * gamma((freedom - 1) / 2))


def contrasts(scores: Scores, reference: str, alpha: float = 0.05) -> list[Contrast]:
    """The reference against each other method, in their order; the chance of any false claim is at most alpha.

    A seed that either lacks is left out. A method with fewer than three seeds in common is not tested, and counts in
    the correction all the same.
    """
    mine = scores.get(reference, {})
    others = {name: theirs for name, theirs in scores.items() if name != reference}
    shared = {name: tuple(sorted(mine.keys() & theirs.keys())) for name, theirs in others.items()}
    pairs = {name: np.array([[mine[s], others[name][s]] for s in shared[name]]).reshape(-1, 2) for name in others}
    differences = {name: _differences(each) for name, each in pairs.items()}
    deviations = {name: _deviation(pairs[name]) for name in others if len(pairs[name]) > 1}
    ps = {name: _p(differences[name], deviations[name]) for name in others if len(pairs[name]) >= FEWEST}
    adjusted = holm(ps, len(others))
    return [
        Contrast(
            reference=reference,
            other=name,
            seeds=shared[name],
            differences=tuple(differences[name].tolist()),
            deviation=deviations.get(name),
            p=ps.get(name),
            adjusted=adjusted.get(name),
            claimed=adjusted.get(name, 1.0) <= alpha,
        )
        for name in others
    ]


def _differences(pairs: np.ndarray) -> np.ndarray:
    found = pairs[:, 0] - pairs[:, 1]
    return np.where(np.abs(found) > _dust(pairs), found, 0.0)


def _deviation(pairs: np.ndarray) -> float:
    """Of the differences between the columns, and of the rounding of both."""
    return sqrt(np.var(_differences(pairs), ddof=1) + _step(pairs) ** 2 / 6)


def _step(scores: np.ndarray) -> float:
    """The smallest distance between two scores that are not equal; 0 where all are."""
    gaps = np.diff(np.sort(scores, axis=None))
    apart = gaps[gaps > _dust(scores)]
    return float(apart.min()) if apart.size else 0.0


def _dust(scores: np.ndarray) -> float:
    """What scores that are equal may differ by in floating point."""
    return DUST * float(np.max(np.abs(scores), initial=0.0))


def _p(differences: np.ndarray, deviation: float) -> float:
    from scipy.special import stdtr

    if deviation == 0:  # all scores are the same
        return 1.0
    n = len(differences)
    return float(2 * stdtr(n - 1, -abs(float(np.mean(differences))) / deviation * sqrt(n)))


def holm(ps: Mapping[str, float], family: int) -> dict[str, float]:
    """The p of a family by Holm's step-down correction; what is missing of the family counts as 1."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(sorted(ps, key=lambda name: ps[name])):
        highest = max(highest, min(1.0, (family - rank) * ps[name]))
        adjusted[name] = highest
    return adjusted
