"""What a training leaves in its process: what is put back, and when the process must train nobody else."""

from __future__ import annotations

import gc
import os
import re
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gaopt.journal.events import Failed, Outcome, Scored


@contextmanager
def put_back() -> Iterator[None]:
    """Leave the folder, umask, environment, limits, trace functions and torch's defaults as they were before.

    What belongs to a thread, as torch's default device, ends with the training's own. A training that
    loads modules leaves the variables that it adds: its modules would not set them again for the next.
    """
    with _in_place():
        before = [(put, get()) for get, put in _STATE]
        try:
            yield
        finally:
            for put, value in before:
                with suppress(Exception):  # the others all the same
                    put(value)


@contextmanager
def _in_place() -> Iterator[None]:
    try:
        here = os.open(os.curdir, os.O_RDONLY)
    except OSError:  # it is gone, and nothing relative to it
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            os.fchdir(here)
        os.close(here)


def _umask() -> int:
    os.umask(mask := os.umask(0o077))
    return mask


def _environment() -> tuple[dict[str, str], int]:
    return dict(os.environ), len(sys.modules)


def _set_environment(then: tuple[dict[str, str], int]) -> None:
    before, modules = then
    for name in os.environ.keys() - before.keys():
        if len(sys.modules) == modules:
            os.environ.pop(name, None)
    for name, value in before.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


_LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]


def _limits() -> dict[int, tuple[int, int]]:
    return {limit: resource.getrlimit(limit) for limit in _LIMITS}


def _set_limits(before: dict[int, tuple[int, int]]) -> None:
    for limit, pair in before.items():
        if resource.getrlimit(limit) != pair:
            with suppress(ValueError, OSError):  # a hard limit that was lowered stays low
                resource.setrlimit(limit, pair)


def _torch() -> tuple[Any, bool, bool] | None:
    """Torch's defaults for a process; None where it is not imported."""
    with suppress(KeyError, AttributeError):  # only half of it yet
        torch = sys.modules["torch"]
        warns = torch.is_deterministic_algorithms_warn_only_enabled()
        return torch.get_default_dtype(), torch.are_deterministic_algorithms_enabled(), warns
    return None


def _set_torch(before: tuple[Any, bool, bool] | None) -> None:
    if before and before != _torch():  # the second of these takes seconds when it is first called
        dtype, strict, warns = before
        sys.modules["torch"].set_default_dtype(dtype)
        sys.modules["torch"].use_deterministic_algorithms(strict, warn_only=warns)


def _precision() -> str | None:
    with suppress(KeyError, AttributeError, RuntimeError):  # where torch's newer setting is used, it has no answer
        return str(sys.modules["torch"].get_float32_matmul_precision())
    return None


def _set_precision(before: str | None) -> None:
    if before and before != _precision():
        sys.modules["torch"].set_float32_matmul_precision(before)


_STATE: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (_umask, os.umask),
    (_environment, _set_environment),
    (_limits, _set_limits),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (threading.gettrace, threading.settrace),
    (threading.getprofile, threading.setprofile),
    (_torch, _set_torch),
    (_precision, _set_precision),
)


def release(failed: bool) -> None:
    """Free a training's memory before anybody hears that it is over.

    What failed lies in reference cycles; torch keeps for its process what was freed on an accelerator, which others
    may share.
    """
    if failed:
        gc.collect()
    # No torch, only half of it yet, or no accelerator; and after an error of an accelerator any call may fail.
    with suppress(Exception):
        torch = sys.modules["torch"]
        its = getattr(torch, torch.accelerator.current_accelerator().type)
        if not hasattr(its, "is_initialized") or its.is_initialized():  # MPS does not tell
            gc.collect()
            its.empty_cache()


class Health:
    """Of a process: whether it may train another individual."""

    def __init__(self) -> None:
        self._failures = 0

    def spoilt_by(self, outcome: Outcome) -> bool:
        """Whether an outcome ends it: an error of an accelerator or of memory, or the second failure in a row.

        Any later call may fail after those. A training that diverged says nothing of its process.
        """
        if isinstance(outcome, Failed) and outcome.reason != "diverged":
            self._failures += 1
            return self._failures > 1 or outcome.reason == "out of memory" or _GPU.search(outcome.message) is not None
        if isinstance(outcome, Scored | Failed):
            self._failures = 0
        return False


_GPU = re.compile("CUDA|cuDNN|HIP error|AcceleratorError")  # in the name or the message of the exception
