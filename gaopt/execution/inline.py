"""A pool of one: trains in this process, one individual after another."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

from gaopt.errors import GaoptError
from gaopt.execution.worker import Begun, left_behind, watched
from gaopt.journal.events import Data, Failed, Noted, Outcome, Reported
from gaopt.objectives.base import Objective, Task

GRACE = 10
"""Seconds that a cancelled task has to end in."""
CLOSING = 60.0
"""Seconds that a task has to end in, by its next report, when nobody waits for it any more."""
_END = object()


class Inline:
    """A pool of one, in this process.

    Example:
        >>> pool = Inline(objective)
        >>> pool.submit(task)
        >>> pool.wait()
        Reported(...)
    """

    capacity = 1
    dashboard = ""

    def __init__(
        self,
        objective: Objective,
        shared: Any = None,
        made_of: Mapping[str, str] | None = None,
        data: Data | None = None,
    ) -> None:
        self._objective, self._shared, self.made_of, self.data = objective, shared, made_of or {}, data
        self._running: Generator[Outcome | None, None, None] | None = None
        self._late: Generator[Outcome | None, None, None] | None = None
        self._individual, self._begun = -1, False
        self._cancelled = threading.Event()

    @property
    def room(self) -> int:
        return 0 if self._running else 1

    def submit(self, task: Task) -> None:
        """Begin a task.

        Raises:
            GaoptError: a cancelled task does not end, and this process must not train two at once.
        """
        self._free()
        if hangs := left_behind():
            raise GaoptError(
                f"a training hangs and cannot be ended in this process ({hangs}):"
                " wait for its end, go on in another process, or train with pool.kind = 'ray'"
            )
        self._individual, self._begun = task.individual, False
        self._cancelled = threading.Event()
        running = watched(self._objective, replace(task, shared=self._shared), 1.0, self._cancelled, CLOSING)
        self._running = cast("Generator[Outcome | None, None, None]", running)

    def wait(self) -> Outcome | Begun | None:
        assert self._running, "nothing was submitted"
        if not self._begun:
            self._begun = True
            return Begun(self._individual)
        outcome = next(self._running, Failed(self._individual, "killed", "the task ended without a score"))
        if outcome and not isinstance(outcome, Reported | Noted):
            self.close()
        return outcome

    def cancel(self, individual: int) -> None:
        """Its thread ends with its next report."""
        self._cancelled.set()
        self._late, self._running = self._running, None

    def _free(self) -> None:
        """Wait for a cancelled task, which may end."""
        late, self._late = self._late, None
        if late and all(next(late, _END) is not _END for _ in range(GRACE)):
            late.close()

    def stop(self) -> Iterator[Outcome]:
        """It ends with its next report, or with its score if there is none before."""
        self._cancelled.set()
        running, self._running = self._running, None
        if not running:
            return
        deadline = time.monotonic() + CLOSING
        with closing(running):
            for outcome in running:
                if outcome:
                    yield outcome
                elif time.monotonic() > deadline:
                    return

    def close(self) -> None:
        """What hangs is left to end with this process."""
        if self._running:
            self._running.close()
        self._running = None
