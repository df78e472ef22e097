"""The files of a comparison's report: tables, figures, a page for a browser and one for GitHub."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from gaopt.compare.model import Comparison
from gaopt.journal.paths import ComparisonDir
from gaopt.report.comparison import interactive
from gaopt.report.comparison.facts import facts
from gaopt.report.comparison.figures import bands, figures
from gaopt.report.comparison.genes import Genes, genes
from gaopt.report.comparison.inference import Claims
from gaopt.report.comparison.interactive import Interactive
from gaopt.report.comparison.tables import tables
from gaopt.report.comparison.units import Unit, unit
from gaopt.report.plots.comparison.progress import shown
from gaopt.report.write import as_markdown, as_text, render


def write(comparison: Comparison, home: ComparisonDir) -> list[Path]:
    """Write every file of the report, each replaced whole; the same comparison gives the same bytes.

    Returns:
        The paths, the page for the browser first.
    """
    claimed, said_in, known = Claims(comparison), unit(comparison), genes(comparison)
    drawn = figures(comparison, claimed, said_in, known)
    plots = explored(comparison, said_in, known)
    found = tables(comparison, claimed, known)
    said = {
        "facts": facts(comparison, claimed, said_in, home, known),
        "figures": drawn,
        "plots": plots,
        "script": interactive.script() if plots else Markup(""),
        "tables": list(found),
    }
    files = {
        home.report: render("comparison/page.html.j2", said, autoescape=True, finalize=as_text),
        home.markdown: render("comparison/report.md.j2", said, finalize=as_markdown),
        **{home.figure(figure.name): f"{figure.svg}\n" for figure in drawn},
        **{home.table(name): text for name, text in found.items()},
    }
    for path, text in files.items():
        home.write(path, text)
    return list(files)


def verdict(comparison: Comparison) -> str:
    """The outcome in one sentence."""
    return Claims(comparison).verdict


def explored(comparison: Comparison, unit: Unit, genes: Genes) -> list[Interactive]:
    """The plots that answer the pointer; none without plotly, or before anything was scored."""
    if not interactive.installed() or not any(search.history.scored for search in comparison.searches):
        return []
    explorer = interactive.Explorer(comparison, genes.space, unit)
    plots = [
        explorer.progress(shown(bands(comparison)["epochs"].values(), unit.factor)),
        explorer.searched(),
        explorer.interactions(genes.surfaces),
    ]
    return [plot for plot in plots if plot]
