"""make day: a day in small. A `quick` search of forty generations while something of it is killed every few seconds.

The driver, a worker, the raylet or Ray's head, at random; whenever the driver is gone, `gaopt resume`. Writes
results/day.md. Takes about a quarter of an hour on two cores, and is therefore no part of the test suite.
"""

from __future__ import annotations

import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path

from gaopt.journal.events import Reported, Retried
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from tests.conftest import ROOT
from tests.faults.studies import below, ends, gaopt, name, table, trained_twice

SHRUNK = ("data.limit=500", "recipe.epochs=3")
"""What makes a training short enough for forty generations of them to fit between the kills of a quarter of an hour."""
RETRIES = "faults.retries=100"
"""A worker of one individual may be killed again and again: with the default of 1 the second kill is a failure."""
STUDY = ("--generations", "40", "--pop", "6", *(part for key in (*SHRUNK, RETRIES) for part in ("--set", key)))
PAUSE = 2.0, 10.0
"""Seconds between two kills, at least and at most."""
SPARED = 0.5
"""So many of the drivers have peace until their first report: on a busy machine nothing would ever be trained."""
CHANCES = {"worker": 12, "driver": 1, "raylet": 1, "head": 1}
PATIENCE = 20
"""After so many resumes in a row that trained nothing it is given up."""
AGENTS = "ray::DashboardAgent", "ray::RuntimeEnvAgent"
"""Called like workers. With one of them Ray ends its raylet."""


@dataclass
class Toll:
    """What was done to a study, and what it did.

    Attributes:
        kills: by what was killed.
        resumes: by how the driver had ended before.
        crashed: drivers that ended by themselves with a traceback.
        seen: individuals whose end was in the journal at a kill.
    """

    kills: Counter[str] = field(default_factory=Counter)
    resumes: Counter[str] = field(default_factory=Counter)
    crashed: int = 0
    seen: set[int] = field(default_factory=set)
    seconds: float = 0.0


def reports(home: StudyDir) -> int:
    if not home.journal.exists():
        return 0
    return sum(isinstance(event, Reported) for event in Journal(home.journal))


def kind(pid: int) -> str:
    """What a process of Ray is, by what it calls itself; "" for what is none of those that are killed."""
    called = name(pid)
    if called.startswith("ray::") and called not in AGENTS:
        return "worker"
    return {"raylet": "raylet", "gcs_server": "head"}.get(called, "")


def standing(driver: int) -> dict[str, list[int]]:
    """The processes that may be killed, by what they are."""
    found: dict[str, list[int]] = {"driver": [driver], "worker": [], "raylet": [], "head": [], "": []}
    for pid in below(driver):
        found[kind(pid)].append(pid)
    return found


def shaken(process: subprocess.Popen[str], home: StudyDir, rng: random.Random, toll: Toll) -> int:
    """Kill something of a driver every few seconds until it has ended. Returns its exit code."""
    if rng.random() < SPARED:
        before = reports(home)
        while reports(home) == before and process.poll() is None:
            time.sleep(0.5)
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(rng.uniform(*PAUSE))
        [what] = rng.choices(list(CHANCES), list(CHANCES.values()))
        toll.seen |= set(ends(home))
        with suppress(IndexError, ProcessLookupError):  # there may be none while Ray starts: then not this time
            os.kill(rng.choice(standing(process.pid)[what]), signal.SIGKILL)
            toll.kills[what] += 1
            print(f"{time.strftime('%X')} {len(toll.seen)} ended; killed: {what}", flush=True)


def words(home: StudyDir) -> Path:
    """What the last driver of a study said."""
    return home.path.with_suffix(".txt")


def driven(home: StudyDir, *arguments: str) -> subprocess.Popen[str]:
    """A command on a study in a process of its own, whose words are kept."""
    with open(words(home), "w", encoding="utf-8") as said:
        return gaopt(home.path.parent, *arguments, said=said.fileno())


