"""A clock that is set back a day."""

from __future__ import annotations

import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from gaopt.journal.events import Scored
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from gaopt.study.progress import progress
from tests.ends import lost
from tests.faults.row import Tally
from tests.faults.studies import events, left_alone, same, study
from tests.witness import finished

DAY = 86_400


TRUE = time.time


class SetBack:
    """The time, by a clock that is set back a day once it was asked so many times, by whomever."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self) -> float:
        self._left -= 1
        return TRUE() - (DAY if self._left < 0 else 0)


def set_back(folder: Path, most: int = 20) -> Tally:
    """At so many of the events of a search."""
    config = study("sound", population=4, generations=4)
    alone = left_alone(folder, config)
    whole = sum(1 for _ in Journal(alone.journal))
    well = gone = tried = 0
    for after in range(1, whole, max(1, whole // most)):
        home, clock = StudyDir(folder / str(after)), SetBack(after)
        with patch("time.time", clock), patch("gaopt.study.Journal", partial(Journal, clock=clock)):
            begun = time.monotonic()
            history = run(config, home)
        tried += 1
        well += right(home, history, clock, time.monotonic() - begun) and same(home, alone) == len(history.individuals)
        gone += lost(home, finished(home))
    return Tally(tried, well, gone, "during a search, the clock of the driver's process (not the machine's)")


def right(home: StudyDir, history: History, clock: SetBack, lasted: float) -> bool:
    """Whether durations and order are those of a study of so many seconds, though its dates are not."""
    steps = [b.at - a.at for a, b in pairwise(Journal(home.journal))]
    elapsed = progress("set back", history, held=True, now=clock()).elapsed
    ordered = [outcome.individual for _, outcome in history.ends] == [e.individual for e in events(home, Scored)]
    durations = all(0 < i.seconds < lasted for i in history.scored) and 0 < elapsed <= lasted + 0.1
    return min(steps) < 1 - DAY and ordered and durations
