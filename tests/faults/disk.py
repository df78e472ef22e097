"""A driver that is killed at its system calls, and disks that are full, that fail, that are slow or read-only."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count, cycle, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from gaopt.journal.atomic_write import tidy
from gaopt.journal.events import Scored
from gaopt.journal.journal import Journal
from gaopt.objectives.base import Report, Task
from resnet import weights
from tests.faults.forks import Ended, Forks
from tests.faults.studies import Tally, table, trained_twice
from tests.faults.walk import Walk, missing, rows, spread


def killed_at_every_call(folder: Path, most: int | None = None) -> Tally:
    """SIGKILL the driver as it enters each system call that writes or syncs anything of the study, and resume.

    Args:
        most: so many of the calls only, spread over the whole run.
    """
    with Forks(folder) as forks:
        walk = Walk(forks)
        how = "SIGKILL on entering each system call that writes, syncs, renames or removes; then resumed"
        tally = Tally(0, 0, 0, how)
        for call in spread(walk.calls, most):
            tally += walk.step(call, "signal=SIGKILL", _killed, how)
    return tally


def _killed(ended: Ended) -> bool:
    return ended.code == -signal.SIGKILL


def killed_again_and_again(folder: Path, most: int = 1000) -> Tally:
    """SIGKILL the driver at a random moment, resume it, and again: study after study until there were so many kills."""
    rng = random.Random(0)
    how = "SIGKILL at random moments of long studies, resumed each time; all that was written before is still there"
    tally = Tally(0, 0, 0, how)
    with Forks(folder) as forks:
        walk = Walk(forks, generations=40, population=10)
        for number in count():
            if tally.tried >= most:
                break
            tally += _worn_out(walk, f"study{number}", rng, most - tally.tried, how)
    return tally


SPAN = 0.3
"""Seconds within which a driver is killed: as it starts, or a few trainings later."""


def _worn_out(walk: Walk, name: str, rng: random.Random, most: int, how: str) -> Tally:
    """One study, killed until it has come to its end all the same."""
    forks, home = walk.forks, walk.home(name)
    seen: list[Any] = []
    kills = lost = 0
    ended = Ended(-signal.SIGKILL, "")
    while _killed(ended):
        pid = forks.begin(*walk.arguments(name))
        if kills < most:
            time.sleep(rng.random() * SPAN)
            ended = forks.kill(pid)
        else:
            ended = forks.end()
        kills += _killed(ended)
        before, seen = seen, rows(home)
        lost += missing(before, seen)
    good = ended.code == 0 and seen[: len(before)] == before and table(home) == walk.expected
    if not good:
        print(f"{name}: exit code {ended.code}\n{ended.said}")
    return Tally(kills, kills if good else 0, lost + trained_twice(home), how)


PAGE = 4096
"""Bytes that a tmpfs gives out at a time."""
ERRORS = ("EIO", "ENOSPC", "EROFS", "EDQUOT")
WHY = (
    *(os.strerror(getattr(errno, error)) for error in ERRORS),
    *("disk I/O error", "database or disk is full", "unable to open database file", "readonly database"),
    "left in the middle of a write",
)
"""How the system, SQLite and, of a study that cannot be put right, gaopt call them."""


def saves(task: Task, report: Report) -> float:
    """A training that writes a file of four pages as the real one writes its weights."""
    tidy(task.folder)
    weights.write(task.folder / "weights.safetensors", {"weights": torch.zeros(3 * PAGE, dtype=torch.uint8)}, {})
    report(1, {"fitness": task.genes["lr"]})
    return float(task.genes["lr"])


def full(folder: Path, most: int | None = None) -> Tally:
    """A disk with room for ever more of a study, then freed: driver and training meet its end everywhere.

    Args:
        most: so many sizes only, from no room to enough.
    """
    how = "a tmpfs with room for 0, 1, 2 … pages of a study, until it has enough; then freed and resumed"
    if not may_mount():
        return failing(folder, most, errors=("ENOSPC",))
    tally = Tally(0, 0, 0, how)
    with Forks(folder, imports=[__name__]) as forks, mounted(forks.results):
        walk = Walk(forks, objective=f"{__name__}:saves")
        needed = free(forks.results)
        shutil.rmtree(walk.home("undisturbed").path)
        needed = free(forks.results) - needed
        for pages in spread(range(needed), most):
            shutil.rmtree(walk.home("meddled").path, ignore_errors=True)
            fill(forks.results / "filler", pages)
            ended = walk.start("meddled")
            (forks.results / "filler").unlink()
            if ended.code:
                tally += walk.judged("meddled", ended, cleanly(ended), f"room for {pages} pages", how)
    return tally


def failing(folder: Path, most: int | None = 300, errors: tuple[str, ...] = ERRORS) -> Tally:
    """One call that writes or syncs fails, wherever it is."""
    how = f"{', '.join(errors)} by turns in a system call that writes, syncs, renames or removes; then resumed"
    tally = Tally(0, 0, 0, how)
    with Forks(folder) as forks:
        walk = Walk(forks)
        for call, error in zip(spread(walk.calls, most), cycle(errors), strict=False):
            tally += walk.step(call, f"error={error}", lambda ended: cleanly(ended) or ended.code == 0, how)
    return tally


def cleanly(ended: Ended) -> bool:
    """Whether a command ended for want of a disk, and said so in a sentence, with the reason."""
    last = (ended.said.strip().splitlines() or [""])[-1]
    told = last.startswith("gaopt: ") and " cannot be " in last and any(why in last for why in WHY)
    return ended.code in (1, 2) and not ended.crashed and told


def read_only(folder: Path, most: int | None = None) -> Tally:
    """A disk that nothing can be written to: a study can be read there, and gone on with once that is over."""
    how = "read-only after a kill, between two writes or within one: read, not gone on with; then writable, resumed"
    tally = Tally(0, 0, 0, how)
    if not may_mount():
        pytest.skip("nothing may be mounted here")
    with Forks(folder) as forks, mounted(forks.results):
        walk = Walk(forks)
        # Before a write, and when only the end of one is missing.
        places = [call for call in walk.calls if call.name in ("openat", "unlink")]
        for call in spread(places, most):
            killed = walk.meddled(call, "signal=SIGKILL").injected
            if not walk.home("meddled").journal.exists():
                continue  # there is no study yet
            remount(forks.results, "ro")
            ended = forks.command("resume", "meddled")
            good = killed and cleanly(ended) and _read(walk)
            remount(forks.results, "rw")
            tally += walk.judged("meddled", ended, good, f"read-only after {call}", how)
    return tally


def _read(walk: Walk) -> bool:
    """Whether the readers read a study, or say in a sentence why they cannot: it was left in the middle of a write."""
    hot = walk.home("meddled").path.joinpath("study.db-journal").exists()
    status, listed = walk.forks.command("status", "meddled"), walk.forks.command("list", "--json")
    if hot and status.code:
        return status.code == 2 and "in the middle of a write" in status.said and listed.code == 0
    return status.code == 0 and listed.code == 0 and "meddled" in listed.said


def slow(folder: Path, milliseconds: int = 50) -> Tally:
    """A disk that takes its time to sync: the order of events is that of writing, and trainings take no longer."""
    how = f"each sync takes {milliseconds} ms longer: events in order, seconds of trainings as on a quick disk"
    with Forks(folder) as forks:
        walk = Walk(forks)
        ended = walk.start("slow", ("-e", f"inject=fsync,fdatasync:delay_exit={milliseconds}000"))
        delay = milliseconds / 1000 * sum(call.name in ("fsync", "fdatasync") for call in ended.writes(forks.results))
        events = list(Journal(walk.home("slow").journal))
        trained = sum(event.seconds for event in events if isinstance(event, Scored))
        ordered = all(a.at <= b.at for a, b in pairwise(events))
        same = table(walk.home("slow")) == walk.expected
        good = ended.code == 0 and ordered and same and trained < delay / 2 <= events[-1].at - events[0].at
        again = trained_twice(walk.home("slow"))
    return Tally(1, int(good), again, how)


@cache
def may_mount() -> bool:
    """Whether this process has the right to."""
    with suppress(OSError, subprocess.CalledProcessError), tempfile.TemporaryDirectory() as at, mounted(Path(at)):
        return True
    return False


@contextmanager
def mounted(folder: Path, size: str = "1m") -> Iterator[None]:
    """A small disk of its own at a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size}", "none", folder)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, how: str) -> None:
    _mount("-o", f"remount,{how}", folder)


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True, stderr=subprocess.DEVNULL)


def free(folder: Path) -> int:
    """Pages that are left on a disk."""
    return os.statvfs(folder).f_bavail


def fill(path: Path, leave: int) -> None:
    """Fill a disk with one file, but for some pages."""
    path.write_bytes(bytes(PAGE * (free(path.parent) - leave)))
