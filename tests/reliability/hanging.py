"""Trainings that hang."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from gaopt import patience
from gaopt.config import Faults
from gaopt.events import Failed
from gaopt.home import Home
from gaopt.study import run
from tests.ends import lost
from tests.reliability.row import Tally
from tests.reliability.studies import events, gone, on_ray, ray_of, study
from tests.witness import finished


def beyond_the_limit(folder: Path, population: int = 12) -> Tally:
    """Some wait, some compute, for ever; the config sets a limit."""
    how = "two of six hang, one asleep, one holding the interpreter: beyond `faults.seconds`"
    return _hung(folder, population, Faults(seconds=15.0), how)


def beyond_siblings(folder: Path, population: int = 6) -> Tally:
    """No limit is set, but their siblings were through long ago."""
    how = "and silent for longer than siblings took (the least of 60 s lowered to 10)"
    with patch.object(patience, "LEAST", 10.0):
        return _hung(folder, population, Faults(), how)


def _hung(folder: Path, population: int, faults: Faults, how: str) -> Tally:
    home = Home(folder / "hanging")
    with ray_of(3):  # two hang, and the others must come through beside them
        history = run(on_ray(study("hangs", population, faults=faults)), home)
        killed = [i for i in history.failed if gone(int(i.reports[1].metrics["pid"]))]
    caused = [n for n in range(population) if n % 6 in (1, 3)]
    timed_out = [event.individual for event in events(home, Failed) if event.reason == "timed out"]
    well = len({i.id for i in killed} & {*timed_out} & {*caused})
    others = len(history.scored) == population - len(caused)
    return Tally(len(caused), well * others, lost(home, finished(home)), how)
