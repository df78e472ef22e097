"""What begins the runs of the queue, and sees how they end."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from gaopt.errors import BadInput, GaoptError, Lost, StudyError
from gaopt.journal.lock import held, holder
from gaopt.journal.paths import StudyDir, results
from gaopt.serve.folder import ServiceDir
from gaopt.serve.queue import ACTIVE, Entry, Queue
from gaopt.serve.runner import Runner
from gaopt.study.progress import State, look

TURN = 0.5
"""Seconds between two looks at what runs."""
ATTEMPTS = 3
"""How often a run that was killed is begun again."""
_log = logging.getLogger(__name__)


@dataclass
class Dispatcher:
    """Begins as many runs as there are slots, oldest first. One thread; a service that was killed goes on here.

    Attributes:
        extra: arguments of every `gaopt run` and `gaopt resume`.
    """

    folder: ServiceDir
    queue: Queue
    runner: Runner
    slots: int
    extra: Sequence[str] = ()

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
        with self._lock:
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
        state = self.state(entry.name)
        if entry.state == "stopping" and not state:
            self.queue.change(entry.id, "cancelled")
            self.forget(self._home(entry))
        elif entry.state == "stopping" or state in ("finished", "interrupted"):
            self.queue.change(entry.id, "ended")
        elif state == "failed":
            self.queue.change(entry.id, "ended", error=self._last_words(entry) or "the study failed")
        elif entry.handle and state is None:  # it ended before its study began: what it was given cannot be used
            self.queue.change(entry.id, "ended", error=self._last_words(entry) or "it ended before its first training")
        elif entry.attempts >= ATTEMPTS and entry.handle:
            self.queue.change(entry.id, "ended", error=f"it was killed {entry.attempts} times")
        else:
            self._begin(entry)

    def _begin(self, entry: Entry) -> None:
        # A service that was killed before it knew the handle begins the same run again, which may be there already.
        attempt = entry.attempts + (not entry.attempts or entry.handle != "")
        self.queue.change(entry.id, "starting", attempts=attempt, handle="", before=written(self._home(entry)))
        label = f"gaopt-{entry.name}-{entry.id}-{attempt}"
        try:
            handle = self.runner.start(label, self._arguments(entry), self.folder.log(entry.id), {"study": entry.name})
        except (Lost, OSError) as error:  # Ray is away, or there is no room for a log: it waits
            self.queue.change(entry.id, "queued", error=str(error))
            raise
        except GaoptError as error:
            self.queue.change(entry.id, "ended", error=str(error))
            return
        self.queue.change(entry.id, "running", handle=handle, error="")

    def _arguments(self, entry: Entry) -> list[str]:
        if entry.verb == "run" and self.state(entry.name) in (None, "empty"):
            return ["run", str(self.folder.config(entry.name)), "--name", entry.name, *self.extra]
        further = [] if entry.generations is None else ["--generations", str(entry.generations)]
        return ["resume", entry.name, *further, *self.extra]

    def stop(self, name: str) -> Entry | None:
        """Ask the run of a study to end in good order, or take it off the queue. Returns its entry, if it had one."""
        with self._lock:
            entry = self.queue.of(name)
            if not entry or entry.state not in ("queued", *ACTIVE):
                return None
            if entry.state == "queued":
                self.cancel(entry)
            elif entry.state != "stopping":
                self.queue.change(entry.id, "stopping")
                if entry.handle:
                    self.runner.stop(entry.handle)
                elif driver := holder(self._home(entry).path):  # the service was killed before it wrote the handle down
                    os.kill(driver, signal.SIGTERM)
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

    def stop_all(self, wait: float) -> list[str]:
        """Stop every run, and wait for them for so many seconds. Returns the names of their studies."""
        names = [entry.name for entry in self.queue.active()]
        for name in names:
            self.stop(name)
        deadline = time.monotonic() + wait
        while self.queue.active() and time.monotonic() < deadline:
            self.turn()
            time.sleep(TURN)
        return names

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

    def _last_words(self, entry: Entry) -> str:
        """The sentence with which the command ended."""
        try:
            with open(self.folder.log(entry.id), "rb") as file:
                file.seek(max(0, file.seek(0, 2) - 8192))
                lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
        except OSError:
            return ""
        said = [line for line in lines if line.startswith("gaopt: ")] or [line for line in lines if line]
        return said[-1].removeprefix("gaopt: ")[:500] if said else ""


def written(home: StudyDir) -> int:
    """When a study's journal was written to last, as its file system says; 0 where there is none."""
    try:
        return home.journal.stat().st_mtime_ns
    except OSError:
        return 0
