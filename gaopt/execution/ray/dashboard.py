"""The dashboard of a Ray of this machine, begun when trainings no longer wait for the processor."""

from __future__ import annotations

import logging
import signal
import threading

import ray

from gaopt.execution.ray.health import DASHBOARD, free

_log = logging.getLogger(__name__)

BEGINS = 2.0
"""Seconds after a training has begun: its own start goes first, for this takes two and a half of the processor."""


class Dashboard:
    """The page at which Ray is watched, with the monitor that tells it of the cluster's status.

    Attributes:
        address: where it is, or will be in some seconds; "" if there is none.
    """

    def __init__(self, blocked: set[signal.Signals]) -> None:
        """
        Args:
            blocked: signals that its processes do not hear.
        """
        self._port = next(filter(free, DASHBOARD), 0)
        self.address = f"http://127.0.0.1:{self._port}" if self._port else ""
        self._blocked = blocked
        self._heard, self._over, self._settled = threading.Event(), threading.Event(), threading.Event()
        if self._port:
            threading.Thread(target=self._work, daemon=True).start()

    def hear(self) -> None:
        """A training has begun: all that it had to load is loaded."""
        self._heard.set()

    def close(self) -> None:
        """Begin no more. One that is about to be there is waited for: it would ask a head that is gone."""
        self._over.set()
        self._heard.set()
        if self._port:
            self._settled.wait(30.0)

    def _work(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, self._blocked)
        self._heard.wait()
        if not self._over.wait(BEGINS):
            try:
                self._begin()
            except Exception as error:  # whatever Ray raises
                _log.warning("there is no Ray dashboard: %s", error)
        self._settled.set()
        self._over.wait()  # on Linux, what a thread has begun ends with it

    def _begin(self) -> None:
        node = ray._private.worker._global_node
        node.start_monitor()
        for port in filter(free, DASHBOARD):
            node._ray_params.dashboard_port = port
            try:
                node.start_api_server(include_dashboard=True, raise_on_failure=True)
            except Exception:
                if free(port):
                    raise
                continue  # somebody else took it meanwhile
            if port != self._port:
                _log.warning("the port of the Ray dashboard was taken: it is at http://127.0.0.1:%d", port)
            return
