"""A Ray cluster as a pool: the only door to Ray.

One task an individual, a generator that streams its epochs. Workers are reused: with GPUs, Ray would by default
throw each away after one task, and with it the seconds of importing fastai.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
import ray.exceptions as lost

from gaopt.config import PoolConfig
from gaopt.errors import ConfigError
from gaopt.events import Failed, Noted, Outcome, Reason, Reported
from gaopt.objective import Task, resolve
from gaopt.pools.base import Begun, outcomes, reason, spoils

_kept: dict[str, Any] = {}  # in a worker: the prepared data by its reference, fetched once


def _work(objective: str, task: Task, shared: list[Any]) -> Any:
    """In a worker: None at once, then the outcomes of a task.

    `shared` holds a reference, which Ray would resolve at each call.
    """
    yield None
    key = shared[0].hex()
    if key not in _kept:
        _kept.clear()
        _kept[key] = ray.get(shared[0])
    for outcome in outcomes(resolve(objective), replace(task, shared=_kept[key])):
        yield outcome
        if spoils(outcome):
            _end()


def _end() -> None:
    """Wait to be killed by who reads the outcome: a worker that ended by itself could take it along unsent."""
    time.sleep(60)
    os._exit(1)


class Cluster:
    """Example:
    >>> with closing(Cluster("gaopt.objectives.toy:sphere", None, PoolConfig())) as pool:
    ...     pool.submit(task)
    ...     pool.wait()
    Reported(...)

    Attributes:
        dashboard: the address of the dashboard of a cluster that this pool started or joined, else "".
    """

    def __init__(
        self, objective: str, shared: Any, config: PoolConfig, made_of: Mapping[str, str] | None = None
    ) -> None:
        self._owned, self.dashboard, self.made_of = False, "", made_of or {}
        if not ray.is_initialized():
            self._start(config)
        self._objective, self._config = objective, config
        self._shared = ray.put(shared)
        self._remote = ray.remote(max_calls=0, max_retries=0, num_returns="streaming")(_work)
        self._running: dict[Any, Task] = {}
        total = ray.cluster_resources()
        self._gpu = config.gpus > 0 and total.get("GPU", 0) > 0
        self._check(total)

    def _start(self, config: PoolConfig) -> None:
        address = config.address or os.environ.get("RAY_ADDRESS")
        # "local" by name: with no address Ray would join whatever cluster it finds on this machine.
        local = {"address": "local", "include_dashboard": config.dashboard and any(map(_free, DASHBOARD))}
        where = {"address": address} if address else local
        _knock(address)
        logging.getLogger(_TOKENS).addFilter(_not_an_advice_to_be_open)
        try:
            context = ray.init(**where, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError, PermissionError) as error:
            what = f"the Ray cluster at {address!r} cannot be joined" if address else "Ray cannot be started"
            raise ConfigError(f"{what}: {str(error).strip().splitlines()[0]}") from error
        self._owned = True
        self.dashboard = f"http://{context.dashboard_url}" if context.dashboard_url else ""

    def _check(self, total: dict[str, float]) -> None:
        kind, need = ("GPU", self._config.gpus) if self._gpu else ("CPU", self._config.cpus)
        if total.get(kind, 0) < need:
            self.close()
            raise ConfigError(f"pool.{kind.lower()}s is {need:g}: the cluster has {total.get(kind, 0):g} {kind}s")

    @property
    def capacity(self) -> int:
        """How many individuals the cluster trains at the same time."""
        total = ray.cluster_resources()
        share = total.get("GPU", 0) / self._config.gpus if self._gpu else total.get("CPU", 0) / self._config.cpus
        return max(1, int(share + 1e-9))

    @property
    def room(self) -> int:
        return max(0, self.capacity - len(self._running))

    def submit(self, task: Task) -> None:
        need = {"num_gpus": self._config.gpus} if self._gpu else {"num_cpus": self._config.cpus}
        remote = self._remote.options(name=task.name, **need)
        self._running[remote.remote(self._objective, task, [self._shared])] = task

    def wait(self) -> Outcome | Begun | None:
        try:
            ready, _ = ray.wait(list(self._running), num_returns=1, timeout=1.0)
        except SystemError as error:
            # What a signal handler raises inside of Ray comes out wrapped.
            raise error.__cause__ or error from None
        return self._next(ready[0]) if ready else None

    def _next(self, stream: Any) -> Outcome | Begun:
        task = self._running[stream]
        try:
            outcome: Outcome | Begun = ray.get(next(stream)) or Begun(task.individual)
        except StopIteration:
            outcome = Failed(task.individual, "killed", "the task ended without a score")
        except lost.RayError as error:
            cause = getattr(error, "cause", None) or error  # what was raised in the worker, not Ray's account of it
            outcome = Failed(task.individual, _reason(cause), _first_line(cause))
        if not isinstance(outcome, Begun | Reported | Noted):
            del self._running[stream]
        if spoils(outcome):
            ray.cancel(stream, force=True)
        return outcome

    def cancel(self, individual: int) -> None:
        """Kill its worker: what hangs hears nothing else."""
        for stream in [stream for stream, task in self._running.items() if task.individual == individual]:
            del self._running[stream]
            ray.cancel(stream, force=True)

    def close(self) -> None:
        """Cancel what runs; stop Ray, or leave the cluster, if this pool started or joined it."""
        for stream in self._running:
            ray.cancel(stream, force=True)
        self._running = {}
        if self._owned and ray.is_initialized():
            ray.shutdown()


_TOKENS = "ray._private.authentication.authentication_token_setup"


def _not_an_advice_to_be_open(record: logging.LogRecord) -> bool:
    """Ray says at each start how to turn its token authentication off: no advice for people who read in passing."""
    return not record.getMessage().startswith("Token authentication is enabled")


DASHBOARD = range(8265, 8316)
"""The ports of which Ray's dashboard takes the first that is free. Where none is, Ray itself would not start."""


def _free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Ray tries: one that was just left is free
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _knock(address: str | None) -> None:
    """Fail at once where nobody listens: Ray itself tries for minutes.

    Raises:
        ConfigError: the address is "host:port" and cannot be reached.
    """
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # "auto", or a name that Ray knows what to do with
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(f"the Ray cluster at {address!r} cannot be joined: {error}") from error


def _reason(error: Exception) -> Reason:
    if isinstance(error, lost.OutOfMemoryError):
        return "out of memory"
    crashed = (lost.WorkerCrashedError, lost.NodeDiedError, lost.ObjectLostError, lost.TaskCancelledError)
    return "killed" if isinstance(error, crashed) else reason(error)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
