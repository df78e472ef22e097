"""Progress by itself: a page that renews itself in a terminal, a table in a notebook, else plain lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gaopt.config import StudyConfig
from gaopt.journal.paths import StudyDir
from gaopt.printable import printable
from gaopt.screen.live import Lines, Page
from gaopt.screen.notebook import Table, in_notebook
from gaopt.study.loop import Watch, go_on, ignore
from gaopt.study.progress import planned


@contextmanager
def watching(
    home: StudyDir, config: StudyConfig, shown: bool, stopping: Callable[[], bool]
) -> Iterator[tuple[Watch, Callable[[], None]]]:
    """A watcher that shows a search, if it is to be `shown`, and a function to call at least every other second.

    `stopping` says whether the search was told to stop.
    """
    if not shown:
        yield ignore, go_on
    elif in_notebook():
        with Table(home.name, stopping) as table:
            yield table, table.tick
    elif sys.stderr.isatty():
        page = Page(home.name, stopping)
        with page.live:
            yield page, go_on
    else:
        said = f"study {home.name}: at most {planned(config)} trainings, results in {home.path}"
        print(printable(said), file=sys.stderr)
        yield Lines(sys.stderr), go_on
