"""How many seeds a difference takes to be shown."""

from __future__ import annotations

from math import isfinite, sqrt

from gaopt.statistics.paired import FEWEST

POWER = 0.8
"""The share of comparisons that are to show a difference that is there."""

MOST = 1000
"""Seeds that are worth counting to."""


def seeds_needed(
    deviation: float, difference: float, comparisons: int = 1, power: float = POWER, alpha: float = 0.05
) -> int | None:
    """How many seeds show a difference in a share `power` of the comparisons; None for more than `MOST`.

    By the noncentral t of the paired test at the first, strictest step of Holm's correction: it is enough also where
    none of the other methods differs. The true deviation may be 0.6 to 2.9 times that of five seeds (95 %).

    Args:
        deviation: of the paired differences, in units of the score.
        difference: to be shown, above 0.
        comparisons: in the family.
    """
    if not difference > 0 or not deviation >= 0:
        raise ValueError(f"a difference is above 0 and a deviation at least 0, not {difference} and {deviation}")
    ratio = difference / deviation if deviation else float("inf")
    counts = range(FEWEST, MOST + 1)
    return next((n for n in counts if _power(n, ratio, alpha / comparisons) >= power), None)


def _power(n: int, ratio: float, alpha: float) -> float:
    """Of a two-sided paired t-test; a claim of the wrong sign is none."""
    from scipy.special import nctdtr, stdtrit

    critical, shift = float(stdtrit(n - 1, 1 - alpha / 2)), ratio * sqrt(n)
    return float(1 - nctdtr(n - 1, shift, critical)) if isfinite(shift) else 1.0
