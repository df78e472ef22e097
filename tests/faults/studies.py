"""The small studies that the rows are tried on, and what becomes of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gaopt import StudyConfig
from gaopt.config import Faults, PoolConfig
from gaopt.journal.events import Retried
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.conftest import ROOT, toy
from tests.ends import ends, lost, table
from tests.faults.row import Tally
from tests.witness import finished

FAULTY = "tests.faulty"


def study(
    objective: str,
    population: int = 6,
    generations: int = 1,
    faults: Faults = Faults(),  # noqa: B008 - frozen
    **settings: Any,
) -> StudyConfig:
    """A search in this process, by an objective of tests/faulty.py."""
    config = toy(population=population, generations=generations)
    return replace(config, objective=f"{FAULTY}:{objective}", faults=faults, settings={"settings": settings})


def on_ray(config: StudyConfig) -> StudyConfig:
    return replace(config, pool=PoolConfig(gpus=0))


@contextmanager
def ray_of(cpus: int = 2) -> Iterator[None]:
    """A Ray of this machine, for the studies within."""
    import ray

    before = os.getcwd()
    os.chdir(ROOT)  # where workers find the objectives
    try:
        ray.init(address="local", num_cpus=cpus, include_dashboard=False, log_to_driver=False, configure_logging=False)
        yield
    finally:
        ray.shutdown()
        os.chdir(before)


def events(home: StudyDir, kind: type[Any]) -> list[Any]:
    return [event for event in Journal(home.journal) if isinstance(event, kind)]


def gone(pid: int) -> bool:
    """Whether a process has ended, within ten seconds."""
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not Path(f"/proc/{pid}").exists()


def left_alone(folder: Path, config: StudyConfig, **calm: Any) -> StudyDir:
    """The same search in this process, with which nothing goes wrong.

    Args:
        calm: what its config has instead; by default an objective that is sound.
    """
    home = StudyDir(folder / "alone")
    calm = calm or {"objective": f"{FAULTY}:sound"}
    run(replace(config, pool=PoolConfig(kind="inline"), **calm), home)
    return home


def same(home: StudyDir, other: StudyDir) -> int:
    """How many individuals are the same in two studies: origin, genes, fitness, metrics and all but the seconds."""
    return len(set(table(home).splitlines()[1:]) & set(table(other).splitlines()[1:]))


def each_once(folder: Path, config: StudyConfig, how: str, reason: str) -> Tally:
    """A study whose every individual goes wrong for once, beside the one of which none does."""
    home = StudyDir(folder / "faulty")
    run(on_ray(config), home)
    return once(home, left_alone(folder, config), reason, how)


def once(home: StudyDir, alone: StudyDir, reason: str, how: str) -> Tally:
    """Tried are all that would be trained; one that was not begun again for this reason has not survived its fault.

    Args:
        alone: the same study, with which nothing went wrong.
    """
    caused = {event.individual for event in events(home, Retried) if event.reason == reason}
    return Tally(len(ends(alone)), min(len(caused), same(home, alone)), lost(home, finished(home)), how)
