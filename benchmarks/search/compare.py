"""Searches set side by side: on the same problems, with the same seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.search.runs import Run

RESAMPLED = 10_000

Key = tuple[str, int]
Regrets = dict[Key, float]
"""The regret after the last evaluation, by problem and seed."""


def regrets(runs: Mapping[str, Iterable[Run]]) -> dict[str, Regrets]:
    """Of each search, from runs of one number together and one noise."""
    return {name: {(run.case.problem, run.case.seed): run.regret for run in each} for name, each in runs.items()}


@dataclass(frozen=True)
class Paired:
    """One search against another.

    Attributes:
        pairs: of the same problem and seed.
        difference: of the mean regrets; below zero the first is better.
        low: of its 95 % interval.
        high: of its 95 % interval.
        wins: the share of pairs in which the first has the smaller regret; a tie counts half.
    """

    pairs: int
    difference: float
    low: float
    high: float
    wins: float


def paired(first: Regrets, second: Regrets) -> Paired | None:
    """None where they have no pair. The interval is a bootstrap over problems, each the mean of its seeds.

    A problem drawn twice counts twice: the interval says what other problems might have given, not what other seeds
    might have. Of one problem it is over the seeds.
    """
    keys = [key for key in first if key in second]
    if not keys:
        return None
    differences = np.array([first[key] - second[key] for key in keys])
    wins = float(np.mean(differences < 0) + np.mean(differences == 0) / 2)
    of_problems = list(by_problem(dict(zip(keys, differences, strict=True))).values())
    units = np.array([np.mean(each) for each in of_problems]) if len(of_problems) > 1 else differences
    means = np.random.default_rng(0).choice(units, (RESAMPLED, len(units))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Paired(len(keys), float(np.mean(units)), float(low), float(high), wins)


def worse(first: Regrets, second: Regrets) -> list[str]:
    """The problems on which the mean regret of the first is higher by more than the standard error of the pairs."""
    both = {key: regret - second[key] for key, regret in first.items() if key in second}
    return [
        problem
        for problem, differences in by_problem(both).items()
        if len(differences) > 1 and np.mean(differences) > standard_error(differences)
    ]


def ranks(found: Mapping[str, Regrets]) -> dict[str, float]:
    """The mean rank of each search, 1 the best, over what all of them ran; equals share theirs. nan for no such."""
    keys = set.intersection(*(set(regrets) for regrets in found.values()))
    rows = np.array([[regrets[key] for key in sorted(keys)] for regrets in found.values()])
    below = (rows[None] < rows[:, None]).sum(axis=1) + ((rows[None] == rows[:, None]).sum(axis=1) - 1) / 2
    means = 1 + below.mean(axis=1) if keys else np.full(len(rows), np.nan)
    return dict(zip(found, map(float, means), strict=True))


def by_problem(values: Mapping[Key, float]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for (problem, _), value in values.items():
        found[problem].append(float(value))
    return dict(found)


def standard_error(values: Sequence[float]) -> float:
    """Of their mean; nan of a single one."""
    return float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")
