"""make kills: SIGKILL the driver of a real `quick` search at random moments, resume, and compare.

Writes results/kills.md. Takes about a minute a kill on two cores, and is therefore no part of the test suite.
"""

from __future__ import annotations

import os
import platform
import random
import sys
import tempfile
import time
from pathlib import Path

from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from tests.conftest import ROOT
from tests.faults.studies import ends, gaopt, table, trained_twice

KILLS = 20


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
    home = StudyDir(results / name)
    done = len(ends(home))
    assert gaopt(results, "resume", name).wait() == 0
    return done, table(home) == expected, trained_twice(home)


def main(kills: int) -> None:
    rng, rows = random.Random(0), []
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)
        assert gaopt(results, "run", "quick", "--name", "undisturbed").wait() == 0
        home = StudyDir(results / "undisturbed")
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
