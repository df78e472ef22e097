"""A history as tables: the only door to pandas.

Rows are in the order of ids, generations and epochs, never of the clock: apart from times, a resumed study has the
same tables as an undisturbed one. What is not known is empty (NaN, None).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from gaopt.journal.history import History, Individual
from gaopt.report import views
from gaopt.space.gene import Choice

Row = dict[str, Any]

_BEFORE = ["id", "generation"]
_SHORT = "fitness_at_"
_AFTER = ["fitness", "status", "origin", "parents", "reason", "message", "epochs", "seconds"]
_GENERATION = [
    *("generation", "size", "trained", "failed", "best_id", "best", "mean", "median", "best_so_far"),
    *("epochs", "seconds"),
]
_EPOCH = ["id", "generation", "epoch"]


def individuals(history: History) -> pd.DataFrame:
    """One row an individual: genes, fitness (empty if failed), where it comes from, cost, metrics at its end.

    With rungs also the share of a whole training that it was granted last, and its score on each rung.
    """
    rungs = {share: f"{_SHORT}{share:g}" for share in sorted({s for i in _by_id(history) for s in _shares(i)} - {1.0})}
    after = [*_AFTER, *(["share", *rungs.values()] if rungs else [])]
    genes = _columns(views.space(history), [*_BEFORE, *after, *views.METRICS])
    taken = [*_BEFORE, *after, *genes.values(), *views.COSTS]
    ends = {i.id: views.final(i) for i in _by_id(history)}
    metrics = views.in_order((m for end in ends.values() for m in end), taken)
    wanted = set(metrics)
    rows = [
        _individual(i, genes) | _rungs(i, rungs) | {m: end for m, end in ends[i.id].items() if m in wanted}
        for i in _by_id(history)
    ]
    table = pd.DataFrame(rows, columns=[*_BEFORE, *genes.values(), *after, *metrics])
    for (_, gene), column in zip(views.space(history).items(), genes.values(), strict=True):
        if isinstance(gene, Choice) or gene.integer:  # 32 stays 32, also where others have no such gene
            table[column] = pd.Series([row[column] for row in rows], dtype=object)
    return table


def generations(history: History) -> pd.DataFrame:
    """One row a generation. Fitness is over its population; trained, failed, epochs, seconds over its births.

    With rungs also how many of its births are on one, with no more granted.
    """
    short = ["early"] if history.config.get("fidelity", {}).get("rungs") else []
    columns = [*_GENERATION[:4], *short, *_GENERATION[4:]]
    table = pd.DataFrame([_generation(history, n) for n in range(len(history.populations))], columns=columns)
    table["best_so_far"] = table["best"].astype(float).cummax()
    return table.astype({"best_id": "Int64"})


def epochs(history: History) -> pd.DataFrame:
    """One row an epoch of an individual: its metrics, and lr and momentum at its end."""
    rows = [_epoch(i, epoch) for i in _by_id(history) for epoch in sorted(i.reports)]
    metrics = views.in_order((name for row in rows for name in row), [*_EPOCH, "lr", "mom"])
    return pd.DataFrame(rows, columns=[*_EPOCH, *metrics, *(n for n in ("lr", "mom") if any(n in r for r in rows))])


def cycle(history: History) -> pd.DataFrame:
    """The points of every individual's cycle: position in the training from 0 to 1, lr, momentum."""
    rows = [(i.id, *point) for i in _by_id(history) for point in views.cycle(i)]
    return pd.DataFrame(rows, columns=["id", "position", "lr", "mom"])


ALL = (individuals, generations, epochs, cycle)


def csv(table: pd.DataFrame) -> str:
    """A table as CSV (RFC 4180, but with bare newlines)."""
    return str(table.to_csv(index=False, lineterminator="\n"))


def _shares(individual: Individual) -> list[float]:
    return [individual.share, *individual.early]


def _rungs(individual: Individual, rungs: dict[float, str]) -> Row:
    scores = {name: individual.early[share].fitness for share, name in rungs.items() if share in individual.early}
    return {"share": individual.share, **scores} if rungs else {}


def _by_id(history: History) -> list[Individual]:
    return [history.individuals[id] for id in sorted(history.individuals)]


def _columns(genes: Iterable[str], taken: list[str]) -> dict[str, str]:
    """The column of each gene: its name, unless that is another column's."""
    columns: dict[str, str] = {}
    for name in genes:
        column = name
        while column in taken or column in columns.values():
            column = f"gene_{column}"
        columns[name] = column
    return columns


def _individual(individual: Individual, genes: dict[str, str]) -> Row:
    birth, failure = individual.birth, individual.failure
    return {
        "id": individual.id,
        "generation": individual.generation,
        **{column: birth.genes.get(name) for name, column in genes.items()},
        "fitness": _finite(individual.fitness),
        "status": individual.status,
        "origin": birth.origin,
        "parents": " ".join(map(str, birth.parents)),
        "reason": failure.reason if failure else "",
        "message": failure.message if failure else "",
        "epochs": individual.epochs,
        "seconds": individual.seconds,
    }


def _generation(history: History, generation: int) -> Row:
    population = history.members(generation)
    scored = sorted((i for i in population if i.status == "scored"), key=lambda i: (-i.fitness, i.id))
    fitness = pd.Series([i.fitness for i in scored], dtype=float)
    born = [i for i in population if i.generation == generation]
    return {
        "generation": generation,
        "size": len(population),
        "trained": sum(i.done or i.status == "early" for i in born),
        "early": sum(i.status == "early" for i in born),
        "failed": sum(i.status == "failed" for i in born),
        "best_id": scored[0].id if scored else None,
        "best": fitness.max(),
        "mean": fitness.mean(),
        "median": fitness.median(),
        "epochs": sum(i.epochs for i in born),
        "seconds": sum(i.seconds for i in born),
    }


def _epoch(individual: Individual, epoch: int) -> Row:
    report = individual.reports[epoch]
    ends = dict(zip(("lr", "mom"), report.cycle[-1][1:], strict=True)) if report.cycle else {}
    return report.metrics | ends | {"id": individual.id, "generation": individual.generation, "epoch": epoch}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
