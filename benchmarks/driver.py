"""The driver alone: its cost per evaluation as a study grows, and how busy its workers are.

`python -m benchmarks.driver` prints both tables. Trainings are simulated: a pool with a clock of its own gives scores
at once.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from heapq import heappop, heappush
from pathlib import Path

from gaopt import Gene, Genetic, Space, StudyConfig
from gaopt.config import Assisted
from gaopt.config.study import Mode
from gaopt.execution import Begun
from gaopt.journal.events import Birth, Bred, Data, Event, Outcome, Reported, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Task
from gaopt.study.loop import run
from tests.conftest import MEMORY, ROOT, begun

SPACE = Space(lr=Gene(1e-6, 1e-2, "log"), wd=Gene(0.0, 0.1), mom=Gene(0.1, 1.5))
SIZES = {
    "random": (10, 100, 1_000, 10_000),
    "genetic": (10, 100, 1_000, 10_000),
    "assisted": (10, 100, 300, 1_000, 3_000),
}
METRICS = ("train_loss", "train_top1", "valid_loss", "top1", "top3", "top5", "seconds", "images_per_second")
MORE = 50
"""Evaluations that are timed on top of a study of a size: among so many the model of a large one is fitted once."""


class Simulated:
    """A pool of workers with a clock of its own: durations are spread evenly from 1 to `spread`."""

    def __init__(self, workers: int, spread: float = 1.0) -> None:
        self.capacity, self._spread = workers, spread
        self.dashboard = ""
        self.made_of: Mapping[str, str] = {}
        self.data: Data | None = None
        self._running: list[tuple[float, int]] = []
        self._rng = random.Random(0)
        self.now = self.worked = 0.0

    @property
    def room(self) -> int:
        return self.capacity - len(self._running)

    def submit(self, task: Task) -> None:
        lasts = self._rng.uniform(1.0, self._spread)
        self.worked += lasts
        heappush(self._running, (self.now + lasts, task.individual))

    def wait(self) -> Outcome | Begun | None:
        self.now, individual = heappop(self._running)
        return Scored(individual, self._rng.random(), {}, 1, 1.0)

    def cancel(self, individual: int) -> None:
        raise NotImplementedError

    def stop(self) -> Iterator[Outcome]:
        return iter(())

    def close(self) -> None:
        pass


def config(strategy: str, population: int, generations: int) -> StudyConfig:
    study = StudyConfig(SPACE, "gaopt.objectives.toy:valley", strategy=strategy)
    if strategy == "assisted":
        return replace(study, assisted=Assisted(population=population, generations=generations))
    return replace(study, genetic=Genetic(population=population, generations=generations))


def made(study: StudyConfig, home: StudyDir, size: int, epochs: int = 1) -> None:
    """A journal with so many individuals, each with so many epochs of 8 metrics and 16 points, and a score."""
    rng = random.Random(0)
    begun(study, home)
    with Journal(home.journal, write=True) as journal:
        survivors: tuple[int, ...] = ()
        for generation, first in enumerate(range(0, size, 10)):
            births = tuple(Birth(first + n, SPACE.sample(rng), "random") for n in range(10))
            journal.add(Bred(generation, births, survivors))
            for birth in births:
                journal.add(Started(birth.id))
                for epoch in range(1, epochs + 1):
                    metrics = {name: rng.random() for name in METRICS}
                    cycle = tuple(((epoch - 1 + n / 16) / epochs, rng.random(), rng.random()) for n in range(16))
                    journal.add(Reported(birth.id, epoch, metrics, cycle))
                journal.add(Scored(birth.id, rng.random(), {}, epochs, 1.0))
            survivors = tuple(birth.id for birth in births[:5])
        journal.commit()


class Enough(Exception):  # noqa: N818 - no error
    """All evaluations that are timed have been."""


def grown(strategy: str, size: int) -> tuple[float, int]:
    """(CPU milliseconds per evaluation, peak MB) of a study that already has so many individuals."""
    study = config(strategy, 10, (size + 2 * MORE) // 5)
    times: list[float] = []

    def watch(history: History, event: Event) -> None:
        if isinstance(event, Scored):
            times.append(time.process_time())
            if len(times) > MORE:
                raise Enough

    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        home = StudyDir(Path(folder) / "study")
        made(study, home, size)
        with suppress(Enough):
            run(study, home, pool=Simulated(2), watch=watch)
    return (times[-1] - times[0]) / MORE * 1e3, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def growth() -> list[str]:
    """A Markdown table: each cell in a process of its own."""
    lines = ["| strategy | individuals so far | CPU ms per evaluation | peak of the driver |", "|---|--:|--:|--:|"]
    for strategy, sizes in SIZES.items():
        for size in sizes:
            command = [sys.executable, "-m", "benchmarks.driver", strategy, str(size)]
            told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
            lines.append(f"| {strategy} | {size:,} | {float(told[0]):.1f} | {told[1]} MB |")
    return lines


def busy(workers: int, spread: float, population: int, generations: int, mode: Mode) -> tuple[float, float, float]:
    """(Share of the workers' time that they train, how long it takes, wall-clock ms of the driver per evaluation)."""
    pool = Simulated(workers, spread)
    study = replace(config("genetic", population, generations), mode=mode)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        start = time.perf_counter()
        history = run(study, Path(folder) / "study", pool=pool)
        cost = (time.perf_counter() - start) / len(history.individuals) * 1e3
    return pool.worked / (workers * pool.now), pool.now, cost


def workers() -> list[str]:
    """A Markdown table of simulated workers."""
    lines = [
        "| workers | durations | population × generations | busy | busy, steady | time, steady ÷ not | ms a training |",
        "|--:|---|---|--:|--:|--:|--:|",
    ]
    for number, spread, population, generations in (
        (2, 1, 10, 5),
        (2, 3, 10, 20),
        (8, 1, 10, 5),
        (8, 3, 10, 20),
        (1_000, 3, 2_000, 3),
    ):
        waiting, long, cost = busy(number, spread, population, generations, "generational")
        steady, short, _ = busy(number, spread, population, generations, "steady")
        durations = "equal" if spread == 1 else f"spread {spread} ×"
        lines.append(
            f"| {number:,} | {durations} | {population:,} × {generations} | {waiting:.2f} | {steady:.2f}"
            f" | {short / long:.2f} | {cost:.1f} |"
        )
    return lines


def main() -> None:
    if sys.argv[1:]:
        print(*grown(sys.argv[1], int(sys.argv[2])))
        return
    print("\n".join([*growth(), "", *workers()]))


if __name__ == "__main__":
    main()
