"""Means with what chance leaves open of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

import numpy as np

RESAMPLED = 9999

Scores = Mapping[str, Mapping[int, float]]
"""By method and seed; a seed that a method lacks is missing."""


@dataclass(frozen=True)
class Interval:
    """A mean and where it may lie; no bounds where one value is all there is."""

    mean: float
    low: float | None = None
    high: float | None = None


def interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean of values and its interval; the same for the same values in any order.

    A bootstrap with percentiles expanded for few values (Hesterberg 2015, What Teachers Should Know about the
    Bootstrap): of five normal values BCa's 95 % cover 83 %. All of n values lie on one side of the middle with a
    probability of 2^(1-n), and no resample reaches beyond them; where that is more than is to be left out, below six
    values at 95 %, the interval is Student's t. Equal values give an interval without width.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("an interval needs at least one value")
    mean, spread = fmean(values), max(values) - min(values)
    if len(values) == 1:
        return Interval(mean)
    if spread == 0:
        return Interval(mean, mean, mean)
    low, high = (_student if 2.0 ** (1 - len(values)) > 1 - level else _bootstrapped)(values, level)
    return Interval(mean, low, high)


def _student(values: Sequence[float], level: float) -> tuple[float, float]:
    half = _quantile(len(values), level) * stdev(values) / sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def _bootstrapped(values: Sequence[float], level: float) -> tuple[float, float]:
    from scipy.special import ndtr
    from scipy.stats import bootstrap  # half a second, for the few who need it

    n = len(values)
    expanded = 1 - 2 * ndtr(-_quantile(n, level) * sqrt(n / (n - 1)))
    found = bootstrap(
        (np.sort(values),),
        np.mean,
        n_resamples=RESAMPLED,
        confidence_level=expanded,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def _quantile(n: int, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, (1 + level) / 2))


def optimism(chosen: Scores, judged: Scores) -> dict[str, Interval]:
    """By method how far the scores that winners were chosen by lie above those that judged them, on seeds with both."""
    shared = {method: sorted(chosen[method].keys() & judged[method].keys()) for method in chosen if method in judged}
    return {
        method: interval([chosen[method][seed] - judged[method][seed] for seed in seeds])
        for method, seeds in shared.items()
        if seeds
    }
