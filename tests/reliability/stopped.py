"""A study that is told to stop: by a signal to its driver, or to all processes of its group at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from itertools import cycle
from pathlib import Path

import tomli_w

from gaopt.home import Home
from tests.ends import ends, table, trained_twice
from tests.processes import gaopt
from tests.reliability.nodes import BOUND, study, undisturbed, wait_for, written
from tests.reliability.row import Tally
from tests.witness import finished

SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def by_signals(folder: Path, most: int = 6) -> Tally:
    """A terminal's Ctrl-C, `timeout`, Slurm and a terminal that is closed tell the driver's workers and Ray as well."""
    home, rng, plain, gone = Home(folder / "results" / "told"), random.Random(0), 0, 0
    (folder / "toy.toml").write_text(tomli_w.dumps(study().plain()), "utf-8")
    for turn, number in zip(range(most), cycle(SIGNALS), strict=False):
        begin = ("resume", home.name) if turn else ("run", str(folder / "toy.toml"), "--name", home.name)
        driver = gaopt(home.path.parent, *begin, said=subprocess.PIPE, alone=True)
        wait_for(home, events=written(home) + rng.randint(2, 5), driver=driver)
        if turn % 2:
            before = _suspended(home, driver, number)
        else:
            before = finished(home)
            os.killpg(driver.pid, number)
        _, told = driver.communicate(timeout=BOUND)
        gone += len(set(before) - set(ends(home)))
        plain += driver.returncode == 128 + number and "go on with: gaopt resume" in told and "Traceback" not in told
    last = gaopt(home.path.parent, "resume", home.name)
    right = last.wait(timeout=BOUND * 5) == 0 and table(home, "pid") == undisturbed(folder)
    how = "SIGINT, SIGTERM, SIGHUP by turns, to all processes, and to a driver that is behind; resumed each time"
    return Tally(most, plain if right else 0, gone + trained_twice(home), how)


def _suspended(home: Home, driver: subprocess.Popen[str], number: int) -> list[int]:
    """Send a driver a signal while it is stopped and its trainings go on. Returns those that had ended by then."""
    driver.send_signal(signal.SIGSTOP)
    time.sleep(2.0)
    before = finished(home)
    time.sleep(0.2)  # what it says then is on its way
    driver.send_signal(number)
    driver.send_signal(signal.SIGCONT)
    return before
