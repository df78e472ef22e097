"""A study as a small table of HTML, which a notebook renews while the search runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from html import escape
from importlib import import_module
from typing import Any

from gaopt.journal.events import Event
from gaopt.journal.history import History, Individual
from gaopt.printable import printable, shown
from gaopt.report.format import score
from gaopt.report.views import score_name
from gaopt.screen.live import STOPPING
from gaopt.study.progress import Progress, clock, progress

TOP = 5
"""The best individuals shown, besides those in training."""
EVERY = 0.5
"""Seconds between two drawings."""
_BAR = "height:.6em;border-radius:.3em;"


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook, and no terminal."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def html(now: Progress, history: History, note: str = "", top: int = TOP) -> str:
    """The state of a study, its best individuals and those in training, in the colours of the page around it."""
    rows = [(i, score(history.sign * i.fitness)) for i in history.ranked[:top]]
    rows += [(i, f"epoch {i.epoch}" if i.epoch else "running") for i in now.running]
    names = [name for name in now.config.get("space", ()) if any(name in i.genes for i, _ in rows)]
    table = _table(["", *names, score_name(history)], [_cells(i, names, value) for i, value in rows]) if rows else ""
    return (
        f"<div><b>{_text(now.name)}</b> &nbsp;{_text(now.state)}{note and ' – ' + _text(note)}<br>"
        f"{_bar(now.done, now.trainings)} {_text(_how_far(now))}{table}</div>"
    )


def _how_far(now: Progress) -> str:
    failed = f", {now.failed} failed" if now.failed else ""
    left = f", {clock(now.left)} left" if now.left is not None else ""
    best = f" · best {score(now.value)} by i{now.best.id}" if now.best else ""
    return f"{now.done}/{now.trainings} trained{failed} · {clock(now.elapsed)}{left}{best}"


def _cells(individual: Individual, names: Iterable[str], value: str) -> list[str]:
    genes = shown(individual.genes)
    return [f"i{individual.id}", *(genes.get(printable(name), "–") for name in names), value]


def _bar(done: int, of: int) -> str:
    part = f'<span style="{_BAR}background:#3b82f6;display:block;width:{100 * done / max(1, of):.0f}%"></span>'
    whole = f"{_BAR}background:rgba(127,127,127,.3);display:inline-block;vertical-align:middle;width:12em"
    return f'<span style="{whole}">{part}</span>'


def _table(head: list[str], rows: list[list[str]]) -> str:
    return f"<table><thead>{_row(head, 'th')}</thead>{''.join(_row(cells, 'td') for cells in rows)}</table>"


def _row(cells: list[str], kind: str) -> str:
    return f"<tr>{''.join(f'<{kind}>{_text(cell)}</{kind}>' for cell in cells)}</tr>"


def _text(found: str) -> str:
    return escape(printable(found))


class Table:
    """A watcher that renews one output of the cell.

    A widget where there is ipywidgets, which is renewed without a flicker; at the end plain HTML takes its place, which
    a saved notebook keeps.
    """

    def __init__(self, name: str, stopping: Callable[[], bool]) -> None:
        self._name, self._stopping, self._history, self._drawn = name, stopping, History(), 0.0
        self._display: Any = import_module("IPython.display")
        try:
            self._widget: Any = import_module("ipywidgets").HTML()
        except ImportError:
            self._widget = None

    def __enter__(self) -> Table:
        self._handle = self._display.display(self._widget or self._html(), display_id=True)
        return self

    def __exit__(self, *error: object) -> None:
        self._handle.update(self._html(TOP if any(error) else 0))  # the study at the end of the cell shows its own
        if self._widget:
            self._widget.close()

    def __call__(self, history: History, event: Event) -> None:
        self._history = history
        self.tick()

    def tick(self) -> None:
        """Draw it, if that is due."""
        if time.monotonic() > self._drawn + EVERY:
            self._drawn = time.monotonic()
            if self._widget:
                self._widget.value = self._html().data
            else:
                self._handle.update(self._html())

    def _html(self, top: int = TOP) -> Any:
        now = progress(self._name, self._history, held=True, now=time.time())
        if not self._history.opened:
            return self._display.HTML(f"<b>{_text(self._name)}</b> &nbsp;starting")
        note = STOPPING if self._stopping() and now.state == "running" else ""
        return self._display.HTML(html(now, self._history, note, top))
