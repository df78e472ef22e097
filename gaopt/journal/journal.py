"""The study's SQLite file: an append-only table of events.

A transaction is on the disk (`synchronous=EXTRA`: its folder, too) before `append` or `commit` returns. There is one
writer at a time (`gaopt.journal.lock`); readers need no lock and may come at any time.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any

from gaopt.errors import GaoptError, StudyError, Unwritable
from gaopt.journal.events import Bred, Event, Failed, Granted, Reported, Retried, Scored, Started, decode, encode
from gaopt.journal.lock import StudyLock
from gaopt.journal.untrusted_db import check_rollback, check_schema, check_sequence

FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq  INTEGER PRIMARY KEY,
    at   REAL NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
)
"""


_PATIENCE = 300.0
"""Seconds that a driver waits for a tool that looks into the file and locks it, and a reader for a write."""
_NEW = f"BEGIN; {_SCHEMA}; PRAGMA user_version = {FORMAT}; COMMIT"


class Journal:
    """One study's events.

    Attributes:
        last: the number of the last event, when the file was opened or written to; 0 in an empty one.

    Example:
        >>> with Journal(path, write=True) as journal:
        ...     journal.append(event)
        >>> history = History(Journal(path))
    """

    def __init__(self, path: Path, *, write: bool = False, clock: Callable[[], float] = time.time) -> None:
        """Open the file; with `write`, hold it alone, and make it with the first event if need be.

        Raises:
            StudyError: there is no such file, it is not a journal, it is of a later format, or another
                process holds it.
            Unwritable: it cannot be written.
        """
        self.path, self._clock = path, clock
        self._hold = StudyLock(path.parent) if write else None
        if not write and not path.is_file():
            raise StudyError(f"there is no journal at {path}")
        self._new = write and not path.exists()
        self._added: list[tuple[float, str, str]] = []
        try:
            self._connection = self._begin() if self._new else _connect(path, write)
            self.last = self._count()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> sqlite3.Connection:
        """A journal under another name: who sees one sees its first event, and can go on with the study."""
        try:
            self._sweep()
        except OSError as error:
            raise Unwritable(f"{self.path} cannot be written: {error.strerror}") from error
        return _connect(self._parts[0], write=True)

    def _sweep(self) -> None:
        for part in self._parts:
            part.unlink(missing_ok=True)

    def _publish(self) -> None:
        self._connection.close()
        self._parts[0].replace(self.path)
        self._connection, self._new = _connect(self.path, write=True), False

    @property
    def _parts(self) -> tuple[Path, Path]:
        """A journal without its first event, and what SQLite would put it right with."""
        return self.path.with_name(f"{self.path.name}.part"), self.path.with_name(f"{self.path.name}.part-journal")

    def append(self, event: Event) -> Event:
        """Make an event durable. Returns it, stamped with the time.

        Raises:
            Unwritable, StudyError: see `commit`.
        """
        stamped = self.add(event)
        self.commit()
        return stamped

    def add(self, event: Event) -> Event:
        """Keep an event that `commit` makes durable, together with others. Returns it, stamped with the time.

        A transaction takes five syncs, however many events are in it: 1.5 ms on a quiet disk, 10 ms on a busy one.
        """
        stamped = replace(event, at=self._clock())
        self._added.append((stamped.at, *encode(stamped)))
        return stamped

    def commit(self) -> None:
        """Make durable what was added.

        Raises:
            Unwritable: there is no room for it, say. The journal is as it was, and can be read.
            StudyError: the file is damaged; or another process has written to it, which the lock would have forbidden.
        """
        if not self._added:
            return
        added, self._added = self._added, []
        rows = [(self.last + n, *row) for n, row in enumerate(added, 1)]  # numbered: nobody's event comes in between
        try:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT INTO events (seq, at, kind, body) VALUES (?, ?, ?, ?)", rows)
            self._connection.execute("COMMIT")
            self.last += len(rows)
            if self._new:
                self._publish()
        except BaseException as error:
            before = rows[0][0] - 1
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                self.last = self._count()  # where only the last sync failed the events are there
            if isinstance(error, OSError | sqlite3.Error):
                raise self._refused(error) from error
            if self.last == before:  # a KeyboardInterrupt, say: they can be written yet
                self._added = added + self._added
            raise

    def _refused(self, error: Exception) -> GaoptError:
        if isinstance(error, sqlite3.IntegrityError):
            return StudyError(f"{self.path} was written to by another process: one driver at a time, please")
        if not isinstance(error, OSError | sqlite3.OperationalError):
            return StudyError(f"{self.path} cannot be written: {error}")
        moved = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED
        return Unwritable(
            f"{self.path} cannot be written: {'it was removed or moved while the study ran' if moved else error}"
        )

    def _count(self) -> int:
        """The number of the last event."""
        return int(self._connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])

    def since(self, seq: int, most: int = -1) -> Iterator[tuple[int, Event]]:
        """The events after a sequence number, each with its own; at most so many, if not all."""
        return self._read("TRUE", seq, most)

    def _read(self, which: str, seq: int, most: int = -1) -> Iterator[tuple[int, Event]]:
        select = f"SELECT seq, kind, body, at FROM events WHERE seq > ? AND {which} ORDER BY seq LIMIT ?"
        try:
            rows = self._connection.execute(select, (seq, most)).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise StudyError(f"{self.path} cannot be read: {error}") from error
        rows.reverse()
        while rows:  # each row is forgotten once it is an event: together they take as much memory
            number, kind, body, at = rows.pop()
            try:
                yield number, decode(kind, body, at)
            except StudyError as error:
                raise StudyError(f"{self.path}: {error}") from error

    def outline(self) -> Iterator[Event]:
        """All events but the starts and epochs of trainings that are over, which are most of a journal."""
        events = list(self._read("kind NOT IN ('Reported', 'Started')", 0))
        training: dict[int, int] = {}  # since which event
        for number, event in events:
            match event:
                case Bred(_, births):
                    training |= {birth.id: number for birth in births}
                case Granted(individuals):
                    training |= dict.fromkeys(individuals, number)
                case Retried(individual):
                    training[individual] = number
                case Scored(individual) | Failed(individual):
                    training.pop(individual, None)
        if training:
            of_trainings = self._read("kind IN ('Reported', 'Started')", min(training.values()))
            events = list(merge(events, of_trainings, key=itemgetter(0)))
        for number, event in events:
            if not isinstance(event, Reported | Started) or number > training.get(event.individual, number):
                yield event

    def __iter__(self) -> Iterator[Event]:
        return (event for _, event in self.since(0))

    def close(self) -> None:
        try:
            if connection := getattr(self, "_connection", None):
                connection.close()
            if self._new:
                with suppress(OSError):
                    self._sweep()
                self._new = False
        finally:
            if self._hold:
                self._hold.release()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if connection := getattr(self, "_connection", None):
            connection.close()


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    check_rollback(path)
    try:
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, path, write)
        except BaseException:
            connection.close()
            raise
    except sqlite3.DatabaseError as error:
        raise _refusal(path, write, error) from error
    except UnicodeDecodeError as error:  # of a message that quotes what is no text
        raise StudyError(f"{path} is not a journal of gaopt: {error}") from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, write: bool) -> None:
    connection.execute("PRAGMA synchronous = EXTRA")
    check_schema(connection, path, _SCHEMA)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise StudyError(f"{path} has format {version}, this gaopt reads up to {FORMAT}: use a newer one")
    if write and version == 0:
        connection.executescript(_NEW)
    elif not write:
        connection.execute("PRAGMA query_only = ON")
    connection.execute("SELECT max(seq) FROM events").fetchone()
    if write:
        check_sequence(connection, path)


def _refusal(path: Path, write: bool, error: sqlite3.DatabaseError) -> GaoptError:
    """Why a file cannot be opened as a journal: the disk, or what is in it."""
    # What Python itself raises, of text that is none, has no code; the rest of a code says more, by the system call.
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind not in _DISK:
        return StudyError(f"{path} is not a journal of gaopt: {' '.join(str(error).split())}")
    if write:
        return Unwritable(f"{path} cannot be written: {error}")
    if kind == sqlite3.SQLITE_READONLY:
        return StudyError(
            f"{path} was left in the middle of a write, which cannot be undone where nothing can be written:"
            " make the folder writable, or read a copy of it"
        )
    return StudyError(f"{path} cannot be read: {error}")


_DISK = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOLFS,
)
"""Of SQLite's errors those of a disk: the file itself may be sound."""
