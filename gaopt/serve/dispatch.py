"""What begins the runs of the queue, and sees how they end."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass

from gaopt.errors import BadInput, GaoptError, Lost, StudyError
from gaopt.journal.lock import held, holder
from gaopt.journal.paths import StudyDir, results
from gaopt.serve.folder import ServiceDir
from gaopt.serve.queue import ACTIVE, Entry, Queue
from gaopt.serve.reader import written
from gaopt.serve.runner import Runner
from gaopt.study.progress import State, look

TURN = 0.5
"""Seconds between two looks at what runs."""
ATTEMPTS = 3
"""How often a run that was killed is begun again."""
_log = logging.getLogger(__name__)


@dataclass
class Dispatcher:
    """Begins as many runs as there are slots, oldest first. One thread; a service that was killed goes on here."""

    folder: ServiceDir
    queue: Queue
    runner: Runner
    slots: int
    address: str = ""

    def __post_init__(self) -> None:
        self._ended, self._lock = threading.Event(), threading.RLock()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        said = ""
        while not self._ended.wait(TURN):
            try:
                self.turn()
                said = ""
            except Exception as error:  # a full disk, say: what waits is begun later
                if str(error) != said:
                    unexpected = not isinstance(error, GaoptError)
                    _log.warning("the queue cannot be worked on now: %s", error, exc_info=unexpected)
                said = str(error)

    def turn(self) -> None:
        """See what ended, and begin what waits."""
        for entry in self.queue.active():
            self._look_after(entry)
        free = self.slots - len(self.queue.active())
        for entry in self.queue.waiting()[: max(0, free)]:
            self._begin(entry)

    def _look_after(self, entry: Entry) -> None:
        if entry.handle and self.runner.alive(entry.handle):
            return
        if held(self._home(entry).path):
            return  # its driver lives, also where its process was not written down
        self._settle(entry)

    def _settle(self, entry: Entry) -> None:
        """A run has ended, or never began: decide by the journal whether it is begun again."""
        state, silent = self.state(entry.name), written(self._home(entry)) == entry.before
        if entry.state == "stopping":
            self.queue.change(entry.id, "ended" if state else "cancelled")
            if not state:
                self.forget(self._home(entry))
        elif silent and entry.handle and (said := self._last_words(entry, "gaopt: ")):
            self.queue.change(entry.id, "ended", error=said)  # what it was given cannot be used
        elif not silent and state in ("finished", "interrupted"):
            self.queue.change(entry.id, "ended")
        elif not silent and state == "failed":
            self.queue.change(entry.id, "ended", error=self._last_words(entry) or "the study failed")
        elif entry.handle and entry.attempts >= ATTEMPTS:
            said = self._last_words(entry) if silent else ""
            self.queue.change(entry.id, "ended", error=said or f"it was killed {entry.attempts} times")
        else:
            self._begin(entry)
        if not silent:
            self.folder.config(entry.name).unlink(missing_ok=True)  # from now on the study has its own

    def _begin(self, entry: Entry) -> None:
        # A service that was killed before it knew the handle begins the same run again, which may be there already.
        attempt = entry.attempts + (not entry.attempts or entry.handle != "")
        with self._lock:
            now = self.queue.get(entry.id)
            if not now or now.state != entry.state:
                return  # cancelled or told to stop meanwhile
            self.queue.change(entry.id, "starting", attempts=attempt, handle="", before=written(self._home(entry)))
        label = f"gaopt-{entry.name}-{entry.id}-{attempt}-{int(entry.created)}"
        labels = {"study": entry.name, "page": f"{self.address}/studies/{entry.name}"}
        try:
            # Without the lock: a Ray that has to start takes a minute, in which others are answered.
            handle = self.runner.start(label, self._arguments(entry), self.folder.log(entry.id), labels)
        except (Lost, OSError) as error:  # Ray is away, or there is no room for a log: it waits
            self.queue.change(entry.id, "queued", error=str(error))
            raise
        except GaoptError as error:
            self.queue.change(entry.id, "ended", error=str(error))
            return
        with self._lock:
            now = self.queue.get(entry.id)
            stopping = now is not None and now.state == "stopping"
            self.queue.change(entry.id, "stopping" if stopping else "running", handle=handle, error="")
        if stopping:
            self.runner.stop(handle)

    def _arguments(self, entry: Entry) -> list[str]:
        if entry.verb == "run" and self.state(entry.name) in (None, "empty"):
            return ["run", str(self.folder.config(entry.name)), "--name", entry.name]
        further = [] if entry.generations is None else ["--generations", str(entry.generations)]
        return ["resume", entry.name, *further]

    def stop(self, name: str) -> Entry | None:
        """Ask the run of a study to end in good order, or take it off the queue. Returns its entry, if it had one."""
        with self._lock:
            entry = self.queue.of(name)
            if not entry or entry.state not in ("queued", *ACTIVE):
                return None
            if entry.state == "queued":
                self.cancel(entry)
            elif entry.state != "stopping":  # a second signal would end it at once
                if entry.handle and self.runner.alive(entry.handle):
                    self.runner.stop(entry.handle)
                elif driver := holder(self._home(entry).path):  # begun by a service that was killed before it said so
                    os.kill(driver, signal.SIGTERM)
                self.queue.change(entry.id, "stopping")
            return self.queue.get(entry.id)

    def cancel(self, entry: Entry) -> bool:
        """Take an entry that waits off the queue, with all that there is of its study; whether it still waited."""
        with self._lock:
            cancelled = self.queue.cancel(entry.id)
            if cancelled and entry.verb == "run":
                self.forget(self._home(entry))
            return cancelled

    def forget(self, home: StudyDir) -> None:
        """Remove what lies of a study that never began."""
        if home.journal.exists() or held(home.path):
            return
        self.folder.config(home.name).unlink(missing_ok=True)
        with suppress(StudyError):  # something else lies there
            home.check_new()
            shutil.rmtree(home.path, ignore_errors=True)

    @staticmethod
    def _home(entry: Entry) -> StudyDir:
        return StudyDir(results() / entry.name)

    @staticmethod
    def state(name: str) -> State | None:
        """What a study is doing, by its journal; None where it has none."""
        home = StudyDir(results() / name)
        if not home.journal.is_file():
            return None
        try:
            return look(home).state
        except BadInput:
            return "failed"

    def _last_words(self, entry: Entry, begins: str = "") -> str:
        """The sentence with which the command ended: an error's, or else, where it need not begin so, the last line."""
        try:
            with open(self.folder.log(entry.id), "rb") as file:
                file.seek(max(0, file.seek(0, 2) - 8192))
                lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
        except OSError:
            return ""
        said = [line for line in lines if line.startswith("gaopt: ")] or [line for line in lines if line and not begins]
        return said[-1].removeprefix("gaopt: ")[:500] if said else ""
