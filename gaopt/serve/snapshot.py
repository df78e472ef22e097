"""A study as columns: all that a page needs, but for learning curves, of which it asks for a few."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from gaopt.config import from_tables
from gaopt.journal.events import Failed
from gaopt.journal.history import History, Individual
from gaopt.report.views import cycle, final, in_order, score
from gaopt.space.gene import AnyGene, Choice

VERSION = 1


def snapshot(history: History, number: int, summary: dict[str, Any]) -> dict[str, Any]:
    """The columns of a study, with the number of the last event in them."""
    space = from_tables(history.config).space if history.config else {}
    everyone, idle = list(history.individuals.values()), summary["state"] != "running"
    return {
        "version": VERSION,
        "number": number,
        "study": summary,
        "space": {name: described(gene) for name, gene in space.items()},
        "metrics": in_order({name for one in everyone for report in _last(one) for name in report.metrics}),
        "workers": at_once(everyone),
        "individuals": {
            "id": [one.id for one in everyone],
            "generation": [one.generation for one in everyone],
            # Where no driver is, what was being trained waits for the next one.
            "status": ["waiting" if idle and one.status == "running" else one.status for one in everyone],
            "origin": [one.birth.origin for one in everyone],
            "parents": [one.birth.parents for one in everyone],
            "share": [one.share for one in everyone],
            "fitness": [_number(score(one)) for one in everyone],
            "epoch": [one.epoch for one in everyone],
            "seconds": [round(one.seconds, 3) for one in everyone],
            "started": [one.started for one in everyone],
            "ended": [ended(one) for one in everyone],
            "expected": [one.birth.expected and one.birth.expected[0] for one in everyone],
            "deviation": [one.birth.expected and one.birth.expected[1] for one in everyone],
            "reason": [one.failure.reason if one.failure else None for one in everyone],
            "genes": {name: [one.genes.get(name) for one in everyone] for name in space},
        },
        "generations": history.populations,
        "repeats": [one.id for one in history.repeats],
    }


def about(history: History) -> dict[str, Any]:
    """What a study is: its config and images, and of how many trainings its best is the mean."""
    data, best = history.data, history.best
    return {
        "config": history.config,
        "data": data and {"name": data.name, "classes": data.classes, "counts": data.counts, "warnings": data.warnings},
        "trials": len(history.repeated.get(best.id, [best])) if best else 0,
    }


def _last(individual: Individual) -> Iterable[Any]:
    return [individual.reports[individual.epoch]] if individual.reports else []


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def described(gene: AnyGene) -> dict[str, Any]:
    """A gene as plain data."""
    if isinstance(gene, Choice):
        return {"kind": "choice", "values": list(gene.choices)}
    return {"kind": "int" if gene.integer else "float", "low": gene.low, "high": gene.high, "scale": gene.scale}


def ended(individual: Individual) -> float:
    """When its last training ended; 0 where it has not."""
    last = individual.outcome or individual.early.get(individual.share)
    return last.at if last and individual.status in ("scored", "failed", "early") else 0.0


def at_once(everyone: Iterable[Individual]) -> int:
    """How many were trained at once, at most, so far."""
    moments = sorted(
        moment
        for one in everyone
        if one.started
        for moment in ((one.started, 1), *([(ended(one), -1)] if ended(one) else []))
    )
    running = most = 0
    for _, change in moments:
        running += change
        most = max(most, running)
    return most


def curves(history: History, individuals: Iterable[int]) -> dict[str, Any]:
    """The learning curves of some individuals, by id."""
    return {str(id): _curve(history.individuals[id]) for id in individuals if id in history.individuals}


def _curve(individual: Individual) -> dict[str, Any]:
    names = in_order({name for report in individual.reports.values() for name in report.metrics})
    epochs = sorted(individual.reports)
    metrics = {name: [individual.reports[epoch].metrics.get(name) for epoch in epochs] for name in names}
    return {"epoch": epochs, "metrics": metrics}


def individual(history: History, one: Individual) -> dict[str, Any]:
    """All that is known of an individual."""
    return {
        "id": one.id,
        "generation": one.generation,
        "status": one.status,
        "origin": one.birth.origin,
        "parents": one.birth.parents,
        "genes": one.genes,
        "share": one.share,
        "fitness": _number(score(one)),
        "metrics": final(one),
        "seconds": one.seconds,
        "curve": _curve(one),
        "cycle": cycle(one),
        "notes": [{"message": note.message, "at": note.at} for note in one.notes],
        "retried": [{"reason": each.reason, "message": each.message, "at": each.at} for each in one.retried],
        "failure": failure(_Scored(history), one, one.failure) if one.failure else None,
    }


def failures(history: History) -> list[dict[str, Any]]:
    """Those that failed, the newest first."""
    found = sorted(history.failed, key=ended, reverse=True)
    others = _Scored(history) if found else None
    return [
        {"individual": one.id, "genes": one.genes, "at": one.failure.at, **failure(others, one, one.failure)}
        for one in found
        if one.failure and others
    ]


class _Scored:
    """Individuals that did not fail, as a matrix: 2,000 failures among 10,000 individuals look for theirs."""

    def __init__(self, history: History) -> None:
        self._space = from_tables(history.config).space
        self._all = [one for one in history.searched if one.status == "scored"]
        self._units = np.array([self._row(one) for one in self._all])

    def _row(self, one: Individual) -> list[float]:
        return [gene.unit(one.genes[name]) if name in one.genes else math.nan for name, gene in self._space.items()]

    def nearest(self, one: Individual) -> Individual | None:
        if not self._all:
            return None
        return self._all[int(np.nansum((self._units - self._row(one)) ** 2, axis=1).argmin())]


def failure(others: _Scored, one: Individual, failed: Failed) -> dict[str, Any]:
    """Why an individual failed, and in which genes it differs from the nearest one that did not."""
    found, nearest = None, others.nearest(one)
    if nearest:
        names = one.genes.keys() | nearest.genes.keys()
        pairs = {name: [one.genes.get(name), nearest.genes.get(name)] for name in sorted(names)}
        differences = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        found = {"individual": nearest.id, "differences": differences}
    return {"reason": failed.reason, "message": failed.message, "traceback": failed.traceback, "nearest": found}
