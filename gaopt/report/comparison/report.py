"""The report of a comparison: its page as a list of sections, its figures and its tables."""

from __future__ import annotations

import platform
import shlex
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tomli_w

from gaopt.compare.model import Comparison
from gaopt.journal.paths import ComparisonDir
from gaopt.printable import printable, printable_lines
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.comparison import interactive, sections
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.comparison.genes import untold
from gaopt.report.comparison.remarks import remarks
from gaopt.report.comparison.tables import tables
from gaopt.report.page import Page, Section, save
from gaopt.report.plots.comparison import FIGURES

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "fastai", "deap", "ray", "optuna", "plotly", "matplotlib")


def write(comparison: Comparison, home: ComparisonDir) -> list[Path]:
    """Write every file of the report, each replaced whole; the same comparison gives the same bytes.

    Returns:
        The paths, the page for the browser first.
    """
    found = Evidence(comparison)
    csv = tables(found)
    return save(page(found, home, list(csv)), home, csv)


def verdict(comparison: Comparison) -> str:
    """The outcome in one sentence."""
    return Evidence(comparison).verdict


def page(found: Evidence, home: ComparisonDir, tables: list[str]) -> Page:
    """All that is said of a comparison.

    Args:
        tables: the names of those that are written beside the page.
    """
    plots = interactive.plots(found)
    closer = (
        "The same trainings, for the pointer: what lies under it is named, a name in the legend hides its method, a"
        " frame drawn with the mouse is enlarged, and a double click goes back."
    )
    return Page(
        kind="gaopt comparison",
        name=home.name,
        state=state(found.comparison),
        result=[found.verdict, *_means(found)],
        numbers=numbers(found.comparison),
        sections=[
            sections.setting(found),
            sections.methods(found),
            sections.contrasts(found),
            sections.costs(found),
            *(figure for draw in FIGURES if (figure := draw(found))),
            Section("How much each gene matters", text=untold(found.trainings)),
            Section("Look closer", text=closer if plots else "", plots=plots, name="explore"),
            sections.published(found),
            Section("What to keep in mind", items=remarks(found)),
            _reproduce(found.comparison, home, tables),
        ],
        script=interactive.script() if plots else None,
    )


def state(comparison: Comparison) -> str:
    """Whether all that was to be run has ended."""
    wanted = len(comparison.methods) * len(comparison.seeds)
    over = sum(search.history.finished for search in comparison.searches)
    judged = sum(final.individual.done for final in comparison.finals)
    if not wanted or over < wanted:
        return f"{over} of {wanted} searches have ended" if wanted else "nothing was run yet"
    winners = sum(search.winner is not None for search in comparison.searches)
    if judged < len(comparison.finals) or (winners and not comparison.finals):
        return f"the searches have ended, {judged} finals too"
    return "finished"


def _means(found: Evidence) -> list[str]:
    """What the numbers are, for who reads no further than the verdict."""
    if not found.judged:
        return []
    wanted, unit = len(found.comparison.seeds), found.unit
    few = {method: f" (over {len(each)})" for method, each in found.scores.items() if len(each) < wanted}
    ranked = sorted(found.judged.items(), key=lambda pair: -pair[1].mean)
    each = [f"{method} {unit.score(judged.mean)}{unit.sign}{few.get(method, '')}" for method, judged in ranked]
    return [f"Mean {found.score_name} over {words.plural(wanted, 'seed')}: {', '.join(each)}."]


def numbers(comparison: Comparison) -> list[tuple[str, str]]:
    """(what, how much): the size and the cost of the comparison."""
    everyone = [i for search in comparison.searches for i in search.history.individuals.values()]
    finals = [final.individual for final in comparison.finals]
    return [
        ("methods", str(len(comparison.methods))),
        ("seeds", str(len(comparison.seeds))),
        ("searches", str(len(comparison.searches))),
        ("trainings", str(views.trainings(everyone))),
        ("failed", str(sum(i.status == "failed" for i in everyone))),
        ("epochs", str(sum(i.epochs for i in everyone))),
        ("training time", words.duration(sum(i.seconds for i in everyone))),
        ("finals", str(sum(i.status == "scored" for i in finals))),
        ("their time", words.duration(sum(i.seconds for i in finals))),
    ]


def _reproduce(comparison: Comparison, home: ComparisonDir, tables: list[str]) -> Section:
    opened = [search.history.opened for search in comparison.searches if search.history.opened]
    ran = " and ".join(sorted({each.version for each in opened})) or "–"
    libraries = ", ".join(f"{name} {known}" for name in LIBRARIES if (known := _installed(name)))
    return Section(
        "How to reproduce",
        text=f"Run by gaopt {ran}; written with Python {platform.python_version()}, {libraries}. On a GPU sums may be"
        " taken in another order, so that scores, and with them a search, can differ a little. The config is what all"
        " searches share.",
        commands=[
            (
                "go on where it stopped, or write this report again",
                f"gaopt compare {shlex.quote(printable(home.name))}",
            ),
            (
                "all of it again, from the plan beside this report: in this folder",
                "mkdir again && cp comparison.toml again/ && gaopt compare ./again",
            ),
        ],
        toml=printable_lines(tomli_w.dumps(dict(comparison.config))),
        files=", ".join(f"{name}.csv" for name in tables) + ", the figures as SVG, report.md; below it the journal of"
        " every search in searches/, and of the finals in finals/",
    )


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
