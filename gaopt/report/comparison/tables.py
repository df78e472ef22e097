"""A comparison as CSV: rows of plain values, in the order of methods, seeds, ids and epochs."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from gaopt.compare.model import Comparison, SearchRun
from gaopt.journal.history import Individual
from gaopt.report import views
from gaopt.report.comparison.cost_curve import steps
from gaopt.report.comparison.genes import Genes
from gaopt.report.comparison.inference import Claims
from gaopt.report.comparison.methods import finals, mean, metrics

Row = dict[str, Any]


def text(rows: Iterable[Row], columns: Iterable[str]) -> str:
    """RFC 4180, but with bare newlines; what is not known is empty, columns not named beforehand come last."""
    found = list(rows)
    names = list(dict.fromkeys([*columns, *(name for row in found for name in row)]))
    out = StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in found)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


def tables(comparison: Comparison, claims: Claims, genes: Genes) -> dict[str, str]:
    """Name and text of every table."""
    names = list(genes.space)
    return {
        "methods": text(_methods(comparison, claims), ("method", "title", "seeds", "judged")),
        "contrasts": text(_contrasts(claims), ("method", "against", "pairs", "difference")),
        "finals": text(_finals(comparison, names), ("method", "seed", "id", "status", "fitness")),
        "winners": text(_winners(comparison), ("method", "seed", "id", "epoch")),
        "trainings": text(_trainings(comparison, names), ("method", "seed", "id", "status", "fitness")),
        "progress": text(_progress(comparison), ("method", "seed", "id", "epochs", "seconds", "fitness", "best")),
        "importance": text(_importance(genes.importance), ("question", "gene", "share")),
    }


def _methods(comparison: Comparison, claims: Claims) -> Iterator[Row]:
    for method in comparison.methods:
        judged, chosen, optimism = (each.get(method) for each in (claims.judged, claims.chosen, claims.optimism))
        searches, trained = comparison.of(method), finals(comparison, method)
        names = views.in_order(name for final in trained for name in metrics(final.individual))
        yield {
            "method": method,
            "title": comparison.titles.get(method, method),
            "seeds": len(comparison.scores().get(method, {})),
            "judged": judged.mean if judged else None,
            "judged_low": judged.low if judged else None,
            "judged_high": judged.high if judged else None,
            "chosen_by": chosen.mean if chosen else None,
            "optimism": optimism.mean if optimism else None,
            "trainings": sum(len(i.early) + i.done for s in searches for i in s.history.individuals.values()),
            "failed": sum(len(search.history.failed) for search in searches),
            "epochs": sum(search.epochs for search in searches),
            "seconds": sum(search.seconds for search in searches),
            **{f"judged_{name}": mean(trained, (name,)) for name in names},
        }


def _contrasts(claims: Claims) -> Iterator[Row]:
    for found in claims.contrasts:
        yield {
            "method": found.reference,
            "against": found.other,
            "pairs": found.pairs,
            "difference": found.difference,
            "low": found.interval.low if found.interval else None,
            "high": found.interval.high if found.interval else None,
            "deviation": found.deviation,
            "p": found.p,
            "p_adjusted": found.adjusted,
            "effect": found.effect,
            "seeds_needed": claims.seeds_needed(found),
            "claimed": int(found.claimed),
        }


def _finals(comparison: Comparison, names: Sequence[str]) -> Iterator[Row]:
    winners = {(search.method, search.seed): search.winner for search in comparison.searches}
    for method in comparison.methods:
        for final in sorted((f for f in comparison.finals if f.method == method), key=lambda f: f.seed):
            individual, winner = final.individual, winners.get((method, final.seed))
            yield {
                "method": method,
                "seed": final.seed,
                "id": individual.id,
                "status": individual.status,
                "fitness": individual.fitness,
                "winner": winner.id if winner else None,
                "chosen_by": winner.fitness if winner else None,
                "epochs": individual.epochs,
                "seconds": individual.seconds,
                **(_genes(winner, names) if winner else {}),
                **{f"judged_{name}": value for name, value in sorted(metrics(individual).items())},
            }


def _searches(comparison: Comparison) -> Iterator[SearchRun]:
    for method in comparison.methods:
        yield from comparison.of(method)


def _winners(comparison: Comparison) -> Iterator[Row]:
    """What the winner of each search reported, epoch by epoch."""
    for search in _searches(comparison):
        if (winner := search.winner) is None:
            continue
        for epoch in sorted(winner.reports):
            known = {"method": search.method, "seed": search.seed, "id": winner.id, "epoch": epoch}
            metrics = winner.reports[epoch].metrics
            yield known | {name: metrics[name] for name in views.in_order(metrics)}


def _trainings(comparison: Comparison, names: Sequence[str]) -> Iterator[Row]:
    """Every individual of every search."""
    for search in _searches(comparison):
        for individual in sorted(search.history.individuals.values(), key=lambda each: each.id):
            yield {
                "method": search.method,
                "seed": search.seed,
                "id": individual.id,
                "status": individual.status,
                "fitness": individual.fitness,
                "share": individual.share,
                "epochs": individual.epochs,
                "seconds": individual.seconds,
                "winner": int(individual is search.winner),
                **_genes(individual, names),
            }


def _genes(individual: Individual, names: Sequence[str]) -> Row:
    """Each with a prefix, so that none is taken for another column; also what is a gene of this method alone."""
    return {f"gene_{name}": individual.genes.get(name) for name in dict.fromkeys([*names, *individual.genes])}


def _progress(comparison: Comparison) -> Iterator[Row]:
    """The state of every search after each of its trainings."""
    for search in _searches(comparison):
        for step in steps(search):
            yield {
                "method": search.method,
                "seed": search.seed,
                "id": step.individual.id,
                "epochs": step.epochs,
                "seconds": step.seconds,
                "fitness": step.fitness,
                "best": step.best,
            }


def _importance(importance: Mapping[str, Mapping[str, float]]) -> Iterator[Row]:
    for question, shares in importance.items():
        for gene, share in shares.items():
            yield {"question": question, "gene": gene, "share": share}
