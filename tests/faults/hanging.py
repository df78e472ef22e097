"""Trainings that hang."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import tomli_w

from gaopt import PoolConfig
from gaopt.config import Faults
from gaopt.journal.events import Failed, Reported
from gaopt.journal.paths import StudyDir
from gaopt.study import timeouts
from gaopt.study.loop import run
from tests.ends import lost, table
from tests.faults.nodes import study as naps
from tests.faults.row import Tally
from tests.faults.studies import events, gone, on_ray, ray_of, study
from tests.processes import gaopt
from tests.witness import finished


def beyond_the_limit(folder: Path, population: int = 12) -> Tally:
    """Some wait, some compute, for ever; the config sets a limit."""
    how = "two of six hang, one asleep, one holding the interpreter: beyond `faults.seconds`"
    return _hung(folder, population, Faults(seconds=15.0), how)


def beyond_siblings(folder: Path, population: int = 6) -> Tally:
    """No limit is set, but their siblings were through long ago."""
    how = "and silent for longer than siblings took (the least of 60 s lowered to 10)"
    with patch.object(timeouts, "LEAST", 10.0):
        return _hung(folder, population, Faults(), how)


def driver_suspended(folder: Path, seconds: float = 12.0) -> Tally:
    """The driver is stopped for longer than a training may take, while its trainings go on and end."""
    home, alone, config = (
        StudyDir(folder / "results" / "suspended"),
        StudyDir(folder / "alone"),
        naps(faults=Faults(seconds=6.0)),
    )
    run(replace(config, pool=PoolConfig(kind="inline")), alone)
    (folder / "naps.toml").write_text(tomli_w.dumps(config.plain()), "utf-8")
    driver = gaopt(home.path.parent, "run", str(folder / "naps.toml"), "--name", home.name)
    while driver.poll() is None and not (home.journal.is_file() and events(home, Reported)):
        time.sleep(0.05)
    driver.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    driver.send_signal(signal.SIGCONT)
    well = driver.wait(timeout=120) == 0 and table(home, "pid") == table(alone, "pid")
    how = f"SIGSTOP of the driver for {seconds:g} s, then SIGCONT: what ended meanwhile has its score"
    return Tally(1, int(well), lost(home, finished(home)), how)


def _hung(folder: Path, population: int, faults: Faults, how: str) -> Tally:
    home = StudyDir(folder / "hanging")
    with ray_of(3):  # two hang, and the others must come through beside them
        history = run(on_ray(study("hangs", population, faults=faults)), home)
        killed = [i for i in history.failed if gone(int(i.reports[1].metrics["pid"]))]
    caused = [n for n in range(population) if n % 6 in (1, 3)]
    timed_out = [event.individual for event in events(home, Failed) if event.reason == "timed out"]
    well = len({i.id for i in killed} & {*timed_out} & {*caused})
    others = len(history.scored) == population - len(caused)
    return Tally(len(caused), well * others, lost(home, finished(home)), how)
