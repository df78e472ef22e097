"""What the page of a comparison says, as plain words: the same for HTML and Markdown, and nothing of either."""

from __future__ import annotations

import platform
import shlex
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import tomli_w

from gaopt.compare.model import Comparison
from gaopt.compare.statistics import Interval
from gaopt.journal.paths import ComparisonDir
from gaopt.printable import printable, printable_lines
from gaopt.report import format as words
from gaopt.report import paper_results
from gaopt.report.comparison import methods
from gaopt.report.comparison.genes import Genes
from gaopt.report.comparison.inference import Claims
from gaopt.report.comparison.remarks import remarks
from gaopt.report.comparison.setting import setting
from gaopt.report.comparison.units import Unit
from gaopt.report.table import Table

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "fastai", "deap", "ray", "optuna", "plotly", "matplotlib")


@dataclass(frozen=True)
class Facts:
    """The words of a report, section by section."""

    name: str
    state: str
    verdict: str
    result: list[str]
    numbers: list[tuple[str, str]]
    setting: Table
    methods: Table
    costs: Table
    reference: str
    contrasts: Table
    contrasts_note: str
    importance_note: str
    published: Table
    remarks: list[str]
    commands: list[tuple[str, str]]
    toml: str
    made_with: str


def facts(comparison: Comparison, claims: Claims, unit: Unit, home: ComparisonDir, genes: Genes) -> Facts:
    """All that the page says about a comparison."""
    return Facts(
        name=home.name,
        state=state(comparison),
        verdict=claims.verdict,
        result=result(comparison, claims, unit),
        numbers=numbers(comparison),
        setting=setting(comparison, genes.space),
        methods=methods.methods(comparison, claims, unit),
        costs=methods.costs(comparison),
        reference=comparison.methods[0] if comparison.methods else "",
        contrasts=methods.contrasts(claims, unit),
        contrasts_note=_contrasts_note(comparison, unit),
        importance_note=genes.note,
        published=published(comparison, claims, unit),
        remarks=remarks(comparison, claims, unit),
        commands=_commands(home),
        toml=printable_lines(tomli_w.dumps(dict(comparison.config))),
        made_with=_versions(comparison),
    )


def state(comparison: Comparison) -> str:
    """Whether all that was to be run has ended."""
    wanted = len(comparison.methods) * len(comparison.seeds)
    over = sum(search.history.finished for search in comparison.searches)
    unjudged = [final for final in comparison.finals if not final.individual.done]
    if not wanted or over < wanted:
        return f"{over} of {wanted} searches have ended" if wanted else "nothing was run yet"
    winners = sum(search.winner is not None for search in comparison.searches)
    if unjudged or (winners and not comparison.finals):
        return f"the searches have ended, {len(comparison.finals) - len(unjudged)} finals too"
    return "finished"


def result(comparison: Comparison, claims: Claims, unit: Unit) -> list[str]:
    """What the numbers are, for who reads no further than the verdict."""
    if not claims.judged:
        return []
    ranked = sorted(claims.judged.items(), key=lambda pair: -pair[1].mean)
    wanted, scores = len(comparison.seeds), comparison.scores()
    few = {method: f" (over {len(scores[method])})" for method in scores if len(scores[method]) < wanted}
    each = [f"{method} {unit.score(found.mean)}{unit.sign}{few.get(method, '')}" for method, found in ranked]
    return [f"Mean {unit.name} over {words.plural(wanted, 'seed')}: {', '.join(each)}."]


def numbers(comparison: Comparison) -> list[tuple[str, str]]:
    """(what, how much): the size and the cost of the comparison."""
    everyone = [i for search in comparison.searches for i in search.history.individuals.values()]
    finals = [final.individual for final in comparison.finals]
    return [
        ("methods", str(len(comparison.methods))),
        ("seeds", str(len(comparison.seeds))),
        ("searches", str(len(comparison.searches))),
        ("trainings", str(sum(len(i.early) + i.done for i in everyone))),
        ("failed", str(sum(i.status == "failed" for i in everyone))),
        ("epochs", str(sum(i.epochs for i in everyone))),
        ("training time", words.duration(sum(i.seconds for i in everyone))),
        ("finals", str(sum(i.status == "scored" for i in finals))),
        ("their time", words.duration(sum(i.seconds for i in finals))),
    ]


def _contrasts_note(comparison: Comparison, unit: Unit) -> str:
    if not comparison.methods:
        return ""
    reference = comparison.methods[0]
    worth = unit.gap(comparison.difference).lstrip("+") + (" points" if unit.accuracy else "")
    return (
        f"Each row is {reference} less the method named, pair by pair over the seeds; above 0, {reference} is the"
        " better. p is of a paired t-test that counts the rounding of scores too, adjusted for the number of rows"
        " (Holm): at most 0.05, and a difference is claimed. The interval is not adjusted. The effect is the mean"
        " difference in standard deviations of the pairs, corrected for few pairs (Hedges). Seeds needed is how many"
        f" would show a true difference of {worth} in four comparisons of five, given how much the pairs differ here."
    )


def published(comparison: Comparison, claims: Claims, unit: Unit) -> Table:
    """What the papers print for the same data, the methods in their places among them."""
    printed = paper_results.beside(comparison.config) if unit.accuracy and comparison.splits and claims.judged else []
    rows = [(each.error, [each.method, each.printed, each.source]) for each in printed if each.error is not None]
    for method, found in claims.judged.items() if printed else ():
        rows.append((100 * (1 - found.mean), [f"here: {method}", _error(found), "this comparison"]))
    rows.sort(key=lambda row: row[0])
    best = next((n for n, (_, cells) in enumerate(rows) if cells[2] == "this comparison"), -1)
    return Table(["method", "test error %", "source"], [cells for _, cells in rows], frozenset({0, 2}), best)


def _error(found: Interval) -> str:
    """A judged accuracy as an error in %, with its interval."""
    error = f"{100 * (1 - found.mean):.2f}"
    if found.low is None or found.high is None:
        return error
    return f"{error} ({100 * max(0.0, 1 - found.high):.2f} … {100 * (1 - found.low):.2f})"


def _commands(home: ComparisonDir) -> list[tuple[str, str]]:
    return [
        ("go on where it stopped, or write this report again", f"gaopt compare {shlex.quote(printable(home.name))}"),
        (
            "all of it again, from the plan beside this report: in this folder",
            "mkdir again && cp comparison.toml again/ && gaopt compare ./again",
        ),
    ]


def _versions(comparison: Comparison) -> str:
    """By what it was run, and what is installed where the page was written."""
    opened = [search.history.opened for search in comparison.searches if search.history.opened]
    ran = " and ".join(sorted({each.version for each in opened})) or "–"
    found = [f"{name} {known}" for name in LIBRARIES if (known := _installed(name))]
    return f"gaopt {ran}; written with Python {platform.python_version()}, {', '.join(found)}"


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
