"""Studies that only fail."""

from __future__ import annotations

from pathlib import Path

from gaopt.config import Faults
from gaopt.errors import Hopeless
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.ends import lost
from tests.faults.row import Tally
from tests.faults.studies import study
from tests.witness import finished


def stopped(folder: Path, most: int = 10) -> Tally:
    """After 1, 2, … failures of one kind; once it is mended, the rest is trained."""
    tallies = [_stopped(StudyDir(folder / str(number)), number) for number in range(1, most + 1)]
    return Tally(
        len(tallies),
        sum(well for well, _ in tallies),
        sum(gone for _, gone in tallies),
        "every training raises: stops after 1 to 10 of them with the first traceback, goes on once that is mended",
    )


def _stopped(home: StudyDir, number: int) -> tuple[bool, int]:
    config = study("fails", population=12, faults=Faults(max_alike_failures=number))
    try:
        run(config, home)
    except Hopeless as error:
        told = 'raise ValueError("no such luck")' in str(error)
    else:
        return False, lost(home, ())
    before = History(Journal(home.journal))
    failed = len(before.failed)
    (home.path / "mended").touch()
    history = run(config, home)
    well = told and failed == len(history.failed) == number and len(history.scored) == 12 - number
    return well, lost(home, finished(home))
