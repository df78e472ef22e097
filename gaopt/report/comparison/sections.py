"""The sections of a comparison's page that are tables."""

from collections.abc import Mapping

from gaopt.compare.model import Comparison
from gaopt.report import format as words
from gaopt.report.comparison import tables
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.page import Section, Table
from gaopt.report.sections import PRINTED, published_table
from gaopt.space.gene import AnyGene, Choice
from gaopt.study.progress import TOP, telling

KEYS = (
    ("data", "data", "name"),
    ("folder of images", "data", "path"),
    ("training images at most", "data", "limit"),
    ("pixels a side", "data", "size"),
    ("share held back for validation", "data", "valid"),
    ("share held back for tests", "data", "test"),
    ("network", "net", "name"),
    ("objective", "study", "objective"),
    ("epochs of a whole training", "recipe", "epochs"),
)
"""Of the config: what it is called here, table, key."""


def setting(found: Evidence) -> Section:
    """What was compared: data, network, budget, seeds, and who saw which images."""
    comparison = found.comparison
    known = [(said, comparison.config.get(table), key) for said, table, key in KEYS]
    named = [(said, table[key]) for said, table, key in known if isinstance(table, Mapping) and table.get(key)]
    unit = " of training" if comparison.cost == "epochs" else " of training, summed over all individuals"
    budget = f"{amount(comparison, comparison.budget)}{unit}"
    seeds = ", ".join(map(str, comparison.seeds))
    rows = [
        *([said, str(value)] for said, value in named),
        *([method, comparison.titles.get(method, method)] for method in comparison.methods),
        ["genes", "; ".join(_gene(name, each) for name, each in found.space.items()) or "–"],
        ["budget of each search", "its own: these are studies that were there" if comparison.studies else budget],
        ["seeds", f"{len(comparison.seeds)} ({seeds}): one search of each method with each" if seeds else "–"],
        *_splits(comparison),
    ]
    return Section("What was compared", table=Table(["", ""], rows, frozenset({0, 1})), name="setting")


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


def _splits(comparison: Comparison) -> list[list[str]]:
    finals = words.plural(sum(final.individual.status == "scored" for final in comparison.finals), "final")
    if not comparison.splits:
        again = f"the same score, of trainings with fresh seeds: {finals}. There is no test split"
        return [["chosen on", "the objective's own score, during the search"], ["judged on", again]]
    own = ". The studies had measured their own best on it before, which chose nothing either" * comparison.studies
    return [
        ["trained on", "the training split: all trainings of all searches"],
        ["chosen on", "the validation split: the winner of each search"],
        [
            "judged on",
            f"the test split: {finals}, each measured once. A final is a winner trained again"
            f" with a fresh seed on training and validation images together. No search chose by a test image{own}",
        ],
    ]


def methods(found: Evidence) -> Section:
    """One row a method, in the order of the comparison; the best mean is pointed out."""
    read, unit, wanted = tables.methods(found), found.unit, len(found.comparison.seeds)
    tops = telling(TOP, *(search.history for search in found.comparison.searches))
    top = [name for name in tops if any(f"judged_{name}" in row for row in read)]
    loss = next((n for n in ("judged_loss", "judged_valid_loss") if any(n in row for row in read)), "")
    rows = [
        [
            row["method"],
            str(row["seeds"]) if row["seeds"] == wanted else f"{row['seeds']} of {wanted}",
            unit.score(row["judged"]),
            unit.span(row["judged_low"], row["judged_high"]),
            *(f"{100 * row[name]:.2f}" if (name := f"judged_{each}") in row else "–" for each in top),
            *([words.score(row.get(loss))] if loss else []),
            unit.score(row["chosen_by"]),
            unit.gap(row["optimism"]),
        ]
        for row in read
    ]
    head = ["method", "seeds", f"judged{unit.sign}", "95 % interval", *(f"top-{name[3:]} %" for name in top)]
    head += [*(["loss"] if loss else []), f"chosen by{unit.sign}", "optimism"]
    best = max(found.judged, key=lambda method: found.judged[method].mean, default="")
    strong = found.comparison.methods.index(best) if best else -1
    note = (
        "Judged, top-3, top-5 and loss are means over the seeds, of the winners trained again; the interval is of the"
        " judged mean. Chosen by is what the same winners scored in their searches; optimism, by how much that lies"
        " above."
    )
    return Section("The methods", table=Table(head, rows, frozenset({0}), strong), note=[note])


def contrasts(found: Evidence) -> Section:
    """The reference against each other method; those of which a difference is claimed say so."""
    unit, reference = found.unit, found.comparison.methods[0] if found.comparison.methods else ""
    head = ["against", "pairs", f"difference{', points' if unit.accuracy else ''}", "95 % interval"]
    head += ["p", "p, adjusted", "seeds needed", "shown"]
    rows = [
        [
            row["against"],
            str(row["pairs"]),
            unit.gap(row["difference"]),
            "–" if row["low"] is None else f"{unit.gap(row['low'])} … {unit.gap(row['high'])}",
            _probability(row["p"]),
            _probability(row["p_adjusted"]),
            "–" if row["deviation"] is None else str(row["seeds_needed"] or "> 1000"),
            "yes" if row["claimed"] else "no",
        ]
        for row in tables.contrasts(found)
    ]
    worth = unit.gap(found.comparison.difference).lstrip("+") + unit.points
    note = (
        f"Each row is {reference} less the method named, pair by pair over the seeds: above 0, {reference} is the"
        " better. A difference is claimed where p of a paired t-test, adjusted for the number of rows (Holm), is 0.05"
        " or less; the interval is not adjusted. So many seeds show a true difference of"
        f" {worth} in four comparisons of five."
    )
    table = Table(head, rows, frozenset({0}))
    return Section(f"{reference} against every other method", table=table, note=[note])


def _probability(p: float | None) -> str:
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def costs(found: Evidence) -> Section:
    """What the searches of each method took, all seeds together."""
    head = ["method", "trainings", "left early", "failed", "epochs", "time"]
    rows = [
        [
            row["method"],
            *(str(row[name]) for name in ("trainings", "early", "failed", "epochs")),
            words.duration(row["seconds"]),
        ]
        for row in tables.methods(found)
    ]
    note = (
        "All seeds together. Trainings include short ones, of which those left early are what remains; time is of"
        " training, summed over all individuals."
    )
    return Section("What the searches took", table=Table(head, rows, frozenset({0})), note=[note])


def published(found: Evidence) -> Section:
    """What the papers print for the same data, the methods in their places among them."""
    judged = found.judged if found.unit.accuracy and found.comparison.splits else {}
    ours = []
    for name, mean in judged.items():
        error = 100 * (1 - mean.mean)
        said = f"{error:.2f}"
        if mean.low is not None and mean.high is not None:
            said += f" ({100 * max(0.0, 1 - mean.high):.2f} … {100 * (1 - mean.low):.2f})"
        ours.append((error, [f"here: {name}", said, "this comparison"]))
    note = (
        f"Test errors in %. Ours are the means over the seeds, with their 95 % intervals; the others {PRINTED}. How"
        " long and on what ours were trained, the first table says."
    )
    return Section("Comparison with the authors", table=published_table(found.comparison.config, ours), note=[note])
