"""A page: a list of sections, each with its table, figure and sentences. HTML and Markdown are made from the same list.

A study, an experiment of a paper and a comparison each have a list of their own.
"""

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

    def markdown(self) -> str:
        if not self.rows:
            return ""
        marks = [":--" if column in self.text else "--:" for column in range(len(self.head))]
        lines = [map(as_markdown, self.head), marks, *(map(as_markdown, row) for row in self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True)
class Section:
    """A part of a page. Its fields are shown in this order; empty ones are left out, and so is an empty section.

    Attributes:
        text: a paragraph; the caption, if there is a figure.
        svg: a figure.
        commands: lines of a shell, what they do as comments.
        python: a program.
        toml: a config, folded away in HTML.
        name: of the figure's file, and the id of the section in HTML.
    """

    title: str
    text: str = ""
    table: Table | None = None
    svg: str = ""
    note: Sequence[str] = ()
    items: Sequence[str] = ()
    commands: str = ""
    python: str = ""
    toml: str = ""
    name: str = ""

    @property
    def inline(self) -> Markup:
        """The figure as part of a page, where SVG needs no namespace."""
        return Markup(self.svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))

    @property
    def empty(self) -> bool:
        shown = (self.text, self.table and self.table.rows, self.svg, self.items, self.commands)
        return not any(shown)

    def markdown(self) -> str:
        """Without what is in HTML only."""
        title = as_markdown(self.title)
        parts = [
            f"## {title}",
            as_markdown(self.text),
            self.table.markdown() if self.table else "",
            f"![{title}](figures/{self.name}.svg)" if self.svg else "",
            *map(as_markdown, self.note),
            "\n".join(f"- {as_markdown(item)}" for item in self.items),
            f"```sh\n{self.commands}\n```" if self.commands else "",
            f"```python\n{self.python}```" if self.python else "",
            f"The config:\n\n```toml\n{self.toml}```" if self.toml else "",
        ]
        return "\n\n".join(part for part in parts if part)


@dataclass(frozen=True)
class Page:
    """
    Attributes:
        kind: of what it is the page.
        state: in one word or sentence, whether it goes on.
        result: sentences, the first of which is the outcome.
        numbers: (what, how much), for its size and cost.
    """

    kind: str
    name: str
    state: str
    result: list[str]
    numbers: list[tuple[str, str]]
    sections: list[Section] = field(default_factory=list)

    @property
    def shown(self) -> list[Section]:
        return [section for section in self.sections if not section.empty]

    def html(self) -> str:
        layout: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
        loader = PackageLoader("gaopt", "report")
        environment = Environment(
            loader=loader, undefined=StrictUndefined, autoescape=True, finalize=_as_text, **layout
        )
        return environment.get_template("page.html.j2").render(page=self)

    def markdown(self) -> str:
        first, *others = map(as_markdown, self.result)
        cells = Table([what for what, _ in self.numbers], [[much for _, much in self.numbers]])
        parts = [f"# {as_markdown(self.name)}", f"**{first}**", *others, f"State: {as_markdown(self.state)}."]
        return "\n\n".join([*parts, cells.markdown(), *(each.markdown() for each in self.shown)]) + "\n"


def save(page: Page, home: StudyDir, tables: Mapping[str, str]) -> list[Path]:
    """Write a page, its figures, and tables as CSV by their names; each file is replaced whole."""
    figures = {home.figure(section.name): f"{section.svg}\n" for section in page.shown if section.svg}
    files = {home.report: page.html(), home.markdown: page.markdown(), **figures}
    return save_all(home, files | {home.table(name): text for name, text in tables.items()})


def save_all(home: StudyDir, files: Mapping[Path, str]) -> list[Path]:
    for path, text in files.items():
        home.write(path, text)
    return list(files)


def _as_text(value: object) -> object:
    """A value as text for a page, on as many lines; the page escapes what is HTML."""
    return value if isinstance(value, Markup) else printable_lines(str(value))


def as_markdown(value: object) -> str:
    """A value as Markdown that shows it as it is, on one line."""
    return re.sub(r"([\\`*_\[\]<>|~&$])", r"\\\1", printable(" ".join(str(value).split())))
