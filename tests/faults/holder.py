"""Two drivers on one study: the second is told who holds it, and a killed holder blocks nobody."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

from gaopt import StudyConfig
from gaopt.errors import StudyError
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.conftest import ROOT
from tests.ends import ends, lost, table
from tests.faults.row import Tally
from tests.faults.studies import study


def config() -> StudyConfig:
    """One that lasts longer than a second driver waits for the lock."""
    return study("sound", population=6, generations=30)


def two_drivers(folder: Path, times: int = 10) -> Tally:
    """A driver in a process of its own, a second one beside it, the first killed, the second again."""
    alone = StudyDir(folder / "alone")
    run(config(), alone)
    survived = gone = 0
    for number in range(times):
        home = StudyDir(folder / str(number))
        holder = subprocess.Popen([sys.executable, "-m", "tests.faults.holder", home.path], cwd=ROOT)
        done = _begun(home, number % 5 + 1)
        told = _told(home)
        holder.kill()
        holder.wait()
        run(config(), home)
        survived += told == f"process {holder.pid} on {socket.gethostname()}" and table(home) == table(alone)
        gone += lost(home, done)
    return Tally(times, survived, gone, "a second process takes up a study that runs; then the first is killed")


def _begun(home: StudyDir, scores: int) -> list[int]:
    """Wait until the trainings of so many individuals have ended; who they are."""
    while not home.journal.is_file() or len(done := ends(home)) < scores:
        time.sleep(0.01)
    return done


def _told(home: StudyDir) -> str:
    """Who holds a study, as a second driver reads it; "" if nothing stops it."""
    try:
        run(config(), home)
    except StudyError as error:
        return str(error).rpartition(" is in use by ")[2]
    return ""


if __name__ == "__main__":
    run(config(), sys.argv[1])
