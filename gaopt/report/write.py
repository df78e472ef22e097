"""The files of a report: tables, figures, a page for a browser and one for GitHub."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.printable import printable, printable_lines
from gaopt.report import tables
from gaopt.report.facts import facts
from gaopt.report.figures import figures

_TABLES = (tables.individuals, tables.generations, tables.epochs, tables.cycle)


def write(history: History, home: StudyDir) -> list[Path]:
    """Write every file of the report, each replaced whole; the same history gives the same bytes.

    Returns:
        The paths, the page for the browser first.
    """
    drawn = figures(history)
    said = {"facts": facts(history, home), "figures": drawn}
    files = {
        home.report: render("page.html.j2", said, autoescape=True, finalize=as_text),
        home.markdown: render("report.md.j2", said, finalize=as_markdown),
        **{home.figure(figure.name): f"{figure.svg}\n" for figure in drawn},
        **{home.table(table.__name__): tables.csv(table(history)) for table in _TABLES},
    }
    for path, text in files.items():
        home.write(path, text)
    return list(files)


def render(template: str, said: dict[str, Any], **escaping: Any) -> str:
    layout: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    loader = PackageLoader("gaopt", "report")
    environment = Environment(loader=loader, undefined=StrictUndefined, **layout, **escaping)
    return environment.get_template(template).render(said).lstrip()


def as_text(value: object) -> object:
    """A value as text for a page, on as many lines; the page escapes what is HTML."""
    return value if isinstance(value, Markup) else printable_lines(str(value))


def as_markdown(value: object) -> object:
    """A value as Markdown that shows it as it is, on one line."""
    if isinstance(value, Markup):
        return value
    return re.sub(r"([\\`*_\[\]<>|~&$])", r"\\\1", printable(" ".join(str(value).split())))
