"""A study that was meddled with at one system call after another, and what has become of it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

from gaopt.errors import GaoptError
from gaopt.events import Event, Failed, Scored
from gaopt.home import Home
from gaopt.journal import Journal
from tests.kills import table, trained_twice
from tests.reliability.forks import Call, Ended, Forks, toy
from tests.reliability.row import Tally


class Walk:
    """Example:
    >>> walk = Walk(forks)
    >>> for call in spread(walk.calls, most=8):
    ...     tally += walk.step(call, "signal=SIGKILL", lambda ended: ended.code == -9, "killed")
    """

    def __init__(self, forks: Forks, generations: int = 2, population: int = 4) -> None:
        self.forks, self.config = forks, toy(forks.folder, generations, population)
        alone = self.start("undisturbed")
        assert alone.code == 0, alone.said
        self.expected, self.files = table(self.home("undisturbed")), self.listed("undisturbed")

    @cached_property
    def calls(self) -> list[Call]:
        """All calls of an undisturbed study that could have changed something of it."""
        return self.start("counted", strace=("-e", "signal=none")).writes(self.forks.results)

    def home(self, name: str) -> Home:
        return Home(self.forks.results / name)

    def listed(self, name: str) -> set[str]:
        """The files of a study."""
        folder = self.home(name).path
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    def arguments(self, name: str) -> list[str]:
        """Of the command that begins a study, or goes on with it if it is there."""
        there = self.home(name).journal.exists()
        return ["resume", name] if there else ["run", str(self.config), "--name", name]

    def start(self, name: str, strace: Sequence[str] = ()) -> Ended:
        return self.forks.command(*self.arguments(name), strace=strace)

    def step(self, call: Call, fault: str, as_it_should: Callable[[Ended], bool], how: str) -> Tally:
        """Run a study, cause a fault at a call of it, and go on with it to its end.

        Args:
            fault: as strace's `inject` has it.
            as_it_should: whether the command then ended so.
        """
        name = "meddled"
        shutil.rmtree(self.home(name).path, ignore_errors=True)
        ended = self.start(name, strace=("-e", f"inject={call.name}:{fault}:when={call.count}"))
        survived, lost = self.goes_on(name)
        good = as_it_should(ended) and survived
        if not good or lost:
            print(f"{call.name} {call.count} {fault}: exit code {ended.code}, {lost} lost\n{ended.said}")
        return Tally(1, int(good), lost, how)

    def goes_on(self, name: str) -> tuple[bool, int]:
        """Go on with a study: whether it ends as if nothing had been, and how many finished trainings were lost."""
        before = finished(self.home(name), self.forks.folder / "aside")
        again = self.start(name)
        lost = missing(before, finished(self.home(name), self.forks.folder / "aside")) + trained_twice(self.home(name))
        same = table(self.home(name)) == self.expected
        if again.code or again.crashed or not same or self.listed(name) != self.files:
            print(
                f"then: exit code {again.code}, the same: {same}, files {self.listed(name) ^ self.files}\n{again.said}"
            )
            return False, lost
        return True, lost


def finished(home: Home, aside: Path) -> list[Event]:
    """The ends of trainings in a journal."""
    if not home.journal.exists():
        return []
    with Journal(copied(home, aside).journal) as journal:
        return [event for event in journal if isinstance(event, Scored | Failed)]


def rows(home: Home, aside: Path) -> list[tuple[Any, ...]]:
    """All rows of a journal, as they are on the disk."""
    if not home.journal.exists():
        return []
    with closing(sqlite3.connect(copied(home, aside).journal)) as connection:
        return connection.execute("SELECT * FROM events ORDER BY seq").fetchall()


def copied(home: Home, aside: Path) -> Home:
    """A copy of a journal to be read: whoever goes on with the study is to find what the fault left."""
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    for path in home.path.glob("study.db*"):
        shutil.copy(path, aside)
    return Home(aside)


def missing(before: Sequence[object], after: Sequence[object]) -> int:
    """How many of what was there is not there any more, in its place and as it was."""
    return sum(each not in after for each in before)


def spread(calls: list[Call], most: int | None) -> Iterator[Call]:
    """So many of all calls, from the first to the last."""
    most = min(most or len(calls), len(calls))
    yield from (calls[n * (len(calls) - 1) // max(1, most - 1)] for n in range(most))


def sound(home: Home) -> bool:
    """Whether SQLite itself finds nothing wrong with a journal, and gaopt can read it; true where there is none."""
    if not home.journal.exists():
        return True
    try:
        with Journal(home.journal) as journal, closing(sqlite3.connect(home.journal)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
            return bool(verdict == "ok" and list(journal))
    except (sqlite3.Error, GaoptError):
        return False
