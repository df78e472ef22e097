"""What a Ray pool runs in its workers: the objective, loaded once, and its outcomes as they come."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import ray
import ray.exceptions as lost
from ray import cloudpickle

from gaopt.config.source_digest import MAIN, called
from gaopt.errors import BadInput, ConfigError
from gaopt.execution.process import Health
from gaopt.execution.ray.liveness import own_node
from gaopt.execution.ray.session import TOLD_TO_ALL, first_line
from gaopt.execution.worker import Begun, batches, failure
from gaopt.journal.events import Outcome
from gaopt.objectives.base import Objective, Task, resolve

_health = Health()  # of this process, in a worker
_kept: dict[str, Any] = {}  # in a worker: what was sent, by its reference, fetched once


def work(sent: list[Any], task: Task) -> Any:
    """In a worker: `Begun` at once, then the outcomes of a task, a list of those that come together.

    `sent` holds references, which Ray would resolve at each call.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TOLD_TO_ALL)  # what a training starts is to be ended as anywhere else
    yield [Begun(task.individual, own_node(), os.getpid())]
    try:
        objective, shared = _received(sent)
        for batch in batches(objective, replace(task, shared=shared)):
            spoilt = any(_health.spoilt_by(outcome) for outcome in batch)
            yield Last(batch) if spoilt else batch
            if spoilt:
                _end()
    except lost.RayError:
        raise  # no fault of this process
    except Exception as error:
        failed = failure(error, task)
        if failed.reason == "error" and not isinstance(error, BadInput):
            failed = replace(failed, reason="killed")  # by what was trained before in this process, say
        yield Last([failed])
        _end()


@dataclass(frozen=True)
class Last:
    """The outcomes of a worker that is to be killed after them."""

    outcomes: list[Outcome]


def try_out(sent: list[Any]) -> str:
    """In a worker: why it cannot load the objective and what that trains with; "" where it can."""
    try:
        [objective] = _received(sent)
        if load := getattr(objective, "load_libraries", None):
            load()
    except (Exception, SystemExit) as error:  # whatever a user's module does when it is imported
        return first_line(error.__cause__ or error)
    return ""


def _received(sent: list[Any]) -> list[Any]:
    """In a worker: the objective, and what it prepared where that is sent, too."""
    keys = [reference.hex() for reference in sent]
    for key in _kept.keys() - set(keys):
        del _kept[key]
    for key, reference in zip(keys, sent, strict=True):
        if key not in _kept:
            found = _fetched(reference)
            _kept[key] = _loaded(*found) if key == keys[0] else found
    return [_kept[key] for key in keys]


def _loaded(code: bytes, path: list[str]) -> Objective:
    sys.path += [folder for folder in path if folder not in sys.path]
    return resolve(cloudpickle.loads(code))


def _fetched(reference: Any) -> Any:
    """What lies behind a reference, asked for anew from time to time.

    A node that has just died counts for 15 s as one that has it. Ray, having asked it in vain, would ask another after
    10, 20, 40 s … of silence.
    """
    patience = 5.0
    while True:
        try:
            return ray.get(reference, timeout=patience)
        except lost.GetTimeoutError:
            patience *= 2  # it may be large, and on its way


def _end() -> None:
    """Wait to be killed by who reads the outcome: a worker that ended by itself could take it along unsent."""
    time.sleep(60)
    os._exit(1)


def sent(objective: str | Callable[..., Any]) -> Any:
    """A reference to the objective, by its name where that can be imported, and to the places to import from.

    Raises:
        ConfigError: it does not pickle.
    """
    name, path = called(objective), [os.path.abspath(folder) for folder in sys.path]
    if name.startswith(f"{MAIN}:"):  # which in a worker is another program
        objective = resolve(objective)
    with pickled(f"the objective {name!r}"):
        return ray.put((cloudpickle.dumps(objective), path))


@contextmanager
def pickled(what: str) -> Iterator[None]:
    """Raise a ConfigError where something cannot be sent to a worker."""
    try:
        yield
    except lost.RayError:
        raise
    except Exception as error:  # whatever an object of the user's raises when it is pickled
        raise ConfigError(f"{what} cannot be sent to a worker: {first_line(error)}") from error
