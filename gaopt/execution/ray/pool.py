"""A Ray cluster as a pool. Ray comes in by this door, and by `session.py` into this process.

One task an individual, a generator that streams its epochs. Workers are reused: with GPUs, Ray would by default
throw each away after one task, and with it the seconds of importing fastai.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# Ray prints to stdout what becomes of its nodes and workers, which the journal says; and stdout is for data.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")

import ray
import ray.exceptions as lost

from gaopt.config import PoolConfig
from gaopt.config.source_digest import called
from gaopt.errors import ConfigError, Lost
from gaopt.execution.ray import kernel
from gaopt.execution.ray.dashboard import Dashboard
from gaopt.execution.ray.health import DEAD, GRACE, HeadWatch, in_thread
from gaopt.execution.ray.liveness import Workers
from gaopt.execution.ray.reasons import reason
from gaopt.execution.ray.resources import needs, wanted
from gaopt.execution.ray.session import end, first_line, start
from gaopt.execution.ray.worker import Last, pickled, sent, try_out, work
from gaopt.execution.worker import Begun
from gaopt.journal.events import Data, Failed, Noted, Outcome, Reported
from gaopt.objectives.base import Task

STOPPING = 2.0
"""Seconds in which a study that stops waits for what was said: a driver that was suspended hears it by and by."""
SILENT = 1.0
"""Of those, seconds of silence after which it waits no longer: on a busy machine Ray takes a while to pass on what came
while the driver was suspended. A score that is still on its way then is not heard, and its training made again."""
BARE = 60.0
"""Seconds that a study waits for a node where none is left that could train."""
BUSY = 60.0
"""Seconds that it waits for a place to try its objective out, on a cluster where others train."""


class Cluster:
    """A Ray cluster, local or joined, that trains one task per individual.

    Example:
        >>> with closing(Cluster("gaopt.objectives.toy:sphere", PoolConfig())) as pool:
        ...     pool.submit(task)
        ...     pool.wait()
        Reported(...)

    Attributes:
        dashboard: the address of the dashboard of a cluster that this pool started, a few seconds after its first
            task, or joined; else "".
    """

    def __init__(
        self,
        objective: str | Callable[..., Any],
        config: PoolConfig,
        prepared: Callable[[], tuple[Any, Mapping[str, str], Data | None]] = lambda: (None, {}, None),
        most: int = 1,
    ) -> None:
        """
        Args:
            prepared: waits for what every task is given, and says of what its trainings are made, and its images.
            most: so many train at the same time at most.

        Raises:
            ConfigError: the cluster cannot be joined or has no node that could train, or the objective or what it
                prepared cannot be sent to one.
            Lost: Ray does not start.
        """
        self._owned, self.dashboard = False, ""
        self._page: Dashboard | None = None
        self._running: dict[Any, Task] = {}
        self._come: deque[Outcome | Begun] = deque()  # words that came with others
        self._killed: dict[int, int] = {}  # by individual, what the kernel had killed when it was submitted
        grace = GRACE
        if not ray.is_initialized():
            self._owned, (self._page, self.dashboard, grace) = True, start(config)
        try:
            self._watch, self._workers = _head_watch(grace), Workers()
            self._kind, self._key, self._need = wanted(config)
            self._needs = needs(self._kind, self._need)
            self._heard, self._there, self._asked = time.monotonic(), 0, -math.inf
            self._check()
            try:
                self._remote = ray.remote(max_calls=0, max_retries=0, num_returns="streaming", **self._needs)(work)
            except ValueError as error:  # half a TPU, say
                raise ConfigError(f"{self._key} is {self._need:g}: {error}") from error
            self._sent = [sent(objective)]
            trying = self._try_out(most)
            shared, self.made_of, self.data = prepared()
            with pickled(f"what the objective {called(objective)!r} prepares"):
                self._sent.append(ray.put(shared))
            self._hear_out(trying, objective)
        except BaseException:
            self.close()
            raise

    def _check(self) -> None:
        if self._places():
            return
        total = ray.cluster_resources().get(self._kind, 0)
        there = f"the cluster has {total:g} {self._kind}s" + (", no node so many" if total >= self._need else "")
        raise ConfigError(f"{self._key} is {self._need:g}: {there}")

    def _try_out(self, most: int) -> list[Any]:
        """Load the objective, and the libraries of its trainings, in the workers that will train.

        With all that a training needs: a task without a GPU would leave its worker without one.
        """
        remote = ray.remote(max_calls=0, max_retries=0, name="load the objective", **self._needs)(try_out)
        return [remote.remote(list(self._sent)) for _ in range(min(most, self.capacity))]

    def _hear_out(self, trying: list[Any], objective: str | Callable[..., Any]) -> None:
        """Wait for one that has loaded it, before anything is written: else every training would fail by that."""
        begun = time.monotonic()
        with suppress(lost.RayError):  # it is no fault of the objective's, or the trainings will tell
            while not (told := ray.wait(trying, timeout=1.0)[0]):
                self._watch.check()
                if time.monotonic() - begun > BUSY:
                    return
            if why := ray.get(told[0]):
                raise ConfigError(f"no worker can load the objective {called(objective)!r}: {why}")

    def _places(self) -> int:
        """How many individuals the nodes that are there can train at the same time; asked at most once a second.

        An answer takes 1 to 2 ms of the driver, a thread and a connection.
        """
        if time.monotonic() - self._asked > 1.0:
            nodes = self._watch.ask(ray.nodes)
            having = [node["Resources"].get(self._kind, 0) for node in nodes if node["Alive"]]
            self._there, self._asked = sum(int(has / self._need + 1e-9) for has in having), time.monotonic()
        return self._there

    @property
    def capacity(self) -> int:
        """How many individuals the cluster trains at the same time; 1 where it waits for a node that could."""
        return max(1, self._places())

    @property
    def room(self) -> int:
        return max(0, self.capacity - len(self._running))

    def submit(self, task: Task) -> None:
        remote = self._remote.options(name=task.name)
        self._killed[task.individual] = kernel.killed()
        self._running[remote.remote(self._sent, task)] = task

    def wait(self) -> Outcome | Begun | None:
        """The next word of any task; see `Pool.wait`.

        Raises:
            Lost: the head of the cluster, or the Ray of this machine, is gone; or, for a minute, all nodes that train.
        """
        if word := self._came() or self._silenced() or self._word(timeout=1.0):
            self._heard = time.monotonic()
            return word
        self._heed()
        return None

    def _came(self) -> Outcome | Begun | None:
        return self._taken(self._come.popleft()) if self._come else None

    def _taken(self, word: Outcome | Begun) -> Outcome | Begun:
        """A word that is passed on now."""
        if isinstance(word, Begun):
            self._workers.begin(word)
            if self._page:
                self._page.hear()
        elif isinstance(word, Reported | Noted):
            self._workers.hear(word.individual)
        else:
            [stream] = [stream for stream, task in self._running.items() if task.individual == word.individual]
            self._forget(stream)
        return word

    def _word(self, timeout: float) -> Outcome | Begun | None:
        """The next of any task, if there is one in so many seconds."""
        if word := self._came():
            return word
        try:
            ready, _ = ray.wait(list(self._running), num_returns=1, timeout=timeout)
        except SystemError as error:
            # What a signal handler raises inside of Ray comes out wrapped.
            raise error.__cause__ or error from None
        return self._next(ready[0]) if ready else None

    def _silenced(self) -> Failed | None:
        """The failure of a task whose worker is gone, and of which Ray tells nothing."""
        for individual in self._workers.gone():
            [stream] = [stream for stream, task in self._running.items() if task.individual == individual]
            if not ray.wait([stream], timeout=0)[0]:  # its last words come first
                self.cancel(individual)
                return Failed(individual, "killed", "its worker died; a process that it had begun lives on")
        return None

    def _heed(self) -> None:
        """Nothing was heard: is anybody there?"""
        if self._places():
            self._heard = time.monotonic()
        elif time.monotonic() - self._heard > BARE:
            raise Lost(f"for {BARE:.0f} s no node of the Ray cluster could train ({self._key} is {self._need:g})")

    def _next(self, stream: Any) -> Outcome | Begun:
        task = self._running[stream]
        try:
            words: list[Outcome | Begun] | Last = ray.get(next(stream))
        except StopIteration:
            words = [Failed(task.individual, "killed", "the task ended without a score")]
        except lost.LocalRayletDiedError as error:
            self._forget(stream)
            self._watch.cut = True
            raise Lost(DEAD) from error
        except lost.RayError as error:
            self._forget(stream)
            cause = getattr(error, "cause", None) or error  # what was raised in the worker, not Ray's account of it
            self._watch.check()  # else it is no fault of the task's
            return self._failed(task.individual, cause)
        if isinstance(words, Last):
            ray.cancel(stream, force=True)
            words = [*words.outcomes]
        self._come.extend(words[1:])
        return self._taken(words[0])

    def _forget(self, stream: Any) -> None:
        self._workers.end(self._running.pop(stream).individual)

    def _failed(self, individual: int, error: Exception) -> Failed:
        if isinstance(error, lost.WorkerCrashedError) and kernel.killed() > self._killed[individual]:
            # It may have been another process: then a training is begun again alone, and need not have been.
            return Failed(individual, "out of memory", f"{first_line(error)} Meanwhile the kernel killed for memory.")
        return Failed(individual, reason(error), first_line(error))

    def cancel(self, individual: int) -> None:
        """Kill its worker: what hangs hears nothing else."""
        for stream in [stream for stream, task in self._running.items() if task.individual == individual]:
            self._forget(stream)
            ray.cancel(stream, force=True)
        self._come = deque(word for word in self._come if word.individual != individual)

    def stop(self) -> Iterator[Outcome]:
        begun = time.monotonic()
        # What is cancelled gives nothing back, not even what was said before: so all of it is heard first.
        while self._running and (passed := time.monotonic() - begun) < 2 * STOPPING:
            try:
                word = self._word(timeout=min(SILENT, max(0.0, STOPPING - passed)))
            except Lost:
                continue  # that task is forgotten; others may have ended before
            if word is None:
                break
            if not isinstance(word, Begun):
                yield word
        self._cancel()

    def close(self) -> None:
        """Cancel what runs; stop Ray, or leave the cluster, if this pool started or joined it."""
        with ExitStack() as each:  # the last is done first, and all of them whatever one comes to
            if self._owned and ray.is_initialized():
                each.callback(self._part)
            if watch := getattr(self, "_watch", None):
                each.callback(watch.close)
            if self._page:
                each.callback(self._page.close)
            each.callback(self._cancel)

    def _cancel(self) -> None:
        running, self._running = self._running, {}
        self._come.clear()
        for stream, task in running.items():
            ray.cancel(stream, force=True)
            self._workers.end(task.individual)  # else its worker would be missed in the next study of this pool

    def _part(self) -> None:
        watch = getattr(self, "_watch", None)
        if watch is None or not watch.cut:
            end()
            return
        with suppress(TimeoutError):  # it waits for the dead; what is left goes with this process
            in_thread(end).result(timeout=10.0)


def _head_watch(grace: float) -> HeadWatch:
    # It starts nothing, for there is one; and with no address Ray would first look for others, and tell of them.
    there = ray.init(address="local", ignore_reinit_error=True).address_info
    return HeadWatch(there["gcs_address"], there["raylet_socket_name"], grace)
