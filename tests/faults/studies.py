"""The small studies that the rows are tried on, the processes that run them, and what became of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gaopt import StudyConfig
from gaopt.config import Faults, PoolConfig
from gaopt.journal.events import Bred, Failed, Retried, Scored
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.report.tables import individuals
from gaopt.study.loop import run
from tests.conftest import ROOT, toy
from tests.faulty import finished


@dataclass(frozen=True)
class Tally:
    """One fault, caused again and again.

    Attributes:
        tried: how often it was caused.
        survived: how often the study then ended as if nothing had been, or stopped in the way that it should.
        lost: finished trainings that were in no journal afterwards, or were trained again.
        how: in a few words, what was done, for whoever reads the table.
    """

    tried: int
    survived: int
    lost: int
    how: str

    @property
    def well(self) -> bool:
        return not self.lost and self.survived == self.tried

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.tried + other.tried, self.survived + other.survived, self.lost + other.lost, self.how)

    def called(self, how: str) -> Tally:
        return Tally(self.tried, self.survived, self.lost, how)


def table(home: StudyDir, *without: str) -> str:
    """individuals.csv without what a clock decides, and without more columns."""
    return individuals(History(Journal(home.journal))).drop(columns=["seconds", *without]).to_csv(index=False)


def ends(home: StudyDir) -> list[int]:
    """The individuals whose training has ended, as often as the journal says so."""
    return [event.individual for event in Journal(home.journal) if isinstance(event, Scored | Failed)]


def born(home: StudyDir) -> list[int]:
    return [birth.id for event in Journal(home.journal) if isinstance(event, Bred) for birth in event.births]


def lost(home: StudyDir, seen: Iterable[int]) -> int:
    """Finished trainings that a fault has cost: those seen to end that no journal knows, and those made again.

    Args:
        seen: the individuals whose training somebody saw finished, as often as it was.
    """
    known = list(seen)
    return len(set(known) - set(ends(home))) + len(known) - len(set(known)) + trained_twice(home)


def trained_twice(home: StudyDir) -> int:
    """How often a training that was finished was made again."""
    ended = ends(home)
    return len(ended) - len(set(ended))


def gaopt(
    results: Path, *arguments: str, cwd: Path = ROOT, said: int = subprocess.DEVNULL, alone: bool = False
) -> subprocess.Popen[str]:
    """The command in a process of its own, on a Ray of its own.

    Args:
        said: where its stdout and stderr go, each.
        alone: with its children in a group of its own, which can be sent a signal as a whole.
    """
    environment = {**os.environ, "GAOPT_RESULTS": str(results), "PYTHONPATH": str(ROOT)}
    environment.pop("RAY_ADDRESS", None)
    command = [sys.executable, "-m", "gaopt", *arguments]
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=said, stderr=said, text=True, start_new_session=alone
    )


def below(pid: int) -> Iterator[int]:
    """All processes that descend from one, whichever of its threads began them."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text("ascii").split()):
                yield child
                yield from below(child)


def name(pid: int) -> str:
    """What a process calls itself, without its folder; "" where there is none, or only its entry."""
    with suppress(OSError):
        return Path(os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0])).name
    return ""


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
    """Whether a process has ended, within a minute."""
    deadline = time.monotonic() + 60
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
