"""A page: a list of sections, each with its table, figure and sentences. HTML and Markdown are made from the same list.

A study, an experiment of a paper and a comparison each have a list of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gaopt.journal.paths import StudyDir
from gaopt.printable import printable, printable_lines


@dataclass(frozen=True)
class Table:
    """Cells as words. `text` holds the indices of columns that are not numbers; `strong`, a row to point out."""

    head: list[str]
    rows: list[list[str]]
    text: frozenset[int] = frozenset()
    strong: int = -1


@dataclass(frozen=True)
class Section:
    """A part of a page. Its fields are shown in this order; empty ones are left out, and so is an empty section.

    Attributes:
        text: a paragraph; the caption, if there is a figure.
        svg: a figure.
        plots: (title, figure) that a script shows, in HTML only: JSON, safe within a script element.
        commands: (what it does, the command) each.
        toml: a config, folded away in HTML.
        files: what lies beside the page, named in HTML only.
        name: of the figure's file, and the id of the section in HTML.
    """

    title: str
    text: str = ""
    table: Table | None = None
    svg: str = ""
    plots: Sequence[tuple[str, Markup]] = ()
    note: Sequence[str] = ()
    items: Sequence[str] = ()
    commands: Sequence[tuple[str, str]] = ()
    toml: str = ""
    files: str = ""
    name: str = ""

    @property
    def inline(self) -> Markup:
        """The figure as part of a page, where SVG needs no namespace."""
        return Markup(self.svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))

    @property
    def empty(self) -> bool:
        shown = (self.text, self.table and self.table.rows, self.svg, self.plots, self.items, self.commands)
        return not any(shown)


@dataclass(frozen=True)
class Page:
    """
    Attributes:
        kind: of what it is the page.
        state: in one word or sentence, whether it goes on.
        result: sentences, the first of which is the outcome.
        numbers: (what, how much), for its size and cost.
        script: what draws the plots.
    """

    kind: str
    name: str
    state: str
    result: list[str]
    numbers: list[tuple[str, str]]
    sections: list[Section] = field(default_factory=list)
    script: Markup | None = None

    @property
    def shown(self) -> list[Section]:
        return [section for section in self.sections if not section.empty]

    def html(self) -> str:
        return _render("page.html.j2", page=self, autoescape=True, finalize=_as_text)

    def markdown(self) -> str:
        return _render("page.md.j2", page=self, finalize=as_markdown).rstrip() + "\n"


def save(page: Page, home: StudyDir, tables: Mapping[str, str]) -> list[Path]:
    """Write the files of a report, each replaced whole: the page, its figures, and tables as CSV by their names.

    Returns:
        The paths, the page for the browser first.
    """
    figures = {home.figure(section.name): f"{section.svg}\n" for section in page.shown if section.svg}
    files = {home.report: page.html(), home.markdown: page.markdown(), **figures}
    return save_all(home, files | {home.table(name): text for name, text in tables.items()})


def save_all(home: StudyDir, files: Mapping[Path, str]) -> list[Path]:
    for path, text in files.items():
        home.write(path, text)
    return list(files)


def _render(template: str, page: Page, **escaping: Any) -> str:
    layout: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    loader = PackageLoader("gaopt", "report")
    environment = Environment(loader=loader, undefined=StrictUndefined, **layout, **escaping)
    return environment.get_template(template).render(page=page)


def _as_text(value: object) -> object:
    """A value as text for a page, on as many lines; the page escapes what is HTML."""
    return value if isinstance(value, Markup) else printable_lines(str(value))


def as_markdown(value: object) -> object:
    """A value as Markdown that shows it as it is, on one line."""
    if isinstance(value, Markup):
        return value
    return re.sub(r"([\\`*_\[\]<>|~&$])", r"\\\1", printable(" ".join(str(value).split())))
