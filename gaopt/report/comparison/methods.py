"""The tables of a comparison's page: the methods, and the reference against each other one."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from gaopt.compare.model import Comparison, Final
from gaopt.compare.statistics import Contrast
from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.comparison.inference import Claims
from gaopt.report.comparison.units import Unit
from gaopt.report.table import Table

ACCURACIES = {"top3": "top-3 %", "top5": "top-5 %"}
LOSSES = ("loss", "valid_loss")


def finals(comparison: Comparison, method: str) -> list[Final]:
    """The finals of a method that have a score."""
    return [f for f in comparison.finals if f.method == method and f.individual.status == "scored"]


def metrics(individual: Individual) -> Mapping[str, float]:
    """Those of its score."""
    return getattr(individual.outcome, "metrics", {})


def mean(finals: list[Final], names: tuple[str, ...]) -> float | None:
    """Over all finals, of the first of these metrics that all have; None where there is none."""
    for name in names:
        values = [metrics(final.individual)[name] for final in finals if name in metrics(final.individual)]
        if values and len(values) == len(finals):
            return fmean(values)
    return None


def methods(comparison: Comparison, claims: Claims, unit: Unit) -> Table:
    """One row a method, in the order of the comparison; the best mean is pointed out."""
    measured = {name for m in comparison.methods for f in finals(comparison, m) for name in metrics(f.individual)}
    certain = views.certain(
        [*(i for s in comparison.searches for i in s.history.scored), *(f.individual for f in comparison.finals)]
    )
    shown = [name for name in ACCURACIES if name in measured - certain]
    losses = tuple(name for name in LOSSES if name in measured)
    head = ["method", "seeds", f"judged{unit.sign}", "95 % interval", *(ACCURACIES[name] for name in shown)]
    head += [*losses[:1], f"chosen by{unit.sign}", "optimism"]
    rows = [_row(comparison, method, claims, unit, shown) for method in comparison.methods]
    if losses:
        for row, method in zip(rows, comparison.methods, strict=True):
            row.insert(4 + len(shown), words.score(mean(finals(comparison, method), losses)))
    best = max(claims.judged, key=lambda method: claims.judged[method].mean, default=None)
    return Table(head, rows, frozenset({0}), comparison.methods.index(best) if best else -1)


def _row(comparison: Comparison, method: str, claims: Claims, unit: Unit, shown: list[str]) -> list[str]:
    judged, chosen, optimism = (each.get(method) for each in (claims.judged, claims.chosen, claims.optimism))
    accuracies = [mean(finals(comparison, method), (name,)) for name in shown]
    return [
        method,
        _seeds(comparison, method),
        unit.score(judged.mean if judged else None),
        unit.span(judged),
        *("–" if value is None else f"{100 * value:.2f}" for value in accuracies),
        unit.score(chosen.mean if chosen else None),
        unit.gap(optimism.mean if optimism else None),
    ]


def _seeds(comparison: Comparison, method: str) -> str:
    """How many seeds were judged; of how many, where that is not all."""
    found, wanted = len(comparison.scores().get(method, {})), len(comparison.seeds)
    return str(found) if found == wanted else f"{found} of {wanted}"


def costs(comparison: Comparison) -> Table:
    """What the searches of each method took, all seeds together."""
    head = ["method", "searches", "trainings", "left early", "failed", "epochs", "time", "epochs a search"]
    return Table(head, [_cost(comparison, method) for method in comparison.methods], frozenset({0}))


def _cost(comparison: Comparison, method: str) -> list[str]:
    searches = comparison.of(method)
    everyone = [individual for search in searches for individual in search.history.individuals.values()]
    each = sorted(search.epochs for search in searches)
    return [
        method,
        str(len(searches)),
        str(sum(len(individual.early) + individual.done for individual in everyone)),
        str(sum(individual.status == "early" for individual in everyone)),
        str(sum(individual.status == "failed" for individual in everyone)),
        str(sum(search.epochs for search in searches)),
        words.duration(sum(search.seconds for search in searches)),
        "–" if not each else str(each[0]) if each[0] == each[-1] else f"{each[0]} … {each[-1]}",
    ]


def contrasts(claims: Claims, unit: Unit) -> Table:
    """The reference against each other method; those of which a difference is claimed say so."""
    head = ["against", "pairs", f"difference{', points' if unit.accuracy else ''}", "95 % interval"]
    head += ["p", "p, adjusted", "effect", "seeds needed", "shown"]
    return Table(head, [_contrast(each, claims, unit) for each in claims.contrasts], frozenset({0}))


def _contrast(found: Contrast, claims: Claims, unit: Unit) -> list[str]:
    needed = claims.seeds_needed(found)
    return [
        found.other,
        str(found.pairs),
        unit.gap(found.difference),
        unit.span(found.interval, signed=True),
        probability(found.p),
        probability(found.adjusted),
        "–" if found.effect is None else words.number(found.effect, 2).replace("-", "−"),
        "–" if found.deviation is None else "> 1000" if needed is None else str(needed),
        "yes" if found.claimed else "no",
    ]


def probability(p: float | None) -> str:
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
