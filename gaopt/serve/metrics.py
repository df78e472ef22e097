"""Studies as Prometheus counts them, by study and never by individual."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST as MEDIA

from gaopt.serve.catalog import Summary
from gaopt.serve.queue import Queue

__all__ = ["MEDIA", "text"]


def text(studies: Iterable[Summary], queue: Queue) -> bytes:
    """The exposition of all studies and the queue."""
    registry = CollectorRegistry()
    registry.register(_Collector(list(studies), queue))
    return bytes(generate_latest(registry))


class _Collector:
    def __init__(self, studies: list[Summary], queue: Queue) -> None:
        self._studies, self._queue = studies, queue

    def collect(self) -> Iterable[Metric]:
        trainings = CounterMetricFamily("gaopt_trainings", "Trainings that ended.", labels=["study", "outcome"])
        best = GaugeMetricFamily("gaopt_best_fitness_ratio", "The best fitness.", labels=["study"])
        running = GaugeMetricFamily("gaopt_running_individuals", "Individuals in training.", labels=["study"])
        states = GaugeMetricFamily("gaopt_studies", "Studies by state.", labels=["state"])
        waiting = GaugeMetricFamily("gaopt_queue_length", "Studies that wait.", value=len(self._queue.waiting()))
        counts: dict[str, int] = {}
        for one in self._studies:
            counts[one["state"]] = counts.get(one["state"], 0) + 1
            name = one["name"]
            trainings.add_metric([name, "scored"], one["done"] - one["failed"])
            trainings.add_metric([name, "failed"], one["failed"])
            running.add_metric([name], len(one["running"]))
            if one["best"]:
                best.add_metric([name], one["best"]["fitness"])
        for state, count in counts.items():
            states.add_metric([state], count)
        yield from (trainings, best, running, states, waiting)
