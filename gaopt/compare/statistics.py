"""What the scores of several methods say of each other: intervals, paired tests, how many seeds a difference takes.

Scores are a mapping from method to seed to score, higher is better. The family of tests is one method, the reference,
against each of the others: a paired t-test over seeds, corrected by Holm (1979), so that where nothing differs anything
is claimed in at most 5 % of the comparisons. How often that is wrong, and what else was tried: docs/compare.md.

Scores may move in steps, one test image more or less, so that a few seeds agree by chance. A score known to a step h
has the variance of rounding besides, h²/12, and a difference has it twice. SciPy's paired test does not know this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from math import sqrt
from statistics import fmean, stdev

import numpy as np

ALPHA = 0.05  # how often something may be claimed of a comparison in which nothing differs
FEWEST = 3  # pairs of a claim
DUST = 1e-12  # the share of a score that is rounding in floating point
POWER = 0.8  # the share of comparisons that are to show a difference that is there
MOST = 1000  # seeds that are worth counting to
Scores = Mapping[str, Mapping[int, float]]  # by method and seed; a seed that a method lacks is missing


@dataclass(frozen=True)
class Interval:
    """A mean and where it may lie; no bounds where one value is all there is."""

    mean: float
    low: float | None = None
    high: float | None = None


def interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean of values and its interval; the same for the same values in any order.

    A bootstrap with percentiles expanded for few values (Hesterberg 2015, What Teachers Should Know about the
    Bootstrap). No resample reaches beyond the n values, which all lie on one side of the middle with a probability of
    2^(1-n): where that is more than is to be left out, below six values at 95 %, the interval is Student's t.
    """
    mean, n = fmean(values), len(values)
    if n == 1:
        return Interval(mean)
    if min(values) == max(values):
        return Interval(mean, mean, mean)
    from scipy.special import ndtr, stdtrit  # a second for all of scipy.stats, which a bootstrap takes

    quantile = float(stdtrit(n - 1, (1 + level) / 2))
    if 2.0 ** (1 - n) > 1 - level:
        half = quantile * stdev(values) / sqrt(n)
        return Interval(mean, mean - half, mean + half)
    from scipy.stats import bootstrap

    expanded = 1 - 2 * ndtr(-quantile * sqrt(n / (n - 1)))
    found = bootstrap((np.sort(values),), np.mean, confidence_level=expanded, method="percentile", rng=0)
    return Interval(mean, *map(float, found.confidence_interval))


def optimism(chosen: Scores, judged: Scores) -> dict[str, Interval]:
    """By method how far the scores that winners were chosen by lie above those that judged them, on seeds with both."""
    shared = {method: sorted(chosen[method].keys() & judged[method].keys()) for method in chosen if method in judged}
    return {
        method: interval([chosen[method][seed] - judged[method][seed] for seed in seeds])
        for method, seeds in shared.items()
        if seeds
    }


@dataclass(frozen=True)
class Contrast:
    """The reference against one other method, seed by seed."""

    reference: str
    other: str
    seeds: tuple[int, ...]  # that both have
    differences: tuple[float, ...]  # reference − other, on each of these seeds
    deviation: float | None  # of the differences, with the rounding of scores that move in steps; None below two seeds
    p: float | None  # of the paired t-test, two-sided; None with fewer than three seeds
    adjusted: float | None = None  # p by Holm's correction for all contrasts of the family
    claimed: bool = False  # whether a difference is

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


def contrasts(scores: Scores, reference: str) -> list[Contrast]:
    """The reference against each other method, in their order; the chance of any false claim is at most `ALPHA`.

    A seed that either lacks is left out. A method that is not tested counts in the correction all the same.
    """
    mine = scores.get(reference, {})
    found = [_contrast(reference, mine, name, theirs) for name, theirs in scores.items() if name != reference]
    adjusted = holm({each.other: each.p for each in found if each.p is not None}, len(found))
    return [
        replace(each, adjusted=adjusted.get(each.other), claimed=adjusted.get(each.other, 1.0) <= ALPHA)
        for each in found
    ]


def _contrast(reference: str, mine: Mapping[int, float], other: str, theirs: Mapping[int, float]) -> Contrast:
    from scipy.special import stdtr

    seeds = tuple(sorted(mine.keys() & theirs.keys()))
    n, pairs = len(seeds), np.array([[mine[seed], theirs[seed]] for seed in seeds]).reshape(-1, 2)
    dust = DUST * np.abs(pairs).max(initial=0.0)
    differences, gaps = pairs[:, 0] - pairs[:, 1], np.diff(np.sort(pairs, axis=None))
    differences[np.abs(differences) <= dust] = 0.0
    gaps = gaps[gaps > dust]
    step = gaps.min() if gaps.size else 0.0
    deviation = sqrt(np.var(differences, ddof=1) + step**2 / 6) if n > 1 else None
    p = None
    if deviation is not None and n >= FEWEST:  # without a deviation all scores are the same
        p = float(2 * stdtr(n - 1, -abs(differences.mean()) / deviation * sqrt(n))) if deviation else 1.0
    return Contrast(reference, other, seeds, tuple(differences.tolist()), deviation, p)


def holm(ps: Mapping[str, float], family: int) -> dict[str, float]:
    """The p of a family by Holm's step-down correction; what is missing of the family counts as 1."""
    names = sorted(ps, key=lambda name: ps[name])
    steps = (min(1.0, (family - rank) * ps[name]) for rank, name in enumerate(names))
    return dict(zip(names, accumulate(steps, max), strict=True))


def seeds_needed(deviation: float, difference: float, comparisons: int = 1) -> int | None:
    """How many seeds show a difference in a share `POWER` of the comparisons; None for more than `MOST`.

    By the noncentral t of the paired test at the first, strictest step of Holm's correction: it is enough also where
    none of the other methods differs. A claim of the wrong sign is none. The deviation is that of the paired
    differences, and `comparisons` are in the family.
    """
    from scipy.special import nctdtr, stdtrit

    ratio = min(difference / deviation, 1e6) if deviation else 1e6  # beyond, nctdtr has no number
    seeds = np.arange(FEWEST, MOST + 1)
    critical = stdtrit(seeds - 1, 1 - ALPHA / comparisons / 2)
    enough = seeds[1 - nctdtr(seeds - 1, ratio * np.sqrt(seeds), critical) >= POWER]
    return int(enough[0]) if enough.size else None
