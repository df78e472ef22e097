"""What tables, figures and the page all read off a history."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from gaopt.config import from_tables
from gaopt.history import History, Individual
from gaopt.space import AnyGene

METRICS = ("train_loss", "valid_loss", "train_top1", "top1", "top3", "top5")
COSTS = ("seconds", "images_per_second")


def space(history: History) -> Mapping[str, AnyGene]:
    """The genes by name, in the order of the space; none before the study was first opened."""
    return from_tables(history.config).space if history.config else {}


def ranked(history: History) -> list[Individual]:
    """All individuals: the scored, the fittest first, then the unfinished, those left on a rung, and the failed."""
    order = {"scored": 0, "running": 1, "waiting": 1, "early": 2, "failed": 3}
    return sorted(history.individuals.values(), key=lambda i: (order[i.status], -i.share, -_score(i), i.id))


def _score(individual: Individual) -> float:
    """The fitness; of one left on a rung, what it had there."""
    return individual.early[individual.share].fitness if individual.status == "early" else individual.fitness


def curve(individual: Individual, metric: str) -> tuple[list[int], list[float]]:
    """(epochs counted from 1, values) of one metric, where it was reported."""
    found = [(epoch, individual.reports[epoch].metrics.get(metric)) for epoch in sorted(individual.reports)]
    kept = [(epoch, value) for epoch, value in found if value is not None and math.isfinite(value)]
    return [epoch for epoch, _ in kept], [value for _, value in kept]


def cycle(individual: Individual) -> list[tuple[float, float, float]]:
    """All points (position in the training from 0 to 1, lr, momentum) of an individual, in order."""
    return [point for epoch in sorted(individual.reports) for point in individual.reports[epoch].cycle]


def final(individual: Individual) -> dict[str, float]:
    """The metrics that go with a score: those of the last epoch and of the score itself. Empty without a score."""
    if individual.status != "scored" or individual.outcome is None:
        return {}
    last = individual.reports[individual.epoch].metrics if individual.reports else {}
    return {**last, **getattr(individual.outcome, "metrics", {})}


def in_order(metrics: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Names of metrics without repeats: the usual ones first and in their order, others by name."""
    found, first = set(metrics) - set(taken), (*METRICS, *COSTS)
    return [name for name in first if name in found] + sorted(found - set(first))
