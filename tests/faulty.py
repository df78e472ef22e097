"""Objectives that go wrong, for tests of faults: named in configs as `tests.faulty:…`.

Light, for each worker imports it.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import time

from gaopt.errors import Cancelled
from gaopt.objective import Report, Task


def first_try(task: Task) -> bool:
    """Whether this individual was never begun before, on whatever worker."""
    task.folder.mkdir(parents=True, exist_ok=True)
    try:
        (task.folder / "begun").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


DEATHS = {
    0: lambda: os.kill(os.getpid(), signal.SIGKILL),
    1: lambda: ctypes.string_at(0),  # a segmentation fault
    2: lambda: os._exit(0),
}


def dies(task: Task, report: Report) -> float:
    """The first three once, each in a way of its own; the fourth each time."""
    if task.individual == 3 or (task.individual in DEATHS and first_try(task)):
        DEATHS.get(task.individual, DEATHS[0])()
    return task.genes["lr"]


def ends_without_a_score(task: Task, report: Report) -> float:
    report(1, {"loss": 1.0})
    if task.individual == 1 or (task.individual == 2 and first_try(task)):
        raise Cancelled
    return task.genes["lr"]


class OutOfMemoryError(RuntimeError):
    """Called like torch's."""


def too_large(task: Task, report: Report) -> float:
    """The second and the third do not fit beside others, the fourth never fits. Each says where it is."""
    report(1, {"pid": os.getpid()})
    if task.individual == 3 or (task.individual in (1, 2) and first_try(task)):
        bytearray(1 << 62 if task.individual == 1 else 0)
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB")
    return task.genes["lr"]


def hangs(task: Task, report: Report) -> float:
    """The second waits for ever, the fourth computes for ever without letting any other thread of its process run."""
    report(1, {"pid": os.getpid()})
    time.sleep(0.5)  # until that is on its way
    while task.individual == 1:
        time.sleep(1)
    if task.individual == 3:
        re.match("(a+)+$", "a" * 60 + "b")
    return task.genes["lr"]


def is_slow(task: Task, report: Report) -> float:
    """The second reacts to being cancelled, late."""
    for epoch in range(1, 4 if task.individual == 1 else 2):
        time.sleep(1.2 if task.individual == 1 else 0)
        report(epoch, {"loss": 1.0})
    return task.genes["lr"]


def waits_for_ever(task: Task, report: Report) -> float:
    while task.individual == 1:
        time.sleep(0.1)
    return task.genes["lr"]


def fails(task: Task, report: Report) -> float:
    """Until somebody mends it; at first in another way."""
    if (task.home / "mended").exists():
        return task.genes["lr"]
    if task.individual == 0 and task.settings["settings"].get("odd"):
        raise MemoryError
    raise ValueError("no such luck")
