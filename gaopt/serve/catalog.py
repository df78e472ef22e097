"""All studies of the results folder, each with its state, as the list and the page of one show them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from gaopt.compare.progress import compared
from gaopt.errors import BadInput, StudyError
from gaopt.journal.lock import held
from gaopt.journal.paths import ComparisonDir, StudyDir, results
from gaopt.journal.studies import comparisons, find_study, studies
from gaopt.serve.folder import read_json
from gaopt.serve.queue import ACTIVE, Entry, Queue
from gaopt.serve.reader import Reader, written
from gaopt.study.progress import Progress, look

KEPT = 500_000
"""Events whose histories stay in memory: a study of 10,000 individuals has 120,000, takes half a gigabyte, and 4 s to
read again."""
Summary = dict[str, Any]


class Catalog:
    """The studies. Any thread may use it."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._lock = threading.RLock()
        self._readers: OrderedDict[str, Reader] = OrderedDict()
        self._known: dict[str, tuple[tuple[Any, ...], Summary]] = {}

    def reader(self, name: str) -> Reader:
        """The reader of a study by name, also of one that waits and has no journal yet.

        Raises:
            StudyError: there is no such study.
        """
        home = self.home(name)
        with self._lock:
            if name not in self._readers:
                self._readers[name] = Reader(home)
            self._readers.move_to_end(name)
            while len(self._readers) > 1 and sum(reader.number for reader in self._readers.values()) > KEPT:
                self._readers.popitem(last=False)
            return self._readers[name]

    def home(self, name: str) -> StudyDir:
        """The folder of a study by its name, never by a path.

        Raises:
            StudyError: there is no such study.
        """
        if "/" in name or name in (".", ".."):
            raise StudyError(f"there is no study {name!r}")
        if (entry := self._queue.of(name)) and _is_study(entry):
            return StudyDir(results() / name)
        return find_study(name)

    def summary(self, name: str, reader: Reader | None = None) -> Summary:
        """One study, read by a reader that is there already, or by the catalog's own.

        Raises:
            StudyError: there is no such study, or it cannot be read.
        """
        home, entry = self.home(name), self._queue.of(name)
        reader = reader or self.reader(name)
        found = summary_of(reader.progress()) if reader.catch_up() else empty(name)
        return _with(found, home, entry, self._queue.places().get(entry.id) if entry else None)

    def all(self) -> list[Summary]:
        """All studies and comparisons, the newest first. One that cannot be read says why."""
        entries = self._queue.newest()
        places = self._queue.places()
        found = {home.name: self._summary(home) for home in (*studies(), *comparisons())}
        for name, entry in entries.items():
            if name not in found and _is_study(entry):
                found[name] = empty(name) | {"started": entry.created, "error": entry.error or None}
        every = [
            _with(summary, StudyDir(results() / name), entry, places.get(entry.id) if entry else None)
            for name, summary in found.items()
            for entry in (entries.get(name),)
        ]
        return sorted(every, key=lambda summary: summary["started"], reverse=True)

    def _summary(self, home: StudyDir) -> Summary:
        """From its journal, which is read only where it changed."""
        signature = _signature(home)
        known = self._known.get(home.name)
        if known and known[0] == signature and known[1]["state"] != "running":
            return known[1]
        try:
            found = self._read(home)
        except BadInput as error:
            found = empty(home.name) | {"state": "unreadable", "error": str(error)}
        self._known[home.name] = signature, found
        return found

    def _read(self, home: StudyDir) -> Summary:
        if isinstance(home, ComparisonDir):
            now = compared(home)
            best = [one.fitness for one in now.begun if one.fitness is not None]
            return empty(home.name) | {
                "kind": "comparison",
                "state": now.state,
                "best": {"individual": None, "fitness": max(best), "genes": {}} if best else None,
                "done": sum(one.done for one in now.begun),
                "failed": sum(one.failed for one in now.begun),
                "trainings": sum(one.trainings for one in now.begun),
                "elapsed": now.elapsed,
                "started": min((one.started for one in now.begun), default=0.0),
            }
        if held(home.path):  # it runs: the next look reads only what is new
            reader = self.reader(home.name)
            reader.catch_up()
            return summary_of(reader.progress())
        return summary_of(look(home))


def _is_study(entry: Entry) -> bool:
    """Whether a study stands in the list that has no journal: it is to come, or says why it never came."""
    return entry.state in ("queued", *ACTIVE) or bool(entry.error)


def _signature(home: StudyDir) -> tuple[Any, ...]:
    path = home.plan if isinstance(home, ComparisonDir) else home.journal
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size, held(home.path)


def summary_of(now: Progress) -> Summary:
    """A study in short, without what the queue and people say of it."""
    plain = now.plain()
    return {
        "name": now.name,
        "kind": "study",
        "state": now.state,
        "best": {"individual": now.best.id, "fitness": now.fitness, "genes": now.best.genes} if now.best else None,
        **{key: plain[key] for key in ("done", "trainings", "failed", "early", "generation", "generations")},
        **{key: plain[key] for key in ("elapsed", "left", "started", "mean", "test", "ended")},
        "epochs": now.epochs,
        "running": [one.id for one in now.running],
        "error": None,
    }


def empty(name: str) -> Summary:
    zeros = dict.fromkeys(("done", "trainings", "failed", "early", "generations", "epochs"), 0)
    nothing = dict.fromkeys(("best", "left", "mean", "test", "ended", "error"))
    return {
        "name": name, "kind": "study", "state": "empty", **zeros, **nothing, "generation": -1,
        "elapsed": 0.0, "started": 0.0, "running": [],
    }  # fmt: skip


def _with(found: Summary, home: StudyDir, entry: Entry | None, place: int | None) -> Summary:
    """A summary with what the queue knows, and the notes that lie beside the journal."""
    said = notes(home)
    more: Summary = {"note": said["note"], "tags": said["tags"], "queue": None, "owner": None}
    if entry:
        more["owner"] = entry.owner
        more["queue"] = {"id": entry.id, "position": place, "state": entry.state}
        if entry.state in ("queued", "stopping"):
            more["state"] = entry.state
        elif entry.state in ("starting", "running") and written(home) == entry.before:
            more["state"] = "starting"
        elif entry.error and found["state"] not in ("running", "finished"):
            more["error"] = entry.error
            if found["state"] == "empty":
                more["state"] = "failed"
    return found | more


def notes(home: StudyDir) -> dict[str, Any]:
    """What people wrote of a study: its note and tags."""
    try:
        found: Mapping[str, Any] = read_json(home.notes)
    except StudyError:
        found = {}
    tags = found.get("tags")
    return {"note": str(found.get("note", "")), "tags": list(map(str, tags)) if isinstance(tags, list) else []}
