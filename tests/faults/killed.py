"""The driver killed: at every system call that writes, and again and again."""

from __future__ import annotations

import random
import signal
import time
from itertools import count
from pathlib import Path
from typing import Any

from tests.ends import table, trained_twice
from tests.faults.forks import Ended, Forks
from tests.faults.row import Tally
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
