"""A comparison as tables: rows of plain values, in the order of methods, seeds, ids and epochs."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean
from typing import Any

from gaopt.compare import statistics
from gaopt.compare.model import Comparison, SearchRun
from gaopt.journal.history import Individual
from gaopt.report import views
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.tables import csv

Row = dict[str, Any]


def tables(found: Evidence) -> dict[str, str]:
    """Name and text of every table."""
    comparison, names = found.comparison, list(found.space)
    shares = found.importance.shares.items() if found.importance else ()
    return {
        "methods": csv(methods(found), ("method", "title", "seeds", "judged")),
        "contrasts": csv(contrasts(found), ("method", "against", "pairs", "difference")),
        "finals": csv(_finals(comparison, names), ("method", "seed", "id", "status", "fitness")),
        "trainings": csv(_trainings(comparison, names), ("method", "seed", "id", "status", "fitness")),
        "progress": csv(_progress(comparison), ("method", "seed", "id", "epochs", "seconds", "fitness", "best")),
        "importance": csv([{"gene": name, "share": share} for name, share in shares], ("gene", "share")),
    }


def methods(found: Evidence) -> list[Row]:
    """What each method reached and took, all seeds together."""
    return [_method(found, method) for method in found.comparison.methods]


def _method(found: Evidence, method: str) -> Row:
    comparison, judged, optimism = found.comparison, found.judged.get(method), found.optimism.get(method)
    searches, chosen = comparison.of(method), comparison.chosen().get(method)
    everyone = [individual for search in searches for individual in search.history.individuals.values()]
    finals = [f.individual for f in comparison.finals if f.method == method and f.individual.status == "scored"]
    shared = set.intersection(*(set(metrics(i)) for i in finals)) if finals else ()
    return {
        "method": method,
        "title": comparison.titles.get(method, method),
        "seeds": len(found.scores.get(method, {})),
        "judged": judged.mean if judged else None,
        "judged_low": judged.low if judged else None,
        "judged_high": judged.high if judged else None,
        "chosen_by": fmean(chosen.values()) if chosen else None,
        "optimism": optimism.mean if optimism else None,
        "trainings": views.trainings(everyone),
        "early": sum(individual.status == "early" for individual in everyone),
        "failed": sum(individual.status == "failed" for individual in everyone),
        "epochs": sum(search.epochs for search in searches),
        "seconds": sum(search.seconds for search in searches),
        **{f"judged_{name}": fmean(metrics(i)[name] for i in finals) for name in views.in_order(shared)},
    }


def metrics(individual: Individual) -> dict[str, float]:
    """Those of its score."""
    return dict(getattr(individual.outcome, "metrics", {}))


def contrasts(found: Evidence) -> list[Row]:
    """The reference less each other method."""
    return [
        {
            "method": each.reference,
            "against": each.other,
            "pairs": each.pairs,
            "difference": each.difference,
            "low": each.interval.low if each.interval else None,
            "high": each.interval.high if each.interval else None,
            "deviation": each.deviation,
            "p": each.p,
            "p_adjusted": each.adjusted,
            "seeds_needed": each.deviation
            if each.deviation is None
            else statistics.seeds_needed(each.deviation, found.comparison.difference, len(found.contrasts)),
            "claimed": int(each.claimed),
        }
        for each in found.contrasts
    ]


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


def _searches(comparison: Comparison) -> Iterable[tuple[SearchRun, Row]]:
    """Each search, and the cells that its rows begin with."""
    for method in comparison.methods:
        for search in comparison.of(method):
            yield search, {"method": search.method, "seed": search.seed}


def _trainings(comparison: Comparison, names: Sequence[str]) -> Iterator[Row]:
    """Every individual of every search."""
    for search, begin in _searches(comparison):
        winner = search.winner
        for individual in sorted(search.history.individuals.values(), key=lambda each: each.id):
            yield {
                **begin,
                "id": individual.id,
                "status": individual.status,
                "fitness": individual.fitness,
                "share": individual.share,
                "epochs": individual.epochs,
                "seconds": individual.seconds,
                "winner": int(individual is winner),
                **_genes(individual, names),
            }


def _genes(individual: Individual, names: Sequence[str]) -> Row:
    """Each with a prefix, so that none is taken for another column; also what is a gene of this method alone."""
    return {f"gene_{name}": individual.genes.get(name) for name in dict.fromkeys([*names, *individual.genes])}


def _progress(comparison: Comparison) -> Iterator[Row]:
    """The state of every search after each of its trainings."""
    for search, begin in _searches(comparison):
        for step in views.steps(search.history):
            cells = {"epochs": step.epochs, "seconds": step.seconds, "fitness": step.fitness, "best": step.best}
            yield begin | {"id": step.individual.id} | cells
