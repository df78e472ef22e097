"""The study's SQLite file: an append-only table of events.

Each `append` is one transaction, on the disk (`synchronous=FULL`) before it returns. There is one writer at a
time (`gaopt.hold`); readers need no lock and may come at any time.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from gaopt.errors import StudyError
from gaopt.events import Event, decode, encode
from gaopt.hold import Hold

FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq  INTEGER PRIMARY KEY,
    at   REAL NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
)
"""


_NEW = f"BEGIN; {_SCHEMA}; PRAGMA user_version = {FORMAT}; COMMIT"


class Journal:
    """One study's events.

    Example:
        >>> with Journal(path, write=True) as journal:
        ...     journal.append(event)
        >>> history = History(Journal(path))
    """

    def __init__(self, path: Path, *, write: bool = False, clock: Callable[[], float] = time.time) -> None:
        """Open the file; with `write`, make it if need be and hold it alone.

        Raises:
            StudyError: there is no such file, it is not a journal, it is of a later format, or another
                process holds it.
        """
        self.path, self._clock = path, clock
        self._hold = Hold(path.parent) if write else None
        if not write and not path.is_file():
            raise StudyError(f"there is no journal at {path}")
        try:
            if write and not path.exists():
                _create(path)
            self._connection = self._connect(write)
        except BaseException:
            self.close()
            raise

    def _connect(self, write: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > FORMAT:
                raise StudyError(f"{self.path} has format {version}, this gaopt reads up to {FORMAT}: use a newer one")
            if write and version == 0:
                connection.executescript(_NEW)
            elif not write:
                connection.execute("PRAGMA query_only = ON")
            connection.execute("SELECT max(seq) FROM events").fetchone()
        except sqlite3.DatabaseError as error:
            connection.close()
            raise StudyError(f"{self.path} is not a journal of gaopt: {error}") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def append(self, event: Event) -> Event:
        """Make an event durable. Returns it, stamped with the time."""
        stamped = replace(event, at=self._clock())
        row = (stamped.at, *encode(stamped))
        self._connection.execute("INSERT INTO events (at, kind, body) VALUES (?, ?, ?)", row)
        return stamped

    def since(self, seq: int) -> Iterator[tuple[int, Event]]:
        """The events after a sequence number, each with its own."""
        select = "SELECT seq, kind, body, at FROM events WHERE seq > ? ORDER BY seq"
        try:
            rows = self._connection.execute(select, (seq,)).fetchall()
        except sqlite3.DatabaseError as error:
            raise StudyError(f"{self.path} cannot be read: {error}") from error
        for number, kind, body, at in rows:
            yield number, decode(kind, body, at)

    def __iter__(self) -> Iterator[Event]:
        return (event for _, event in self.since(0))

    def follow(self, poll: float = 0.5, sleep: Callable[[float], None] = time.sleep) -> Iterator[Event | None]:
        """Every event from the first on, and None each time there is nothing new, for ever."""
        seq = 0
        while True:
            for number, event in self.since(seq):
                yield event
                seq = number
            yield None
            sleep(poll)

    def close(self) -> None:
        if connection := getattr(self, "_connection", None):
            connection.close()
        if self._hold:
            self._hold.release()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if connection := getattr(self, "_connection", None):
            connection.close()


def _create(path: Path) -> None:
    """An empty journal, whole from the moment that it can be seen: readers may come at any time."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(part, isolation_level=None)) as connection:
            connection.executescript(_NEW)
        part.replace(path)
    except (OSError, sqlite3.Error) as error:
        raise StudyError(f"{path} cannot be written: {error}") from error
