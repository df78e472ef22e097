"""The sections of a comparison's page that are tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gaopt.compare.model import Comparison
from gaopt.compare.statistics import Contrast, Interval
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.comparison.evidence import Evidence, metrics
from gaopt.report.page import Section, Table
from gaopt.report.sections import PRINTED, published_table
from gaopt.space.gene import AnyGene, Choice

ACCURACIES = {"top3": "top-3 %", "top5": "top-5 %"}
LOSSES = ("loss", "valid_loss")


def setting(found: Evidence) -> Section:
    """What was compared, as (what, how it is): data, network, budget, seeds, and who saw which images."""
    comparison = found.comparison
    rows = [*_objective(comparison.config), *_search(comparison, found.genes.space), *_splits(comparison)]
    table = Table(["", ""], [list(row) for row in rows], frozenset({0, 1}))
    return Section("What was compared", table=table, name="setting")


def _table(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = config.get(name, {})
    return table if isinstance(table, Mapping) else {}


def _objective(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    data, net, epochs = _table(config, "data"), _table(config, "net"), _table(config, "recipe").get("epochs")
    rows = []
    if data.get("name") or data.get("path"):
        limit, size = data.get("limit"), data.get("size")
        said = str(data.get("path") or data["name"])
        said += f", at most {limit} training images" if limit else ""
        said += f", {size} pixels a side" if size else ""
        rows.append(("data", said))
    if net.get("name"):
        rows.append(("network", str(net["name"])))
    if not rows and (objective := _table(config, "study").get("objective")):
        rows.append(("objective", str(objective)))
    return [*rows, ("a whole training", words.plural(int(epochs), "epoch"))] if epochs else rows


def _search(comparison: Comparison, genes: Mapping[str, AnyGene]) -> list[tuple[str, str]]:
    unit = " of training" if comparison.cost == "epochs" else " of training, summed over all individuals"
    own = "its own: these are studies that were there"
    seeds = ", ".join(map(str, comparison.seeds))
    return [
        *((method, comparison.titles.get(method, method)) for method in comparison.methods),
        ("genes", "; ".join(_gene(name, each) for name, each in genes.items()) or "–"),
        ("budget of each search", own if comparison.studies else f"{amount(comparison, comparison.budget)}{unit}"),
        ("seeds", f"{len(comparison.seeds)} ({seeds}): one search of each method with each" if seeds else "–"),
    ]


def amount(comparison: Comparison, value: float) -> str:
    """An amount of what the budget is counted in: epochs, or time."""
    return f"{value:g} epochs" if comparison.cost == "epochs" else words.duration(value)


def _gene(name: str, gene: AnyGene) -> str:
    """A gene and its range: "lr 1e-6 … 0.01 (log)"."""
    when = f", when {gene.when}" if gene.when else ""
    if isinstance(gene, Choice):
        return f"{name} {' or '.join(words.value(value) for value in gene.choices)}{when}"
    scale = " (log)" if gene.scale == "log" else ""
    return f"{name} {words.number(float(gene.low))} … {words.number(float(gene.high))}{scale}{when}"


def _splits(comparison: Comparison) -> list[tuple[str, str]]:
    count = sum(final.individual.status == "scored" for final in comparison.finals)
    finals = words.plural(count, "final")
    if not comparison.splits:
        again = f"the same score, of trainings with fresh seeds: {finals}. There is no test split"
        return [("chosen on", "the objective's own score, during the search"), ("judged on", again)]
    data = _table(comparison.config, "data")
    return [
        ("trained on", "the training split: all trainings of all searches"),
        ("chosen on", f"the validation split{_share(data, 'valid')}: the winner of each search"),
        (
            "judged on",
            f"the test split{_share(data, 'test')}: {finals}, each measured once. A final is a winner trained again"
            " with a fresh seed on training and validation images together. No search chose by a test image",
        ),
    ]


def _share(data: Mapping[str, Any], name: str) -> str:
    """The share of a split, where the config says it: " (22 %)"."""
    share = data.get(name)
    return f" ({words.portion(share)})" if isinstance(share, float) and 0 < share < 1 else ""


def methods(found: Evidence) -> Section:
    """One row a method, in the order of the comparison; the best mean is pointed out."""
    names, unit = found.comparison.methods, found.unit
    measured = {name for method in names for f in found.finals(method) for name in metrics(f.individual)}
    scored = [i for search in found.comparison.searches for i in search.history.scored]
    certain = views.certain([*scored, *(final.individual for final in found.comparison.finals)])
    shown = [name for name in ACCURACIES if name in measured - certain]
    losses = [name for name in LOSSES if name in measured]
    head = ["method", "seeds", f"judged{unit.sign}", "95 % interval", *(ACCURACIES[name] for name in shown)]
    head += [*losses[:1], f"chosen by{unit.sign}", "optimism"]
    rows = [_method(found, method, shown, losses) for method in names]
    best = max(found.judged, key=lambda method: found.judged[method].mean, default=None)
    table = Table(head, rows, frozenset({0}), names.index(best) if best else -1)
    note = (
        "Judged, top-3, top-5 and loss are means over the seeds, of the winners trained again; the interval is of the"
        " judged mean. Chosen by is what the same winners scored in their searches; optimism, by how much that lies"
        " above."
    )
    return Section("The methods", table=table, note=[note])


def _method(found: Evidence, method: str, shown: list[str], losses: list[str]) -> list[str]:
    judged, chosen, optimism = (each.get(method) for each in (found.judged, found.chosen, found.optimism))
    accuracies = [found.mean(method, [name]) for name in shown]
    seeds, wanted = len(found.scores.get(method, {})), len(found.comparison.seeds)
    return [
        method,
        str(seeds) if seeds == wanted else f"{seeds} of {wanted}",
        found.unit.score(judged.mean if judged else None),
        found.unit.span(judged),
        *("–" if value is None else f"{100 * value:.2f}" for value in accuracies),
        *([words.score(found.mean(method, losses))] if losses else []),
        found.unit.score(chosen.mean if chosen else None),
        found.unit.gap(optimism.mean if optimism else None),
    ]


def contrasts(found: Evidence) -> Section:
    """The reference against each other method; those of which a difference is claimed say so."""
    unit, reference = found.unit, found.comparison.methods[0] if found.comparison.methods else ""
    head = ["against", "pairs", f"difference{', points' if unit.accuracy else ''}", "95 % interval"]
    head += ["p", "p, adjusted", "effect", "seeds needed", "shown"]
    table = Table(head, [_contrast(each, found) for each in found.contrasts], frozenset({0}))
    worth = unit.gap(found.comparison.difference).lstrip("+") + unit.points
    note = (
        f"Each row is {reference} less the method named, pair by pair over the seeds; above 0, {reference} is the"
        " better. p is of a paired t-test that counts the rounding of scores too, adjusted for the number of rows"
        " (Holm): at most 0.05, and a difference is claimed. The interval is not adjusted. The effect is the mean"
        " difference in standard deviations of the pairs, corrected for few pairs (Hedges). Seeds needed is how many"
        f" would show a true difference of {worth} in four comparisons of five, given how much the pairs differ here."
    )
    return Section(f"{reference} against every other method", table=table, note=[note])


def _contrast(each: Contrast, found: Evidence) -> list[str]:
    needed = found.seeds_needed(each)
    return [
        each.other,
        str(each.pairs),
        found.unit.gap(each.difference),
        found.unit.span(each.interval, signed=True),
        _probability(each.p),
        _probability(each.adjusted),
        words.number(each.effect, 2).replace("-", "−"),
        "–" if each.deviation is None else "> 1000" if needed is None else str(needed),
        "yes" if each.claimed else "no",
    ]


def _probability(p: float | None) -> str:
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def costs(found: Evidence) -> Section:
    """What the searches of each method took, all seeds together."""
    head = ["method", "searches", "trainings", "left early", "failed", "epochs", "time", "epochs a search"]
    rows = [_cost(found.comparison, method) for method in found.comparison.methods]
    note = (
        "All seeds together. Trainings include short ones, of which those left early are what remains; time is of"
        " training, summed over all individuals."
    )
    return Section("What the searches took", table=Table(head, rows, frozenset({0})), note=[note])


def _cost(comparison: Comparison, method: str) -> list[str]:
    searches = comparison.of(method)
    everyone = [individual for search in searches for individual in search.history.individuals.values()]
    each = sorted(search.epochs for search in searches)
    return [
        method,
        str(len(searches)),
        str(views.trainings(everyone)),
        str(sum(individual.status == "early" for individual in everyone)),
        str(sum(individual.status == "failed" for individual in everyone)),
        str(sum(each)),
        words.duration(sum(search.seconds for search in searches)),
        "–" if not each else str(each[0]) if each[0] == each[-1] else f"{each[0]} … {each[-1]}",
    ]


def published(found: Evidence) -> Section:
    """What the papers print for the same data, the methods in their places among them."""
    judged = found.judged if found.unit.accuracy and found.comparison.splits else {}
    ours = [(100 * (1 - m.mean), [f"here: {name}", _error(m), "this comparison"]) for name, m in judged.items()]
    note = (
        f"Test errors in %. Ours are the means over the seeds, with their 95 % intervals; the others {PRINTED}. How"
        " long and on what ours were trained, the first table says."
    )
    return Section("Comparison with the authors", table=published_table(found.comparison.config, ours), note=[note])


def _error(judged: Interval) -> str:
    """A judged accuracy as an error in %, with its interval."""
    error = f"{100 * (1 - judged.mean):.2f}"
    if judged.low is None or judged.high is None:
        return error
    return f"{error} ({100 * max(0.0, 1 - judged.high):.2f} … {100 * (1 - judged.low):.2f})"
