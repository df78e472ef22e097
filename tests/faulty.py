"""Objectives that go wrong, for tests of faults: named in configs as `tests.faulty:…`; and what they tell themselves.

Light, for each worker imports it."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

from gaopt.errors import Cancelled
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Report, Task

WITNESS = "finished.txt"


def witnessed(objective: Callable[[Task, Report], float]) -> Callable[[Task, Report], float]:
    """An objective that writes down each training that it has finished, as the last that it does, in the study's
    folder."""

    @wraps(objective)
    def told(task: Task, report: Report) -> float:
        score = objective(task, report)
        with open(task.home / WITNESS, "a", encoding="ascii") as file:
            file.write(f"{task.individual}\n")
        return score

    return told


def finished(home: StudyDir) -> list[int]:
    """The individuals whose training its objective saw finished, each time."""
    return [int(line) for line in (home.path / WITNESS).read_text("ascii").splitlines()]


def so_far(home: StudyDir) -> list[int]:
    """`finished` of a study that runs: there may be none yet."""
    return finished(home) if (home.path / WITNESS).exists() else []


def first_try(task: Task) -> bool:
    """Whether this individual was never begun before, on whatever worker."""
    task.folder.mkdir(parents=True, exist_ok=True)
    try:
        (task.folder / "begun").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def calm(task: Task, report: Report) -> float:
    """Nothing goes wrong."""
    for epoch in range(1, 4):
        time.sleep(0.005)
        report(epoch, {"loss": 1 / epoch})
    return task.genes["mom"]


@witnessed
def sound(task: Task, report: Report) -> float:
    """What the others are held against."""
    return calm(task, report)


DEATHS = {
    0: lambda: os.kill(os.getpid(), signal.SIGKILL),
    1: lambda: ctypes.string_at(0),  # a segmentation fault
    2: lambda: os._exit(0),
}


@witnessed
def dies_once(task: Task, report: Report) -> float:
    """Every individual at its first try."""
    if first_try(task):
        DEATHS[task.individual % len(DEATHS)]()
    return calm(task, report)


@witnessed
def dies_always(task: Task, report: Report) -> float:
    """Every second individual at each try."""
    if task.individual % 2 == 0:
        DEATHS[task.individual // 2 % len(DEATHS)]()
    return calm(task, report)


def ends_without_a_score(task: Task, report: Report) -> float:
    report(1, {"loss": 1.0})
    if task.individual == 1 or (task.individual == 2 and first_try(task)):
        raise Cancelled
    return task.genes["lr"]


def fills_the_gpu() -> None:
    """What torch raises where a GPU is full: by filling one, where there is one.

    Raises:
        torch.OutOfMemoryError: always.
    """
    import torch

    if not torch.cuda.is_available():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB")
    kept = []
    while True:
        kept.append(torch.empty(1 << 30, dtype=torch.uint8, device="cuda"))


def too_large(task: Task, report: Report) -> float:
    """The second and the third do not fit beside others, the fourth never fits. Each says where it is."""
    report(1, {"pid": os.getpid()})
    if task.individual == 3 or (task.individual in (1, 2) and first_try(task)):
        bytearray(1 << 62 if task.individual == 1 else 0)
        fills_the_gpu()
    return task.genes["lr"]


@witnessed
def fills_its_limit(task: Task, report: Report) -> float:
    """Every individual at its first try takes more than its process may, by turns in Python and in torch."""
    import torch

    if first_try(task):
        with limited(1 << 30):
            kept = []
            while task.individual % 2:
                kept.append(torch.ones(1 << 24))
            fill()
    return calm(task, report)


@witnessed
def fills_its_group(task: Task, report: Report) -> float:
    """Every individual at its first try takes more than its control group may."""
    if first_try(task):
        Path(task.settings["settings"]["group"], "cgroup.procs").write_text(str(os.getpid()), "ascii")
        fill()
    return calm(task, report)


@witnessed
def fills_the_node(task: Task, report: Report) -> float:
    """Every individual at its first try takes all that there is, if nobody ends it."""
    if first_try(task):
        fill(0.05)
    return calm(task, report)


def fill(pause: float = 0.0) -> None:
    """Take memory, 64 MiB at a time, for as long as there is some; of what the machine has, a half at most.

    Raises:
        MemoryError: there is no more.
    """
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    kept = []
    for _ in range(pages // 2 >> 26):
        kept.append(b"full" * (1 << 24))
        time.sleep(pause)


@contextmanager
def limited(more: int) -> Iterator[None]:
    """This process may have so many bytes more than it has now."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    has = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (has + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@witnessed
def spoils_its_worker(task: Task, report: Report) -> float:
    """Every individual at its first try, by what torch raises where a GPU is full. All say where they are."""
    first = first_try(task)
    with open(task.home / "workers.txt", "a", encoding="ascii") as file:
        file.write(f"{task.individual} {os.getpid()}\n")
    if first:
        fills_the_gpu()
    return calm(task, report)


@witnessed
def hangs(task: Task, report: Report) -> float:
    """The second waits for ever, the fourth computes for ever without letting any other thread of its process run.

    So on with each six.
    """
    report(1, {"pid": os.getpid()})
    while task.individual % 6 == 1:
        time.sleep(1)
    if task.individual % 6 == 3:
        time.sleep(3)  # until that is on its way
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


@witnessed
def fails(task: Task, report: Report) -> float:
    """Until somebody mends it."""
    if (task.home / "mended").exists():
        return task.genes["lr"]
    raise ValueError("no such luck")


@witnessed
def naps(task: Task, report: Report) -> float:
    """Epochs that cost nothing but time, then a score that follows from the genes alone."""
    settings = task.settings["settings"]
    for epoch in range(1, settings["epochs"] + 1):
        time.sleep(settings["seconds"])
        report(epoch, {"loss": task.genes["lr"] / epoch, "pid": os.getpid()})
    return task.genes["lr"] - task.genes["wd"]
