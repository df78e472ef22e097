"""All that a running service is made of, and what can be asked of it, whoever asks: the REST interface or the page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from gaopt.journal.lock import held
from gaopt.journal.paths import StudyDir, results
from gaopt.journal.studies import free_dir, new_dir
from gaopt.serve.catalog import Catalog, Summary, empty
from gaopt.serve.dispatch import Dispatcher
from gaopt.serve.folder import ServiceDir, write_private
from gaopt.serve.problems import Refused
from gaopt.serve.queue import ACTIVE, Entry, Queue
from gaopt.serve.request import Notes, Policy, StudyRequest, plan, wanted
from gaopt.serve.runner import Runner
from gaopt.serve.tokens import Tokens
from gaopt.study.prepare import resumed


@dataclass
class Service:
    """A service over one results folder.

    Attributes:
        slots: studies that run at once.
        price: of an hour of one training, in any currency; None where nobody said.
        address: where people find it.
    """

    folder: ServiceDir
    runner: Runner
    slots: int = 1
    policy: Policy = field(default_factory=Policy)
    price: float | None = None
    address: str = ""

    def __post_init__(self) -> None:
        self.folder.make()
        self.queue, self.tokens = Queue(self.folder.queue), Tokens(self.folder)
        self.catalog = Catalog(self.queue)
        self.dispatcher = Dispatcher(self.folder, self.queue, self.runner, self.slots, self.address)
        self._naming, self._measuring = threading.Lock(), threading.Lock()
        self._measured: dict[str, tuple[float | None, int | None]] = {}

    def submit(self, request: StudyRequest, owner: str, key: str | None) -> tuple[Summary, bool]:
        """Put a study into the queue. Returns its summary, and whether it is a new one: the key may be known.

        Raises:
            BadInput, Forbidden: it cannot be run; nothing was written.
        """
        known = self.queue.by_key(key) if key else None
        found = None if known else wanted(request, self.policy)
        with self._naming:
            if key and (known := self.queue.by_key(key)):
                return self._now(known), False
            assert found
            self._check_name(request.name, found.stem)
            home = new_dir(request.name, found.stem)  # from now on nobody else can have it
            try:
                write_private(self.folder.config(home.name), tomli_w.dumps(found.ready.config.plain()))
                if request.note or request.tags:
                    _write(home, request)
                self.queue.add(home.name, "run", owner, key)
            except BaseException:  # a full disk
                self.dispatcher.forget(home)
                raise
        return self.catalog.summary(home.name), True

    def _now(self, entry: Entry) -> Summary:
        """The study of an entry, also where it was taken off the queue before it began."""
        gone = entry.state == "cancelled" and not StudyDir(results() / entry.name).journal.is_file()
        return cancelled(entry) if gone else self.catalog.summary(entry.name)

    def _check_name(self, name: str | None, stem: str) -> None:
        """Refuse a name that is taken, or cannot be a folder's."""
        if name and self._waits(name):
            raise Refused(409, f"the study {name!r} exists: give another name")
        free_dir(name, stem)

    def _waits(self, name: str) -> Entry | None:
        """The entry of a study that is queued or takes a slot."""
        entry = self.queue.of(name)
        return entry if entry and entry.state in ("queued", *ACTIVE) else None

    def stop(self, name: str) -> Summary:
        """Ask a study that runs to end in good order, or take it off the queue."""
        self.catalog.home(name)
        entry = self.dispatcher.stop(name)
        if not entry:
            by_hand = " here: stop it where it was started" if held(self.catalog.home(name).path) else ""
            raise Refused(409, f"the study {name!r} is not running{by_hand}")
        return self._now(entry)

    def go_on(self, name: str, owner: str, generations: int | None = None) -> Summary:
        """Put a study that stopped, or is to go further, into the queue again.

        Raises:
            BadInput: it cannot go on; nothing was written.
        """
        home = self.catalog.home(name)
        with self._naming:
            state = self.catalog.summary(name)["state"]
            over = state in ("finished", "interrupted", "failed")  # its process may linger
            if state == "finished" and generations is None:
                raise Refused(409, f"the study {name!r} is finished: extend it to more generations")
            if held(home.path) or (self._waits(name) and not over):
                raise Refused(409, f"the study {name!r} is running or waits: stop it first")
            if not home.journal.is_file():
                raise Refused(409, f"the study {name!r} never began: submit it again")
            table = resumed(home).numbers
            resumed(home, [] if generations is None else [f"{table}.generations={generations}"])
            self.queue.add(name, "resume", owner, generations=generations)
        return self.catalog.summary(name)

    def cancel(self, id: int) -> None:
        """Take an entry that waits off the queue."""
        entry = self._entry(id)
        if not self.dispatcher.cancel(entry):
            raise Refused(409, f"the entry {id} does not wait: it is {entry.state}")

    def move(self, id: int, position: int) -> None:
        """Put an entry that waits at a place of the queue, counted from 0."""
        entry = self._entry(id)
        if not self.queue.move(id, position):
            raise Refused(409, f"the entry {id} does not wait: it is {entry.state}")

    def _entry(self, id: int) -> Entry:
        if entry := self.queue.get(id):
            return entry
        raise Refused(404, f"there is no entry {id} in the queue")

    def note(self, name: str, said: Notes) -> Summary:
        """Write down what somebody says of a study, beside its journal."""
        _write(self.catalog.home(name), said)
        return self.catalog.summary(name)

    def plan(self, request: StudyRequest, measure: bool) -> dict[str, Any]:
        """What a study would do, and, with `measure`, how long it would take: three steps of it are timed here."""
        found = wanted(request, self.policy)
        self._check_name(request.name, found.stem)
        seconds, at_once = self._measure(tomli_w.dumps(found.ready.config.plain())) if measure else (None, None)
        told = plan(found) | {"seconds": seconds, "at_once": at_once, "cost": None}
        if self.price is not None and seconds is not None and at_once:
            told["cost"] = self.price * at_once * seconds / 3600
        return told

    def _measure(self, config: str) -> tuple[float | None, int | None]:
        """Seconds of the whole study, and how many train at once, by a dry run of the command."""
        if not self._measuring.acquire(blocking=False):
            raise Refused(503, "the time of another study is measured now: ask again later")
        try:
            if config not in self._measured:
                with tempfile.TemporaryDirectory(dir=self.folder.path) as folder:
                    path = Path(folder) / "config.toml"
                    path.write_text(config, "utf-8")
                    command = [sys.executable, "-m", "gaopt", "run", str(path), "--dry-run", "--json"]
                    try:
                        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
                    except subprocess.TimeoutExpired:
                        raise Refused(503, "the time cannot be measured now: the machine is too busy") from None
                if done.returncode:
                    raise Refused(400, (done.stderr.strip().splitlines() or ["no message"])[-1].removeprefix("gaopt: "))
                found = json.loads(done.stdout.splitlines()[-1])
                self._measured[config] = found["seconds"], found["at_once"]
            return self._measured[config]
        finally:
            self._measuring.release()

    def entries(self) -> list[dict[str, Any]]:
        """What takes a slot and what waits, in their order."""
        places = self.queue.places()
        return [
            {
                "id": entry.id,
                "name": entry.name,
                "state": entry.state,
                "position": places.get(entry.id),
                "owner": entry.owner,
                "created": entry.created,
                "error": entry.error or None,
            }
            for entry in (*self.queue.active(), *self.queue.waiting())
        ]

    def log(self, name: str, most: int, after: int | None = None) -> tuple[bytes, int]:
        """What the newest run of a study printed, at most so many bytes: its end, or what follows an offset.

        Returns it with the offset at which it ends. An offset beyond the end is of an earlier run: the newest has a
        log of its own.
        """
        entry = self.queue.of(name)
        if entry is None:
            raise Refused(404, f"there is no log of {name!r} here: it was not begun by this service")
        path = self.folder.log(entry.id)
        if not path.is_file():  # it waits
            return b"", 0
        with open(path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - most) if after is None else after if after <= end else 0)
            return file.read(most), file.tell()


def _write(home: StudyDir, said: Notes) -> None:
    home.write(home.notes, json.dumps({"note": said.note, "tags": said.tags}, ensure_ascii=False, indent=1))


def cancelled(entry: Entry) -> Summary:
    """The summary of a study that was taken off the queue before it began: nothing of it is left."""
    return empty(entry.name) | {
        "state": "cancelled", "note": "", "tags": [], "owner": entry.owner,
        "queue": {"id": entry.id, "position": None, "state": "cancelled"},
    }  # fmt: skip
