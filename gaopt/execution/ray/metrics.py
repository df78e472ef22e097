"""A study as Prometheus sees it beside Ray's own metrics, at each node's metrics port: by study, not by individual.

Ray puts "ray_" before each name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ray.util.metrics import Counter, Gauge

from gaopt.execution.worker import Pool
from gaopt.journal.events import Closed, Event, Failed, Reported, Retried, Scored, Started
from gaopt.journal.history import History

AGAIN = 5.0
"""Seconds after which a gauge is set again: Ray forgets one that was not for 20, and an epoch may take longer."""


class Metrics:
    """A watcher of a study that counts, and then lets another watch."""

    def __init__(self, study: str, pool: Pool, watch: Callable[[History, Event], None]) -> None:
        self._pool, self._watch = pool, watch
        self._trainings = Counter("gaopt_trainings_total", "Trainings that ended, by how.", ("study", "outcome"))
        self._epochs = Counter("gaopt_epochs_total", "Epochs that were trained.", ("study",))
        self._best = Gauge("gaopt_best_fitness_ratio", "Fitness of the best individual so far.", ("study",))
        self._idle = Gauge("gaopt_idle_workers", "Trainings that could run, and do not.", ("study",))
        for metric in (self._trainings, self._epochs, self._best, self._idle):
            metric.set_default_tags({"study": study})
        self._last: dict[Gauge, float] = {}
        self._closed = threading.Event()
        threading.Thread(target=self._repeat, daemon=True).start()

    def __call__(self, history: History, event: Event) -> None:
        if isinstance(event, Reported):
            self._epochs.inc()
        elif isinstance(event, Scored | Failed | Retried):
            self._trainings.inc(tags={"outcome": type(event).__name__.lower()})
            if isinstance(event, Scored) and history.best:
                self._set(self._best, history.best.fitness)
        if isinstance(event, Started | Scored | Failed | Retried):
            self._set(self._idle, max(0, self._pool.capacity - len(history.running)))
        if isinstance(event, Closed):
            self._closed.set()
        self._watch(history, event)

    def _set(self, gauge: Gauge, value: float) -> None:
        gauge.set(value)
        self._last[gauge] = value

    def _repeat(self) -> None:
        while not self._closed.wait(AGAIN):
            for gauge, value in list(self._last.items()):
                gauge.set(value)
