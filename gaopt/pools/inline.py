"""A pool of one: trains in this process, one individual after another."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any, cast

from gaopt.events import Failed, Outcome, Reported
from gaopt.objective import Objective, Task
from gaopt.pools.base import watched


class Inline:
    """Example:
    >>> pool = Inline(objective)
    >>> pool.submit(task)
    >>> pool.wait()
    Reported(...)
    """

    capacity = 1
    dashboard = ""

    def __init__(self, objective: Objective, shared: Any = None) -> None:
        self._objective, self._shared = objective, shared
        self._running: Generator[Outcome | None, None, None] | None = None

    @property
    def room(self) -> int:
        return 0 if self._running else 1

    def submit(self, task: Task) -> None:
        self._individual = task.individual
        running = watched(self._objective, replace(task, shared=self._shared), patience=1.0)
        self._running = cast("Generator[Outcome | None, None, None]", running)

    def wait(self) -> Outcome | None:
        assert self._running, "nothing was submitted"
        outcome = next(self._running, Failed(self._individual, "killed", "the task ended without a score"))
        if outcome and not isinstance(outcome, Reported):
            self.close()
        return outcome

    def close(self) -> None:
        if self._running:
            self._running.close()
        self._running = None
