"""Looks whether the workers that train still live.

Ray hears of a worker's end by its connection. A process that the worker forked, say to load data, holds it open for as
long as it lives: until then the training only seems silent.
"""

from __future__ import annotations

import time

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from gaopt.execution.worker import Begun
from gaopt.journal.atomic_write import lives

GONE = 5.0
"""Seconds for which a worker has been gone, by all that Ray has to say, before it counts as killed."""
SILENT = 30.0
"""Seconds of silence after which a worker of another machine is looked after, by a small task there."""


class Workers:
    """The processes that train individuals."""

    def __init__(self) -> None:
        self._here = own_node()
        self._begun: dict[int, Begun] = {}
        self._heard: dict[int, float] = {}
        self._gone: dict[int, float] = {}
        self._asked: dict[int, ray.ObjectRef[bool]] = {}
        self._looked = 0.0
        self._remote = ray.remote(num_cpus=0, max_retries=0)(lives)

    def begin(self, begun: Begun) -> None:
        self._begun[begun.individual] = begun
        self.hear(begun.individual)

    def hear(self, individual: int) -> None:
        self._heard[individual] = time.monotonic()

    def end(self, individual: int) -> None:
        for kept in (self._begun, self._heard, self._gone, self._asked):
            kept.pop(individual, None)

    def gone(self) -> list[int]:
        """The individuals whose workers have been gone for a while. Looks at most once a second."""
        now = time.monotonic()
        if now - self._looked < 1.0:
            return []
        self._looked = now
        for individual, begun in self._begun.items():
            if individual not in self._gone and self._is_gone(begun, now):
                self._gone[individual] = now
        return [individual for individual, since in self._gone.items() if now - since >= GONE]

    def _is_gone(self, begun: Begun, now: float) -> bool:
        if begun.node == self._here:
            return not lives(begun.pid)
        individual = begun.individual
        if (asked := self._asked.get(individual)) is None:
            if now - self._heard[individual] > SILENT:
                self._asked[individual] = self._ask(begun)
            return False
        if not ray.wait([asked], timeout=0)[0]:
            return False
        del self._asked[individual]
        self.hear(individual)  # not asked again before it has been as silent again
        try:
            return not ray.get(asked)
        except ray.exceptions.RayError:  # its node is gone, too: of that Ray will tell
            return False

    def _ask(self, begun: Begun) -> ray.ObjectRef[bool]:
        there = NodeAffinitySchedulingStrategy(begun.node, soft=False)
        remote = self._remote.options(name=f"is process {begun.pid} alive?", scheduling_strategy=there)
        return remote.remote(begun.pid)


def own_node() -> str:
    """Ray's id of the node that this process runs on."""
    return str(ray.get_runtime_context().get_node_id())
