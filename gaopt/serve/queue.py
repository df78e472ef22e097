"""The service's queue: an SQLite table of the runs that were asked for, first in, first out, durable.

An entry is one call of the command: `gaopt run` of a config, or `gaopt resume` of a study. What a study is doing is
read from its journal, never from here.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from gaopt.errors import StudyError, Unwritable

State = Literal["queued", "starting", "running", "stopping", "ended", "cancelled"]
ACTIVE: tuple[State, ...] = ("starting", "running", "stopping")
"""States of an entry that takes a slot."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    verb        TEXT NOT NULL,
    state       TEXT NOT NULL,
    position    REAL NOT NULL,
    owner       TEXT NOT NULL,
    created     REAL NOT NULL,
    before      INTEGER NOT NULL DEFAULT 0,
    generations INTEGER,
    key         TEXT UNIQUE,
    handle      TEXT NOT NULL DEFAULT '',
    attempts    INTEGER NOT NULL DEFAULT 0,
    error       TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS by_state ON entries (state, position);
CREATE INDEX IF NOT EXISTS by_name ON entries (name, id);
"""


@dataclass(frozen=True)
class Entry:
    """A run that was asked for.

    Attributes:
        name: of the study.
        verb: the command that does it.
        position: those that wait begin in its order.
        before: when the study's journal had been written to last as it was begun: by that a study that is starting is
            known, without a clock.
        generations: how far a study that goes on is to go; None for as far as before.
        key: by which the same request sent again is known.
        handle: what the runner knows the run by, "" before it began.
        attempts: how often it was begun.
        error: why it ended without a study that is finished or was told to stop; one sentence.
    """

    id: int
    name: str
    verb: Literal["run", "resume"]
    state: State
    position: float
    owner: str
    created: float
    before: int
    generations: int | None
    key: str | None
    handle: str
    attempts: int
    error: str


_COLUMNS = ", ".join(field.name for field in fields(Entry))


class Queue:
    """The table. Any thread may use it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StudyError(f"the queue {path} cannot be used: {error}") from error
        self._path = path

    def close(self) -> None:
        self._connection.close()

    def _execute(self, sql: str, values: Iterable[Any] = ()) -> list[Any]:
        try:
            with self._lock, closing(self._connection.execute(sql, tuple(values))) as cursor:
                return cursor.fetchall()
        except sqlite3.Error as error:  # a full disk, say
            raise Unwritable(f"the queue {self._path} cannot be used: {error}") from error

    def _select(self, rest: str, values: Iterable[Any] = ()) -> list[Entry]:
        return [Entry(*row) for row in self._execute(f"SELECT {_COLUMNS} FROM entries {rest}", values)]

    def add(self, name: str, verb: str, owner: str, key: str | None = None, generations: int | None = None) -> Entry:
        """Append an entry; the one that there is where the key was used before."""
        with self._lock:
            if key and (known := self.by_key(key)):
                return known
            self._execute(
                "INSERT INTO entries (name, verb, state, position, owner, created, generations, key)"
                " SELECT ?, ?, ?, coalesce(max(position), 0) + 1, ?, ?, ?, ? FROM entries",
                (name, verb, "queued", owner, time.time(), generations, key),
            )
            return self._select("WHERE id = last_insert_rowid()")[0]

    def by_key(self, key: str) -> Entry | None:
        return next(iter(self._select("WHERE key = ?", (key,))), None)

    def get(self, id: int) -> Entry | None:
        return next(iter(self._select("WHERE id = ?", (id,))), None)

    def of(self, name: str) -> Entry | None:
        """The newest entry of a study."""
        return next(iter(self._select("WHERE name = ? ORDER BY id DESC LIMIT 1", (name,))), None)

    def newest(self) -> dict[str, Entry]:
        """By study its newest entry."""
        return {entry.name: entry for entry in self._select("ORDER BY id")}

    def waiting(self) -> list[Entry]:
        """Those that are queued, the next first."""
        return self._select("WHERE state = 'queued' ORDER BY position, id")

    def places(self) -> dict[int, int]:
        """By the id of an entry that waits its place, counted from 0."""
        return {entry.id: place for place, entry in enumerate(self.waiting())}

    def active(self) -> list[Entry]:
        """Those that take a slot, the oldest first."""
        return self._select(f"WHERE state IN ({', '.join('?' * len(ACTIVE))}) ORDER BY id", ACTIVE)

    def change(self, id: int, state: State, **values: Any) -> None:
        """Set the state of an entry, and other columns."""
        columns = {"state": state, **values}
        self._execute(
            f"UPDATE entries SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?", (*columns.values(), id)
        )

    def cancel(self, id: int) -> bool:
        """Take an entry that waits off the queue; whether it still waited."""
        cancelled = "UPDATE entries SET state = 'cancelled' WHERE id = ? AND state = 'queued' RETURNING 1"
        return bool(self._execute(cancelled, (id,)))

    def move(self, id: int, place: int) -> bool:
        """Put an entry that waits at a place, counted from 0, of those that wait; whether it still waits."""
        with self._lock:
            others = [entry for entry in self.waiting() if entry.id != id]
            if len(others) == len(self.waiting()):
                return False
            place = min(place, len(others))
            low = others[place - 1].position if place else others[0].position - 2 if others else 0.0
            high = others[place].position if place < len(others) else low + 2
            self._execute("UPDATE entries SET position = ? WHERE id = ?", ((low + high) / 2, id))
            return True
