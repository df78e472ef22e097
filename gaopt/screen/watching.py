"""Progress by itself: a page that renews itself in a terminal, a table in a notebook, else plain lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from gaopt.config import StudyConfig
from gaopt.journal.events import Event
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.printable import printable
from gaopt.screen.live import Lines, Page
from gaopt.screen.notebook import Table, in_notebook
from gaopt.study.loop import Watch, go_on, ignore
from gaopt.study.progress import planned


@dataclass(frozen=True)
class Seen:
    """A watcher, and what is to be called at least every other second."""

    watch: Watch
    tick: Callable[[], None] = go_on

    def __call__(self, history: History, event: Event) -> None:
        self.watch(history, event)


class Named(Protocol):
    @property
    def home(self) -> StudyDir: ...


@contextmanager
def watching(study: Named, config: StudyConfig, shown: bool, stopping: Callable[[], bool]) -> Iterator[Seen]:
    """What shows a search of a config, where it is to be `shown`; `stopping` says whether it was told to stop."""
    name = study.home.name
    if not shown:
        yield Seen(ignore)
    elif in_notebook():
        with Table(name, stopping) as table:
            yield Seen(table, table.tick)
    elif sys.stderr.isatty():
        page = Page(name, stopping)
        with page.live:
            yield Seen(page)
    else:
        said = f"study {name}: at most {planned(config)} trainings, results in {study.home.path}"
        print(printable(said), file=sys.stderr)
        yield Seen(Lines(sys.stderr))
