"""A study that is told to stop: by a signal to its driver, or to all processes of its group at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import tomli_w

from gaopt.journal.paths import StudyDir
from tests.ends import ends, table, trained_twice
from tests.faults.nodes import BOUND, study, undisturbed, wait_for, written
from tests.faults.row import Tally
from tests.processes import gaopt
from tests.witness import so_far

SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def all_told(folder: Path) -> Tally:
    """A terminal's Ctrl-C, `timeout`, Slurm and a terminal that is closed tell the driver's workers and Ray as well."""

    def tell(home: StudyDir, driver: subprocess.Popen[str], number: int) -> list[int]:
        before = so_far(home)
        os.killpg(driver.pid, number)
        return before

    return _told(folder, tell, "SIGINT, SIGTERM, SIGHUP in turn to all processes, resumed each time", SIGNALS)


def told_while_behind(folder: Path) -> Tally:
    """The driver was stopped, and its trainings went on, and ended."""

    def tell(home: StudyDir, driver: subprocess.Popen[str], number: int) -> list[int]:
        driver.send_signal(signal.SIGSTOP)
        time.sleep(2.0)
        before = so_far(home)
        time.sleep(0.2)  # what it says then is on its way
        driver.send_signal(number)
        driver.send_signal(signal.SIGCONT)
        return before

    return _told(
        folder, tell, "to a driver that is behind with listening: what ended meanwhile has its score", [signal.SIGTERM]
    )


def _told(
    folder: Path, tell: Callable[[StudyDir, subprocess.Popen[str], int], list[int]], how: str, signals: Sequence[int]
) -> Tally:
    """
    Args:
        tell: sends a study's driver a signal, and returns the trainings that had ended before.
    """
    home, rng, plain, gone = StudyDir(folder / "results" / "told"), random.Random(0), 0, 0
    (folder / "toy.toml").write_text(tomli_w.dumps(study().plain()), "utf-8")
    for turn, number in enumerate(signals):
        begin = ("resume", home.name) if turn else ("run", str(folder / "toy.toml"), "--name", home.name)
        driver = gaopt(home.path.parent, *begin, said=subprocess.PIPE, alone=True)
        wait_for(home, events=written(home) + rng.randint(2, 5), driver=driver)
        before = tell(home, driver, number)
        _, told = driver.communicate(timeout=BOUND)
        gone += len(set(before) - set(ends(home)))
        plain += driver.returncode == 128 + number and "go on with: gaopt resume" in told and "Traceback" not in told
    last = gaopt(home.path.parent, "resume", home.name)
    right = last.wait(timeout=BOUND * 5) == 0 and table(home, "pid") == undisturbed(folder)
    return Tally(len(signals), plain if right else 0, gone + trained_twice(home), how)
