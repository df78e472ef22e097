"""One study as the service reads it: its history, kept up as events come, and each event as a stream sends it."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from itertools import islice

from gaopt.errors import StudyError
from gaopt.journal.events import Event, encode
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.lock import held
from gaopt.journal.paths import StudyDir
from gaopt.study.progress import Progress, progress

RECENT = 5_000
"""Events that are kept encoded: a watcher that lost its connection for a while needs no look into the journal."""
BATCH = 250
"""Events sent at once to a watcher that comes late: 300 kB are kept for one that does not read them."""


class Reader:
    """The history of a study, and its newest events. Any thread may use it.

    The journal is read from the last event on, so that a study of 10,000 individuals costs what is new in it.

    Attributes:
        history: read it within `lock` only.
        number: of the last event in it.
        lives: how often the study was begun anew under its name: a number is of the newest.
    """

    def __init__(self, home: StudyDir) -> None:
        self.home, self.lock, self.lives = home, threading.RLock(), 0
        self._clear()

    def _clear(self) -> None:
        self.history, self.number = History(), 0
        self.lives += 1
        self._signature: tuple[int, ...] = ()
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=RECENT)
        self.snapshot = "", ""  # its mark, and the text, which takes 0.2 s of a processor for 10,000 individuals

    def catch_up(self) -> int:
        """Read what is new in the journal. Returns the number of its last event; 0 where there is no journal yet.

        Raises:
            StudyError: it cannot be read.
        """
        with self.lock:
            try:
                stat = self.home.journal.stat()
            except OSError:
                if self.number:
                    self._clear()
                return 0
            signature = stat.st_ino, stat.st_mtime_ns, stat.st_size
            if signature != self._signature:
                with Journal(self.home.journal) as journal:
                    last = next(journal.since(self.number - 1, 1), None) if self.number else None
                    if self.number and (not last or last[1].at != self.history.updated):  # removed, and begun again
                        self._clear()
                    newest: deque[tuple[int, Event]] = deque(maxlen=RECENT)
                    try:
                        for number, event in journal.since(self.number):
                            self.history.add(event)
                            newest.append((number, event))
                            self.number = number
                    finally:  # also of a journal that is damaged further on
                        self._recent.extend((number, message(number, event)) for number, event in newest)
                self._signature = signature
            return self.number

    def progress(self) -> Progress:
        """How far the study is now, from what was read."""
        with self.lock:
            holds = held(self.home.path)
            return progress(self.home.name, self.history, held=holds, now=time.time())

    def after(self, number: int) -> tuple[bytes, int]:
        """Events after a number, as a stream sends them, and the number of the last of them; at most a batch.

        Raises:
            StudyError: the journal cannot be read.
        """
        with self.lock:
            if number >= self.number:
                return b"", number
            if self._recent and self._recent[0][0] <= number + 1:
                skipped = number + 1 - self._recent[0][0]
                found = list(islice(self._recent, skipped, skipped + BATCH))
                return b"".join(text for _, text in found), found[-1][0]
        with Journal(self.home.journal) as journal:
            events = list(journal.since(number, BATCH))
        if not events:
            raise StudyError(f"the journal of {self.home.name!r} ends before event {number}")
        return b"".join(message(*each) for each in events), events[-1][0]


def message(number: int, event: Event) -> bytes:
    """An event as a message of a stream: its id is its number, so that Last-Event-ID catches up."""
    kind, body = encode(event)
    data = f'{body[:-1]}{"," if len(body) > 2 else ""}"at":{event.at!r}}}'
    return f"id: {number}\nevent: {kind}\ndata: {data}\n\n".encode()


def announcement(event: str, data: object) -> bytes:
    """A message that is no event of a journal, and has no id."""
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def written(home: StudyDir) -> int:
    """When a study's journal was written to last, as its file system says; 0 where there is none."""
    try:
        return home.journal.stat().st_mtime_ns
    except OSError:
        return 0
