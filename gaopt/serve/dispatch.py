"""What begins the runs of the queue, and sees how they end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from gaopt.errors import BadInput, GaoptError
from gaopt.journal.lock import held
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
        while not self._ended.wait(TURN):
            try:
                self.turn()
            except Exception:  # a full disk, say: what waits is begun later
                _log.exception("the queue cannot be worked on now")

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
        if entry.state == "stopping" or state in ("finished", "interrupted"):
            self.queue.change(entry.id, "ended" if state else "cancelled")
        elif state == "failed":
            self.queue.change(entry.id, "ended", error=self._last_words(entry) or "the study failed")
        elif entry.handle and state is None:  # it ended before its study began: what it was given cannot be used
            self.queue.change(entry.id, "ended", error=self._last_words(entry) or "it ended before its first training")
        elif entry.attempts >= ATTEMPTS:
            self.queue.change(entry.id, "ended", error=f"it was killed {entry.attempts} times")
        else:
            self._begin(entry)

    def _begin(self, entry: Entry) -> None:
        self.queue.change(entry.id, "starting", attempts=entry.attempts + 1, handle="", begun=time.time())
        label = f"gaopt-{entry.name}-{entry.id}-{entry.attempts + 1}"
        try:
            handle = self.runner.start(label, self._arguments(entry), self.folder.log(entry.id), {"study": entry.name})
        except GaoptError as error:
            self.queue.change(entry.id, "ended", error=str(error))
            return
        self.queue.change(entry.id, "running", handle=handle)

    def _arguments(self, entry: Entry) -> list[str]:
        if entry.verb == "run" and self.state(entry.name) in (None, "empty"):
            return ["run", str(self.folder.config(entry.name)), "--name", entry.name, *self.extra]
        further = [] if entry.generations is None else ["--generations", str(entry.generations)]
        return ["resume", entry.name, *further, *self.extra]

    def stop(self, name: str) -> bool:
        """Ask the run of a study to end in good order, or take it off the queue; whether there was one."""
        with self._lock:
            entry = self.queue.of(name)
            if not entry or entry.state not in ("queued", *ACTIVE):
                return False
            if entry.state == "queued":
                self.queue.change(entry.id, "cancelled")
            elif entry.state != "stopping":
                self.queue.change(entry.id, "stopping")
                self.runner.stop(entry.handle)
            return True

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
