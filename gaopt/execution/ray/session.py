"""Ray, started on this machine for a study, or joined where it is."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ray
from ray._private import node as nodes
from ray._private import ray_constants, services

from gaopt.config import PoolConfig
from gaopt.errors import ConfigError, GaoptError, Lost
from gaopt.execution.ray import token
from gaopt.execution.ray.dashboard import Dashboard
from gaopt.execution.ray.health import GRACE, check, check_listening


def start(config: PoolConfig) -> tuple[Dashboard | None, str, float]:
    """Start Ray, or join the cluster that the config or RAY_ADDRESS names.

    Returns:
        The dashboard of a Ray that was started; the address of the dashboard, "" if there is none; and the seconds in
        which Ray's head, if it is gone, may come back.

    Raises:
        ConfigError: the cluster cannot be joined.
        Lost: Ray does not start.
    """
    address = config.address or os.environ.get("RAY_ADDRESS") or "local"
    local = address == "local"
    if not local:
        check(address)
    token.guard(make=local)
    try:
        if local:
            _alone()
            page = Dashboard(TOLD_TO_ALL) if config.dashboard else None
            return page, page.address if page else "", 0.0
        context = _join(address)
    except BaseException as error:  # whatever Ray raises
        with suppress(Exception):
            end()  # what it had begun
        if not isinstance(error, Exception):
            raise
        raise _refusal(address, error) from error
    return None, f"http://{context.dashboard_url}" if context.dashboard_url else "", GRACE


def end() -> None:
    """Shut Ray down, or leave the cluster."""
    node = ray._private.worker._global_node
    if node and signal.SIGTERM in TOLD_TO_ALL:  # they do not hear it: Ray would wait a second for each of five
        kill = node.kill_all_processes
        node.kill_all_processes = lambda **asked: kill(**asked | {"allow_graceful": False})
    ray.shutdown()


def _refusal(address: str, error: Exception) -> GaoptError:
    """Why Ray does not start, in words that say what to do."""
    if address != "local":
        there = f"the Ray cluster at {address!r} cannot be joined: {first_line(error)}"
        return ConfigError(f"{there}: to train on this machine instead, give --address local")
    if "AF_UNIX path length" in str(error):
        name = "RAY_TMPDIR" if "RAY_TMPDIR" in os.environ else "TMPDIR"
        path = os.environ.get(name)
        return ConfigError(f"{name} is {path!r}: too long for the paths of Ray's sockets: set RAY_TMPDIR=/tmp")
    return Lost(f"Ray cannot be started: {first_line(error)}")  # hardly ever is it what the user gave


_IMPATIENT = {"gcs_rpc_server_reconnect_timeout_s": 20}
"""Ray's head on this machine does not come back once it is gone: no need to wait for a minute."""
TOLD_TO_ALL = {signal.SIGHUP, signal.SIGTERM} if sys.platform == "linux" else {signal.SIGHUP}
"""What a terminal that is closed, `timeout`, Slurm and systemd send to Ray's processes as well as to the driver: those
are to end after the driver has heard what they have to say. When a raylet ends, Ray may end its driver from C++ within
0.1 s, with no word to Python. (Of SIGINT Ray itself sees to that. Where the kernel does not end them with a driver that
is killed, Ray does so by SIGTERM.)"""
_QUIET = {"log_to_driver": False, "configure_logging": False}


def _alone() -> None:
    """Ray on this machine, all of whose ports are at 127.0.0.1.

    Ray does so by itself on macOS and Windows; on Linux it would replace an address given as 127.0.0.1 by the machine's
    own, and its servers would listen at all of them.
    """
    before = ray_constants.ENABLE_RAY_CLUSTER, nodes.Node
    ray_constants.ENABLE_RAY_CLUSTER, nodes.Node = False, _Bare
    try:
        with _unheard():
            # "local" by name: with no address Ray would join whatever cluster it finds on this machine.
            ray.init(address="local", _system_config=_IMPATIENT, **_QUIET)
    finally:
        ray_constants.ENABLE_RAY_CLUSTER, nodes.Node = before


class _Bare(nodes.Node):
    """A Ray that starts without what no training needs: 1.5 of its 6 seconds of the processor, two of waiting."""

    def start_head_processes(self) -> None:
        """Neither the monitor nor the dashboard, see `Dashboard`."""
        self._webui_url = ""
        self.start_gcs_server()
        self._write_cluster_info_to_kv()

    def start_log_monitor(self) -> None:
        """It would bring to the driver what workers print; the dashboard reads the files themselves."""


@contextmanager
def _unheard() -> Iterator[None]:
    """Signals to all wait: for good in the processes that are begun within, in this one until the end.

    They are then heard by who listened before. Ray installs a handler of its own, which would raise SystemExit there,
    and a Ray that is left at once after its start may abort the process. From any thread but the main one it installs
    none, and none could be put back.
    """
    handler = signal.getsignal(signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TOLD_TO_ALL)
    try:
        yield
    finally:
        if (
            callable(handler) and threading.current_thread() is threading.main_thread()
        ):  # then this is not a process that a SIGTERM just ends
            signal.signal(signal.SIGTERM, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _join(address: str) -> Any:
    # "auto" is whatever cluster was started here last, and may be gone; 127.0.0.1 is the machine's own address to Ray.
    address = services.canonicalize_bootstrap_address_or_die(address)
    check_listening(address)
    return ray.init(address=address, **_QUIET)


def first_line(error: BaseException) -> str:
    """The kind of an error of Ray's and the first line of its message, which may be a page."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
