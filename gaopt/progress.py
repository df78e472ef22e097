"""How far a study is: read off its history, for the live page, `status`, `list` and programs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from gaopt.config import from_tables
from gaopt.history import History, Individual
from gaopt.home import Home
from gaopt.journal import Journal, held

State = Literal["running", "finished", "interrupted", "failed", "killed", "empty"]


@dataclass(frozen=True)
class Progress:
    """
    Attributes:
        state: "killed" where a driver neither holds the study nor has put it down.
        generation, generations: the newest one, counted from 0 (−1 before it), and how many there will be.
        done, failed, trainings: individuals with an outcome, those of them that failed, and how many there will be.
        epochs: of a whole training, 0 if unknown.
        config: as plain data, empty before the study was opened.
        left: seconds until the last training is done, None if that cannot be told.
    """

    name: str
    state: State
    generation: int
    generations: int
    done: int
    failed: int
    trainings: int
    epochs: int
    best: Individual | None
    mean: float | None
    running: tuple[Individual, ...]
    test: dict[str, float] | None
    started: float
    elapsed: float
    left: float | None
    config: Mapping[str, Any]

    def plain(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        best = self.best
        return {
            "study": self.name,
            "state": self.state,
            "generation": self.generation,
            "generations": self.generations,
            "done": self.done,
            "failed": self.failed,
            "trainings": self.trainings,
            "best": {"individual": best.id, "fitness": best.fitness, "genes": best.genes} if best else None,
            "mean": self.mean,
            "running": [
                {"individual": i.id, "generation": i.generation, "genes": i.genes, "epoch": i.epoch}
                for i in self.running
            ],
            "test": self.test,
            "started": self.started,
            "elapsed": round(self.elapsed, 1),
            "left": None if self.left is None else round(self.left, 1),
        }


def look(home: Home) -> Progress:
    """Where a study is now, from its journal alone.

    Raises:
        StudyError: the journal cannot be read.
    """
    for attempt in (1, 2):
        holds = held(home.journal)  # asked first: a driver that ends meanwhile has put the study down
        with Journal(home.journal) as journal:
            now = progress(home.name, History(journal), held=holds, now=time.time())
        if now.state != "killed" or attempt == 2:  # or one that starts meanwhile: look again
            break
    return now


def progress(name: str, history: History, *, held: bool, now: float) -> Progress:
    """
    Args:
        held: whether a driver holds the study now.
        now: the time, in seconds since 1970.
    """
    found = state(history, held)
    config = from_tables(history.config) if history.config else None
    trainings = config.trainings if config else 0
    done = len(history.scored) + len(history.failed)
    scores = [i.fitness for i in history.population if i.status == "scored"]
    best = history.best
    judged = history.judged.get(best.id) if best else None
    return Progress(
        name=name,
        state=found,
        generation=history.generation,
        generations=config.generations if config else 0,
        done=done,
        failed=len(history.failed),
        trainings=trainings,
        epochs=int(config.settings.get("recipe", {}).get("epochs", 0)) if config else 0,
        best=best,
        mean=fmean(scores) if scores else None,
        running=tuple(history.running) if found == "running" else (),
        test=judged.metrics if judged else None,
        started=history.created,
        elapsed=(now if found == "running" else history.updated) - history.created,
        left=_left(history, trainings - done, now) if found == "running" else None,
        config=history.config,
    )


def state(history: History, held: bool) -> State:
    """What a study is doing, told from its journal and whether a driver holds it."""
    if not history.opened:
        return "empty"
    if history.closed:
        return history.closed.reason
    return "running" if held else "killed"


def _left(history: History, trainings: int, now: float) -> float | None:
    """At the pace since the study was last opened: it counts how many are trained side by side without knowing it."""
    assert history.opened
    since = history.opened.at
    finished = sum(1 for i in history.individuals.values() if i.outcome and i.outcome.at > since)
    partly = sum(_share(history, i) for i in history.running)
    return (now - since) / (finished + partly) * (trainings - partly) if finished + partly > 0 else None


def _share(history: History, individual: Individual) -> float:
    epochs = history.config.get("recipe", {}).get("epochs", 0)
    return min(1.0, individual.epoch / epochs) if epochs else 0.0


def clock(seconds: float | None) -> str:
    """Seconds as a person says them: "42 s", "4:07", "1:02:03"."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    if minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"
