"""How long a training may take, and be silent, before it is ended as "timed out"."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import median

from gaopt.config import Faults
from gaopt.events import Failed, Noted, Outcome, Reported, Scored
from gaopt.history import History

LEAST = 60.0
"""Seconds of silence that are never too many: a worker imports its libraries and fetches the images."""
SIBLINGS = 3
"""So many scores at least say how long a training takes."""


class Patience:
    """Knows since when each training runs and is silent, by a clock that nobody sets."""

    def __init__(self, config: Faults, clock: Callable[[], float] = time.monotonic) -> None:
        self._config, self._clock = config, clock
        self._begun: dict[int, float] = {}
        self._heard: dict[int, float] = {}

    def begin(self, individual: int) -> None:
        """A worker has taken it up: what lies before was waiting for room."""
        self._begun[individual] = self._heard[individual] = self._clock()

    def hear(self, outcome: Outcome) -> None:
        if isinstance(outcome, Reported | Noted):
            self._heard[outcome.individual] = self._clock()
        else:
            self._begun.pop(outcome.individual, None)

    def lost(self, history: History) -> Failed | None:
        """The failure of a training that has taken, or been silent for, too long; it is forgotten."""
        now = self._clock()
        whole, silence = self._config.seconds or math.inf, self._silence(history)
        for individual, begun in self._begun.items():
            lasted, silent = now - begun, now - self._heard[individual]
            if lasted > whole or silent > silence:
                del self._begun[individual]
                told = f"not done in {lasted:.0f} s" if lasted > whole else f"no sign of life for {silent:.0f} s"
                limit = "faults.seconds" if lasted > whole else f"faults.times: at most {silence:.0f} s"
                return Failed(individual, "timed out", f"{told} ({limit})", lasted)
        return None

    def _silence(self, history: History) -> float:
        """Seconds without a report in which its siblings were trained whole, some times over."""
        ended = [i.outcome.seconds for i in history.scored if isinstance(i.outcome, Scored)]
        if not self._config.times or len(ended) < SIBLINGS:
            return math.inf
        return max(LEAST, self._config.times * median(ended))
