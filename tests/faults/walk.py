"""A study that was meddled with at one system call after another, and what has become of it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from gaopt.errors import GaoptError
from gaopt.journal.events import Event, Failed, Scored
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from tests.faults.forks import Call, Ended, Forks, toy
from tests.faults.studies import Tally, table, trained_twice

T = TypeVar("T")
TRIES = 3
"""A run may open a file less than the one that was counted, and never come to its last call."""


class Walk:
    """A study that is run, meddled with at one of its system calls, and gone on with."""

    def __init__(self, forks: Forks, **config: Any) -> None:
        """
        Args:
            config: see `toy`.
        """
        self.forks, self.config = forks, toy(forks.folder, **config)
        alone = self.start("undisturbed")
        assert alone.code == 0, alone.said
        self.expected, self.files = table(self.home("undisturbed")), self.listed("undisturbed")

    @cached_property
    def calls(self) -> list[Call]:
        """All calls of an undisturbed study that could have changed something of it."""
        return self.start("counted", strace=("-e", "signal=none")).writes(self.forks.results)

    def home(self, name: str) -> StudyDir:
        return StudyDir(self.forks.results / name)

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
        ended = self.meddled(call, fault)
        good = ended.injected and as_it_should(ended)
        return self.judged("meddled", ended, good, f"{call.name} {call.count} {fault}", how)

    def meddled(self, call: Call, fault: str) -> Ended:
        """Run a study anew, as "meddled", and cause a fault at a call of it."""
        for _ in range(TRIES):
            shutil.rmtree(self.home("meddled").path, ignore_errors=True)
            ended = self.start("meddled", strace=("-e", f"inject={call.name}:{fault}:when={call.count}"))
            if ended.injected:
                break
        return ended

    def judged(self, name: str, ended: Ended, good: bool, fault: str, how: str) -> Tally:
        """What a fault comes to: go on with the study, and see whether it ends as if nothing had been."""
        whole = sound(self.home(name))
        survived, lost = self.goes_on(name)
        if not (good and whole and survived) or lost:
            print(f"{fault}: exit code {ended.code}, the journal is {'' if whole else 'not '}sound, {lost} lost")
            print(ended.said)
        return Tally(1, int(good and whole and survived), lost, how)

    def goes_on(self, name: str) -> tuple[bool, int]:
        """Go on with a study: whether it ends as if nothing had been, and how many finished trainings were lost."""
        home = self.home(name)
        before = finished(home)
        again = self.start(name)
        if again.code or again.crashed:
            print(f"cannot go on: exit code {again.code}\n{again.said}")
            return False, missing(before, finished(home))
        lost = missing(before, finished(home)) + trained_twice(home)
        same, others = table(home) == self.expected, self.listed(name) ^ self.files
        if not same or others:
            print(f"went on to {'the same' if same else 'another'} study, differing in the files {others}")
        return same and not others, lost


@contextmanager
def copied(home: StudyDir) -> Iterator[Path]:
    """A copy of a journal to be read: whoever goes on with the study is to find what the fault left."""
    with TemporaryDirectory() as folder:
        for path in home.path.glob("study.db*"):
            shutil.copy(path, folder)
        yield Path(folder) / home.journal.name


def finished(home: StudyDir) -> list[Event]:
    """The ends of trainings in a journal."""
    if not home.journal.exists():
        return []
    with copied(home) as path, Journal(path) as journal:
        return [event for event in journal if isinstance(event, Scored | Failed)]


def rows(home: StudyDir) -> list[tuple[Any, ...]]:
    """All rows of a journal, as they are on the disk."""
    if not home.journal.exists():
        return []
    with copied(home) as path, closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM events ORDER BY seq").fetchall()


def sound(home: StudyDir) -> bool:
    """Whether SQLite itself finds nothing wrong with a journal, and gaopt can read it; true where there is none."""
    if not home.journal.exists():
        return True
    try:
        with copied(home) as path, Journal(path) as journal, closing(sqlite3.connect(path)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
            return bool(verdict == "ok" and list(journal))
    except (sqlite3.Error, GaoptError):
        return False


def missing(before: Sequence[object], after: Sequence[object]) -> int:
    """How many of what was there is not there any more as it was."""
    return 0 if after[: len(before)] == before else sum(each not in after for each in before)


def spread(among: Sequence[T], most: int | None) -> Iterator[T]:
    """So many of them, from the first to the last; all of them if no number is given. Of none there is no fault."""
    assert among, "there is no place for the fault"
    most = min(most or len(among), len(among))
    yield from (among[n * (len(among) - 1) // max(1, most - 1)] for n in range(most))
