"""How long a training may take, and be silent, before it is ended as "timed out"."""

from __future__ import annotations

import math
import time
from bisect import insort
from collections.abc import Callable

from gaopt.config import Faults
from gaopt.journal.events import Failed, Noted, Outcome, Reported, Scored
from gaopt.journal.history import History

LEAST = 60.0
"""Seconds of silence that are never too many."""
START = 300.0
"""Those before a training's first report: its worker imports its libraries and fetches the images, on a machine that
others may use, and before all of them, for Ray's workers are the last in its queue."""
SIBLINGS = 3
"""So many scores at least say how long a training takes."""


GAP = 5.0
"""Of the seconds between two looks at the clock so many count: a pool says something, or that there is nothing, every
other second, so that for longer the driver itself was held up, suspended or by a disk."""
BEHIND = 60.0
"""Seconds that a driver may be behind with listening where the pool always has something to say."""


class Patience:
    """Knows since when each training runs and is silent, by a clock that nobody sets and that runs while it listens."""

    def __init__(self, config: Faults, clock: Callable[[], float] = time.monotonic) -> None:
        self._config, self._clock = config, clock
        self._begun: dict[int, float] = {}
        self._heard: dict[int, float] = {}
        self._reporting: set[int] = set()
        self._looked, self._listened = clock(), 0.0
        self._quiet = 0.0
        self._durations: list[float] = []  # of whole trainings, sorted
        self._counted = 0

    def begin(self, individual: int) -> None:
        """A worker has taken it up: what lies before was waiting for room."""
        self._begun[individual] = self._heard[individual] = self._now()
        self._reporting.discard(individual)

    def hear(self, outcome: Outcome) -> None:
        if isinstance(outcome, Reported | Noted):
            self._heard[outcome.individual] = self._now()
            if isinstance(outcome, Reported):  # a note, of a torn checkpoint say, may come before the first batch
                self._reporting.add(outcome.individual)
        else:
            self._begun.pop(outcome.individual, None)

    def quiet(self) -> None:
        """The pool has nothing to say: all that was said is heard."""
        self._quiet = self._now()

    def lost(self, history: History) -> Failed | None:
        """The failure of a training that has taken, or been silent for, too long; it is forgotten."""
        until = max(self._now() - BEHIND, self._quiet)  # later words may be there, and not yet heard
        whole, usual = self._config.seconds or math.inf, self._silence(history)
        for individual, begun in self._begun.items():
            lasted, silent = until - begun, until - self._heard[individual]
            silence = max(usual, LEAST if individual in self._reporting else START)
            if lasted > whole or silent > silence:
                del self._begun[individual]
                told = f"not done in {lasted:.0f} s" if lasted > whole else f"no sign of life for {silent:.0f} s"
                limit = "faults.seconds" if lasted > whole else f"faults.stall_factor: at most {silence:.0f} s"
                return Failed(individual, "timed out", f"{told} ({limit})", lasted)
        return None

    def _now(self) -> float:
        """Seconds listened so far."""
        before, self._looked = self._looked, self._clock()
        self._listened += min(self._looked - before, GAP)
        return self._listened

    def _silence(self, history: History) -> float:
        """Seconds without a report in which its siblings were trained whole, some times over."""
        if not self._config.stall_factor:
            return math.inf
        for share, end in history.ends[self._counted :]:
            if share == 1 and isinstance(end, Scored):
                insort(self._durations, end.seconds)
        self._counted = len(history.ends)
        if len(self._durations) < SIBLINGS:
            return math.inf
        return self._config.stall_factor * self._durations[len(self._durations) // 2]
