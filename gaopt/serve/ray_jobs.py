"""The runner that makes each run a Ray Job: its log and its state are where Ray's users look, too."""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import requests
from ray._private import ray_constants
from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
from ray._raylet import GcsClient  # type: ignore[attr-defined]  # it is compiled
from ray.exceptions import AuthenticationError
from ray.job_submission import JobStatus, JobSubmissionClient

from gaopt.errors import ConfigError, Lost
from gaopt.execution.ray import token
from gaopt.execution.ray.health import check, check_listening
from gaopt.execution.ray.session import first_line
from gaopt.serve.ray_head import Head

STOPPING = 60
"""Seconds that a job has to end in good order; Ray's own patience is 3."""
ANSWER = 30.0
"""Seconds that the dashboard may take to answer."""
_UNANSWERED = (RuntimeError, AuthenticationError, requests.RequestException)


def joined(address: str) -> Head:
    """The head of a cluster that somebody else started.

    Args:
        address: "host:port" of its head.

    Raises:
        ConfigError: no cluster answers there, or it has no dashboard.
    """
    check(address)
    _use_token()
    try:
        check_listening(address)
        found = _dashboard(GcsClient(address=address))
    except Exception as error:  # whatever Ray raises
        raise ConfigError(f"the Ray cluster at {address!r} cannot be joined: {first_line(error)}") from error
    if not found:
        raise ConfigError(f"the Ray cluster at {address!r} has no dashboard, which takes the jobs")
    return Head(address, f"http://{found.decode()}")


def _dashboard(store: Any) -> bytes | None:
    """Its address; a head has it some seconds after it can be joined."""
    deadline = time.monotonic() + ANSWER
    key, space = ray_constants.DASHBOARD_ADDRESS.encode(), ray_constants.KV_NAMESPACE_DASHBOARD
    while not (found := store.internal_kv_get(key, space, timeout=ANSWER)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


class RayJobs:
    """Commands as jobs of a Ray cluster.

    Args:
        find: gives its head, and another one where that is gone.
        environment: variables of the jobs, besides those of the cluster.

    Raises:
        Lost: the dashboard of the cluster does not answer.
        ConfigError: it refuses the token.
    """

    name = "ray-jobs"

    def __init__(self, find: Callable[[], Head], environment: Mapping[str, str]) -> None:
        self._find = find
        self._variables = {**environment, "RAY_JOB_STOP_WAIT_TIME_S": str(STOPPING)}
        self._connect()

    def _connect(self) -> None:
        self.head = head = self._find()
        _use_token()
        os.environ["RAY_API_SERVER_ADDRESS"] = head.dashboard  # else the client would take a RAY_ADDRESS for it
        try:
            self._client = _Client(head.dashboard)
        except AuthenticationError as error:
            raise ConfigError(f"the Ray cluster at {head.address} refuses the token: {first_line(error)}") from error
        except (OSError, RuntimeError, requests.RequestException) as error:
            raise Lost(f"the Ray dashboard at {head.dashboard} does not answer: {first_line(error)}") from error

    def start(self, id: str, arguments: Sequence[str], log: Path, labels: Mapping[str, str]) -> str:
        if not self.head.alive:
            try:
                self._connect()
            except ConfigError as error:
                raise Lost(str(error)) from error  # it was there before, and may come back
        # Another service on the same cluster may count its runs as this one does.
        id = f"{id}-{hashlib.sha256(os.fsencode(log)).hexdigest()[:8]}"
        with _answered(f"take the job {id}"):
            if self._status(id) is None:  # Ray refuses an id that it knows
                self._client.submit_job(
                    entrypoint=_entrypoint(arguments, log),
                    submission_id=id,
                    runtime_env={"env_vars": self._variables},
                    metadata=dict(labels),
                )
        return id

    def stop(self, handle: str) -> None:
        if self.alive(handle):
            with _answered(f"stop the job {handle}"):
                self._client.stop_job(handle)

    def alive(self, handle: str) -> bool:
        try:
            status = self._status(handle)
        except _UNANSWERED:
            return self.head.alive  # the dashboard may be busy, or begun again: jobs go on without it
        return status is not None and not status.is_terminal()

    def link(self, handle: str) -> str:
        return f"{self.head.dashboard}/#/jobs/{handle}"

    @property
    def dashboard(self) -> str:
        return self.head.dashboard

    def _status(self, handle: str) -> JobStatus | None:
        """None of a job that the cluster does not know."""
        try:
            return self._client.get_job_status(handle)
        except RuntimeError as error:
            if "status code 404" in str(error):
                return None
            raise


@contextmanager
def _answered(what: str) -> Iterator[None]:
    try:
        yield
    except _UNANSWERED as error:
        raise Lost(f"Ray does not {what}: {first_line(error)}") from error


class _Client(JobSubmissionClient):
    def _do_request(self, method: str, endpoint: str, **asked: Any) -> requests.Response:
        return super()._do_request(method, endpoint, timeout=ANSWER, **asked)


def _use_token() -> None:
    token.guard(make=False)
    maybe_enable_token_auth_if_token_available(warn_if_disabled=False)


def _entrypoint(arguments: Sequence[str], log: Path) -> str:
    """A line for a shell. What the command prints goes to the log, and Ray's own log of the job becomes a link to it.

    The other way round the log would be gone with Ray's folder. Where /proc does not say what that file is, Ray's has
    nothing but this line.
    """
    folder, command, into = os.getcwd(), [sys.executable, "-m", "gaopt", *arguments], shlex.quote(str(log))
    link = f'ln -sf {into} "$(readlink /proc/$$/fd/1)"'
    return f"cd {shlex.quote(folder)}; {link}; exec {shlex.join(command)} >>{into} 2>&1"
