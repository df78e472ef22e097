"""A comparison as CSV: rows of plain values, in the order of methods, seeds, ids and epochs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gaopt.compare.model import Comparison, SearchRun
from gaopt.journal.history import Individual
from gaopt.report import views
from gaopt.report.comparison.cost_curve import steps
from gaopt.report.comparison.evidence import Evidence, metrics
from gaopt.report.format import csv

Row = dict[str, Any]


def tables(found: Evidence) -> dict[str, str]:
    """Name and text of every table."""
    comparison, names = found.comparison, list(found.genes.space)
    return {
        "methods": csv(_methods(found), ("method", "title", "seeds", "judged")),
        "contrasts": csv(_contrasts(found), ("method", "against", "pairs", "difference")),
        "finals": csv(_finals(comparison, names), ("method", "seed", "id", "status", "fitness")),
        "winners": csv(_winners(comparison), ("method", "seed", "id", "epoch")),
        "trainings": csv(_trainings(comparison, names), ("method", "seed", "id", "status", "fitness")),
        "progress": csv(_progress(comparison), ("method", "seed", "id", "epochs", "seconds", "fitness", "best")),
        "importance": csv(_importance(found.genes.importance), ("question", "gene", "share")),
    }


def _methods(found: Evidence) -> Iterator[Row]:
    for method in found.comparison.methods:
        judged, chosen, optimism = (each.get(method) for each in (found.judged, found.chosen, found.optimism))
        searches = found.comparison.of(method)
        names = views.in_order(name for final in found.finals(method) for name in metrics(final.individual))
        yield {
            "method": method,
            "title": found.comparison.titles.get(method, method),
            "seeds": len(found.scores.get(method, {})),
            "judged": judged.mean if judged else None,
            "judged_low": judged.low if judged else None,
            "judged_high": judged.high if judged else None,
            "chosen_by": chosen.mean if chosen else None,
            "optimism": optimism.mean if optimism else None,
            "trainings": sum(views.trainings(search.history.individuals.values()) for search in searches),
            "failed": sum(len(search.history.failed) for search in searches),
            "epochs": sum(search.epochs for search in searches),
            "seconds": sum(search.seconds for search in searches),
            **{f"judged_{name}": found.mean(method, [name]) for name in names},
        }


def _contrasts(found: Evidence) -> Iterator[Row]:
    for each in found.contrasts:
        yield {
            "method": each.reference,
            "against": each.other,
            "pairs": each.pairs,
            "difference": each.difference,
            "low": each.interval.low if each.interval else None,
            "high": each.interval.high if each.interval else None,
            "deviation": each.deviation,
            "p": each.p,
            "p_adjusted": each.adjusted,
            "effect": each.effect,
            "seeds_needed": found.seeds_needed(each),
            "claimed": int(each.claimed),
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
