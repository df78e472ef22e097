"""A history as tables, and any rows as CSV: the only door to pandas.

Rows are in the order of ids, generations and epochs, never of the clock: apart from times, a resumed study has the
same tables as an undisturbed one. What is not known is empty (NaN, None).
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gaopt.journal.history import History, Individual
from gaopt.report import views
from gaopt.space.gene import Choice

Row = dict[str, Any]

_BEFORE = ["id", "generation"]
_AFTER = ["fitness", "status", "origin", "parents", "reason", "message", "epochs", "seconds"]
_GENERATION = [
    *("generation", "size", "trained", "failed", "early", "best_id", "best", "mean", "median", "best_so_far"),
    *("epochs", "seconds"),
]


def individuals(history: History) -> pd.DataFrame:
    """One row per individual: genes, fitness (empty if failed), where it comes from, cost, metrics at its end.

    With rungs also the share of a whole training that it was granted last, and its score on each rung.
    """
    everyone, space = _by_id(history), views.space(history)
    rungs = sorted({share for i in everyone for share in (i.share, *i.early)} - {1.0})
    after = [*_AFTER, *(["share", *(f"fitness_at_{share:g}" for share in rungs)] if rungs else [])]
    genes = _columns(space, [*_BEFORE, *after, *views.METRICS])
    taken = [*_BEFORE, *after, *genes.values(), *views.COSTS]
    ends = [views.final(i) for i in everyone]
    metrics = dict.fromkeys(views.in_order((name for end in ends for name in end), taken))
    rows = [_row(i, genes) | {m: end[m] for m in end if m in metrics} for i, end in zip(everyone, ends, strict=True)]
    table = pd.DataFrame(rows, columns=[*_BEFORE, *genes.values(), *after, *metrics])
    for gene, column in zip(space.values(), genes.values(), strict=True):
        if isinstance(gene, Choice) or gene.integer:  # 32 stays 32, also where others have no such gene
            table[column] = pd.Series([row[column] for row in rows], dtype=object)
    return table


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


def _row(individual: Individual, genes: dict[str, str]) -> Row:
    birth, failure = individual.birth, individual.failure
    return {
        "id": individual.id,
        "generation": individual.generation,
        **{column: birth.genes.get(name) for name, column in genes.items()},
        "fitness": individual.fitness if math.isfinite(individual.fitness) else None,
        "status": individual.status,
        "origin": birth.origin,
        "parents": " ".join(map(str, birth.parents)),
        "reason": failure.reason if failure else "",
        "message": failure.message if failure else "",
        "epochs": individual.epochs,
        "seconds": individual.seconds,
        "share": individual.share,
        **{f"fitness_at_{share:g}": score.fitness for share, score in individual.early.items()},
    }


def generations(history: History) -> pd.DataFrame:
    """One row per generation. Fitness is over its population; trained, failed, epochs, seconds over its births.

    With rungs also how many of its births are on one, with no more granted.
    """
    rows = [_generation(history, n) for n in range(len(history.populations))]
    table = pd.DataFrame(rows, columns=_GENERATION)
    table["best_so_far"] = table["best"].astype(float).cummax()
    unused = [] if history.config.get("fidelity", {}).get("rungs") else ["early"]
    return table.drop(columns=unused).astype({"best_id": "Int64"})


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


def epochs(history: History) -> pd.DataFrame:
    """One row per individual and epoch: its metrics, and lr and momentum at its end."""
    rows: list[Row] = []
    for individual in _by_id(history):
        for epoch, report in sorted(individual.reports.items()):
            ends = dict(zip(("lr", "mom"), report.cycle[-1][1:], strict=True)) if report.cycle else {}
            place = {"id": individual.id, "generation": individual.generation, "epoch": epoch}
            rows.append(report.metrics | ends | place)
    names = {name for row in rows for name in row}
    before, cycle = ["id", "generation", "epoch"], [name for name in ("lr", "mom") if name in names]
    return pd.DataFrame(rows, columns=[*before, *views.in_order(names, [*before, *cycle]), *cycle])


def cycle(history: History) -> pd.DataFrame:
    """The points of every individual's cycle: position in the training from 0 to 1, lr, momentum."""
    ids, points = [], [np.empty((0, 3))]
    for individual in _by_id(history):
        if found := views.cycle(individual):
            ids += [individual.id] * len(found)
            points.append(np.array(found))
    table = pd.DataFrame(np.concatenate(points), columns=["position", "lr", "mom"])
    table.insert(0, "id", ids)
    return table


ALL = (individuals, generations, epochs, cycle)


def csv(rows: pd.DataFrame | Iterable[Mapping[str, Any]], columns: Iterable[str] = ()) -> str:
    """RFC 4180, but with bare newlines; what is not known is empty, columns not named beforehand come last."""
    if isinstance(rows, pd.DataFrame):
        return str(rows.to_csv(index=False, lineterminator="\n"))
    table = pd.DataFrame(list(rows), dtype=object)
    return csv(table.reindex(columns=list(dict.fromkeys([*columns, *table]))).replace(-math.inf, None))
