"""make kills: SIGKILL the driver of a real `quick` search at random moments, resume, and compare.

Writes results/kills.md. Takes about a minute a kill on two cores, and is therefore no part of the test suite.
"""

from __future__ import annotations

import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from gaopt.events import Failed, Scored
from gaopt.history import History
from gaopt.home import Home
from gaopt.journal import Journal
from gaopt.report.tables import individuals

KILLS = 20
ROOT = Path(__file__).parent.parent


def gaopt(results: Path, *arguments: str, cwd: Path = ROOT, said: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """The command in a process of its own, on a Ray of its own.

    Args:
        said: where its stdout and stderr go, each.
    """
    environment = {**os.environ, "GAOPT_RESULTS": str(results), "PYTHONPATH": str(ROOT)}
    environment.pop("RAY_ADDRESS", None)
    command = [sys.executable, "-m", "gaopt", *arguments]
    return subprocess.Popen(command, cwd=cwd, env=environment, stdout=said, stderr=said, text=True)


def table(home: Home, *without: str) -> str:
    """individuals.csv without what a clock decides, and without more columns."""
    return individuals(History(Journal(home.journal))).drop(columns=["seconds", *without]).to_csv(index=False)


def ends(home: Home) -> list[int]:
    """The individuals whose training has ended, as often as the journal says so."""
    return [event.individual for event in Journal(home.journal) if isinstance(event, Scored | Failed)]


def lost(home: Home, seen: Iterable[int]) -> int:
    """Finished trainings that a fault has cost: those seen to end that no journal knows, and those made again.

    Args:
        seen: the individuals whose end somebody was told of.
    """
    return len(set(seen) - set(ends(home))) + trained_twice(home)


def ended(history: History) -> set[int]:
    """The individuals whose end a driver was told of."""
    return {outcome.individual for _, outcome in history.ends}


def trained_twice(home: Home) -> int:
    """How often a training that was finished was made again."""
    ended = ends(home)
    return len(ended) - len(set(ended))


def one(results: Path, number: int, moment: float, expected: str) -> tuple[int, bool, int]:
    """(individuals finished at the kill, whether the resumed study is the same, trained twice)."""
    name = f"killed{number}"
    process = gaopt(results, "run", "quick", "--name", name)
    journal = results / name / "study.db"
    while not journal.exists() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(moment)
    process.kill()
    process.wait()
    home = Home(results / name)
    done = len(ends(home))
    assert gaopt(results, "resume", name).wait() == 0
    return done, table(home) == expected, trained_twice(home)


def main(kills: int) -> None:
    rng, rows = random.Random(0), []
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)
        assert gaopt(results, "run", "quick", "--name", "undisturbed").wait() == 0
        home = Home(results / "undisturbed")
        expected = table(home)
        events = list(Journal(home.journal))
        span = events[-1].at - events[0].at
        for number in range(kills):
            moment = rng.random() * span
            rows.append((number + 1, moment, *one(results, number, moment, expected)))
            print(rows[-1], flush=True)
    same, twice = sum(row[3] for row in rows), sum(row[4] for row in rows)
    lines = [
        "# A real search killed at random moments",
        "",
        f"`make kills`: `gaopt run quick` ({expected.count(chr(10)) - 1} trainings in {span:.0f} s undisturbed),"
        f" its driver killed with SIGKILL {kills} times, each time once and then `gaopt resume`d,"
        f" on {os.cpu_count()} CPU cores, Python {platform.python_version()}."
        " Compared: every column of `individuals.csv` but the seconds.",
        "",
        f"**{same} of {kills}** ended with the same individuals, genes and fitness as the search left alone;"
        f" finished individuals trained again: **{twice}**.",
        "",
        "| kill | seconds after the first event | individuals finished by then | the same study | trained again |",
        "|---:|---:|---:|---|---:|",
        *(
            f"| {n} | {moment:.1f} | {done} | {'yes' if ok else 'no'} | {again} |"
            for n, moment, done, ok, again in rows
        ),
    ]
    (ROOT / "results" / "kills.md").write_text("\n".join(lines) + "\n", "utf-8")
    sys.exit(0 if same == kills and twice == 0 else 1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS)
