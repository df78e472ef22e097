"""Workers that die beneath a training."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gaopt.journal.events import Retried
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.ends import lost
from tests.faults.row import Tally
from tests.faults.studies import each_once, events, on_ray, ray_of, study
from tests.witness import finished


def dies_once(folder: Path, population: int = 12) -> Tally:
    """Every worker dies with the first try of its individual."""
    with ray_of():
        how = "the worker of every individual of a search dies once: SIGKILL, a segmentation fault, os._exit"
        return each_once(folder, study("dies_once", population, generations=4), how, "killed")


def dies_always(folder: Path, population: int = 6) -> Tally:
    """The worker of every second individual dies with each of its tries."""
    home = StudyDir(folder / "always")
    with ray_of():
        history = run(on_ray(study("dies_always", population)), home)
    retried = Counter(event.individual for event in events(home, Retried))
    came_to = {i.id: i.failure.reason if i.failure else "" for i in history.individuals.values()}
    well = sum(came_to[n] == "killed" and retried[n] == 1 for n in range(0, population, 2))
    others = all(came_to[n] == "" and not retried[n] for n in range(1, population, 2))
    return Tally(
        len(range(0, population, 2)),
        well * others,
        lost(home, finished(home)),
        "of some at every try: failed as killed after one retry",
    )