def endure(home: StudyDir, rng: random.Random) -> Toll:
    """A study under kills, resumed until it has come to its end.

    Raises:
        RuntimeError: resumes train nothing any more.
    """
    toll, begun, idle, reported = Toll(), time.monotonic(), 0, 0
    process = driven(home, "run", "quick", "--name", home.name, *STUDY)
    while not home.journal.exists() and process.poll() is None:
        time.sleep(0.05)
    while code := shaken(process, home, rng, toll):
        toll.resumes["killed" if code == -signal.SIGKILL else f"ended by itself with {code}"] += 1
        said = words(home).read_text("utf-8", "replace")
        toll.crashed += code > 0 and "Traceback" in said
        print(f"{time.strftime('%X')} exit {code}: {''.join(said.splitlines()[-1:])}", flush=True)
        before, reported = reported, reports(home)
        idle = idle + 1 if reported == before else 0
        if idle > PATIENCE:
            raise RuntimeError(f"{PATIENCE} resumes in a row trained nothing; the last ended with {code}")
        process = driven(home, "resume", home.name)
    toll.seconds = time.monotonic() - begun
    return toll


def told(alone: StudyDir, home: StudyDir, toll: Toll, seconds: float) -> tuple[bool, str]:
    """Whether all is well – every kind of process was killed, and nothing came of it – and results/day.md."""
    same, twice, lost = table(home) == table(alone), trained_twice(home), len(toll.seen - set(ends(home)))
    retried = sum(isinstance(event, Retried) for event in Journal(home.journal))
    kills = ", ".join(f"{what} {times}" for what, times in sorted(toll.kills.items()))
    resumes = ", ".join(f"{how}: {times}" for how, times in sorted(toll.resumes.items()))
    chances = ", ".join(f"{what} {chance}" for what, chance in CHANCES.items())
    rows = {
        "kills": f"{sum(toll.kills.values())}: {kills}",
        "resumes, by how the driver had ended": f"{sum(toll.resumes.values())}: {resumes}",
        "trainings begun again after a worker was lost": retried,
        "seconds, with the kills": f"{toll.seconds:.0f}",
        "the same individuals, genes and fitness as left alone": f"**{'yes' if same else 'no'}**",
        "finished trainings lost": f"**{lost}**",
        "finished trainings made again": f"**{twice}**",
        "drivers that ended with a traceback": f"**{toll.crashed}**",
    }
    lines = [
        "# A day in small",
        "",
        f"`make day`: `gaopt run quick {' '.join(STUDY)}`",
        f"({len(ends(alone))} trainings, made shorter than those of `quick`, in {seconds:.0f} s undisturbed),",
        f"on {os.cpu_count()} CPU cores, Python {platform.python_version()}.",
        "",
        f"Every {PAUSE[0]:g} to {PAUSE[1]:g} seconds one process of its tree is killed with SIGKILL: a worker,",
        f"the driver, the raylet or Ray's head (`gcs_server`), by chances in {sum(CHANCES.values())} of {chances};",
        f"whenever the driver has ended, `gaopt resume`. {SPARED:.0%} of the drivers have peace until they report.",
        "`faults.retries` is 100: with the default of 1 an individual whose worker is killed twice is a failure,",
        "as it should be.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {what} | {value} |" for what, value in rows.items()),
        "",
        "Compared: every column of `individuals.csv` but the seconds.",
    ]
    caused = toll.kills.keys() == CHANCES.keys() and retried > 0
    return caused and same and not (twice or lost or toll.crashed), "\n".join(lines) + "\n"


def main() -> None:
    rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    folder = Path(tempfile.mkdtemp(prefix="gaopt-day-"))
    print(f"the two studies are in {folder}, until all is well", flush=True)
    alone, home = StudyDir(folder / "alone"), StudyDir(folder / "killed")
    begun = time.monotonic()
    assert gaopt(alone.path.parent, "run", "quick", "--name", alone.name, *STUDY).wait() == 0
    seconds = time.monotonic() - begun
    print(f"undisturbed: {seconds:.0f} s", flush=True)
    well, text = told(alone, home, endure(home, rng), seconds)
    if well:
        shutil.rmtree(folder)
    else:
        print("rows that differ:")
        print("\n".join(unified_diff(table(alone).splitlines(), table(home).splitlines(), "alone", "killed", n=0)))
    (ROOT / "results" / "day.md").write_text(text, "utf-8")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
