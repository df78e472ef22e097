"""How far a study is: read off its history, for the live page, `status`, `list` and programs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal, TypeVar

from gaopt.config import SEARCHES, StudyConfig, from_tables
from gaopt.config.tables import reported
from gaopt.journal.history import History, Individual
from gaopt.journal.journal import Journal
from gaopt.journal.lock import held
from gaopt.journal.paths import StudyDir

State = Literal["running", "finished", "interrupted", "failed", "cut off", "empty"]
Value = TypeVar("Value")

TOP = {"top3": 3, "top5": 5}
"""Accuracies by how many classes may be named."""


TOLD = ("state", "generation", "generations", "done", "failed", "early", "trainings", "mean", "test", "started")
TRAINING = ("generation", "genes", "epoch", "share")
"""What JSON has of a study, and of an individual that is being trained, under the same names."""


@dataclass(frozen=True)
class Progress:
    """How far a study is, at one moment.

    Attributes:
        state: "cut off" where no driver holds the study and the last one did not say how it ended: it was killed,
            say, or its disk was full.
        generation, generations: the newest one, counted from 0 (−1 before it), and how many there will be.
        done, trainings: trainings that have ended, and how many there will be at most; short ones on rungs included.
        failed, early: individuals that failed, and those left on a rung.
        epochs: of a whole training, 0 if unknown.
        fitness, trials: of the best: the mean of so many trainings, more than one once it was trained again.
        ended: why a search ended before its last generation; "" where it did not.
        config: as plain data, empty before the study was opened.
        left: seconds until the last training is done, None if that cannot be told.
        sign: see `History`.
    """

    name: str
    state: State
    generation: int
    generations: int
    done: int
    failed: int
    early: int
    trainings: int
    epochs: int
    best: Individual | None
    fitness: float | None
    trials: int
    mean: float | None
    running: tuple[Individual, ...]
    test: dict[str, float] | None
    started: float
    elapsed: float
    left: float | None
    config: Mapping[str, Any]
    ended: str
    sign: int = 1

    @property
    def value(self) -> float | None:
        """Of the best, what the objective gave: its fitness, or its loss."""
        return None if self.fitness is None else self.sign * self.fitness

    def length(self, individual: Individual) -> int:
        """Epochs of its training, as far as can be told: on a rung it is shorter. 0 if unknown."""
        return max(individual.epoch, 1, round(self.epochs * individual.share)) if self.epochs else 0

    def plain(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        running = ({"individual": i.id, **{name: getattr(i, name) for name in TRAINING}} for i in self.running)
        return {
            "study": self.name,
            **{name: getattr(self, name) for name in TOLD},
            "best": self._best(),
            "running": list(running),
            "elapsed": round(self.elapsed, 1),
            "left": None if self.left is None else round(self.left, 1),
            "ended": self.ended or None,
        }

    def _best(self) -> dict[str, Any] | None:
        """Its first score, and the mean over its trainings where there are more."""
        if not self.best:
            return None
        best = {"individual": self.best.id, "fitness": self.best.fitness, "genes": self.best.genes}
        return best | ({"mean": self.fitness, "trainings": self.trials} if self.trials > 1 else {})


def look(home: StudyDir) -> Progress:
    """Where a study is now, from its journal alone.

    Raises:
        StudyError: the journal cannot be read.
    """
    history, holds = current(home, epochs=False)
    return progress(home.name, history, held=holds, now=time.time())


def current(home: StudyDir, epochs: bool = True) -> tuple[History, bool]:
    """A study's history, and whether a driver holds it: where none does, nothing in it is being trained.

    Args:
        epochs: with those of trainings that are over.

    Raises:
        StudyError: the journal cannot be read.
    """
    history, read = History(), -1
    for _ in range(2):
        holds = held(home.path)  # asked first: a driver that ends meanwhile has put the study down
        with Journal(home.journal) as journal:
            if journal.last > read:
                history, read = History(journal if epochs else journal.outline()), journal.last
        if state(history, holds) != "cut off":  # else one may have started meanwhile: look again
            return history, holds
    history.put_down()
    return history, holds


def progress(name: str, history: History, *, held: bool, now: float) -> Progress:
    """How far a study is.

    Args:
        held: whether a driver holds the study now.
        now: the time, in seconds since 1970.
    """
    found = state(history, held)
    config = from_tables(history.config) if history.config else None
    coming = ahead(history, config) if config and found != "finished" else []
    done = sum(len(i.early) + i.done for i in history.individuals.values())
    scores = [i.fitness for i in history.population if i.status == "scored"]
    best = history.best
    judged = history.judged.get(best.id) if best else None
    return Progress(
        name=name,
        state=found,
        generation=history.generation,
        generations=max(config.generations, len(history.populations)) if config else 0,
        done=done,
        failed=len(history.failed),
        early=len(left_early(history)),
        trainings=done + sum(number for number, _ in coming),
        epochs=epochs(history.config),
        best=best,
        fitness=history.means.get(best.id, best.fitness) if best else None,
        trials=len(history.repeated.get(best.id, [best])) if best else 0,
        mean=fmean(scores) if scores else None,
        running=tuple(history.running) if found == "running" else (),
        test=telling(judged.metrics, history) if judged else None,
        started=history.created,
        elapsed=history.elapsed + (max(0.0, now - history.updated) if found == "running" else 0.0),
        left=_left(history, coming, now) if found == "running" else None,
        config=history.config,
        ended=ended(history),
        sign=history.sign,
    )


def telling(metrics: Mapping[str, Value], *histories: History) -> dict[str, Value]:
    """By metric what can tell something: not accuracies that cannot be missed, as the top-5 of three classes."""
    classes = max((len(history.data.classes) for history in histories if history.data), default=6)
    return {name: value for name, value in metrics.items() if TOP.get(name, 0) < classes}


def state(history: History, held: bool) -> State:
    """What a study is doing, told from its journal and whether a driver holds it."""
    if not history.opened:
        return "empty"
    if history.closed:
        return history.closed.reason
    return "running" if held else "cut off"


def planned(config: StudyConfig) -> int:
    """How many trainings a study takes, at most; short ones on rungs included."""
    return sum(number for number, _ in ahead(History(), config))


def ahead(history: History, config: StudyConfig) -> list[tuple[int, float]]:
    """(how many, for what share of a whole one): the trainings that have not ended or not begun, at most."""
    coming = [(1, individual.share) for individual in history.unfinished]
    if config.strategy not in SEARCHES:
        return coming if history.populations else [(config.trainings, 1.0)]
    repeats = len(history.repeats)
    if not repeats or not _again(history):
        coming += _above(history, config)
        counted = config.mode == "steady" or getattr(config, config.numbers).trainings
        left = [sum(config.litters) - history.born] if counted else config.litters[history.generation + 1 :]
        for litter in left:
            coming += [(number, share) for share, number in config.fidelity.waves(litter)]
    return [*coming, (max(0, config.noise.trainings - repeats), 1.0)]


def _again(history: History) -> bool:
    """Whether the newest births are of finalists: the search itself is over."""
    return history.individuals[max(history.individuals)].birth.origin == "repeat"


def _above(history: History, config: StudyConfig) -> list[tuple[int, float]]:
    """The rungs that the newest generation has not reached."""
    born = [i for i in history.individuals.values() if i.generation == history.generation]
    top = max((i.share for i in born), default=1.0)
    reached = [i for i in born if i.share == top]
    if top == 1.0 or all(i.status == "failed" for i in reached):
        return []
    going = math.ceil(config.fidelity.keep * len(reached))
    return [(number, share) for share, number in config.fidelity.waves(going, above=top)]


def left_early(history: History) -> list[Individual]:
    """Those that stay on their rung: others of their generation went on, or a later one was bred."""
    newest = [i.share for i in history.individuals.values() if i.generation == history.generation]
    return [i for i in history.early if history.finished or i.generation < history.generation or i.share < max(newest)]


def ended(history: History) -> str:
    """Why a finished search ended before its plan was through; "" where it did not."""
    return history.closed.why if history.closed else ""


def _left(history: History, coming: Sequence[tuple[int, float]], now: float) -> float | None:
    """At the pace since the study was last opened: it counts how many are trained side by side without knowing it.

    Trainings count by their shares of a whole one.
    """
    seconds, ends = history.lately
    lately = seconds + max(0.0, now - history.updated)
    finished = sum(share for share, _ in ends)
    partly = sum(i.share * _part(history, i) for i in history.running)
    work = sum(number * share for number, share in coming)
    return lately / (finished + partly) * (work - partly) if finished + partly > 0 else None


def _part(history: History, individual: Individual) -> float:
    whole = epochs(history.config) * individual.share
    return min(1.0, individual.epoch / whole) if whole else 0.0


def epochs(tables: Mapping[str, Any]) -> int:
    """Of a whole training, as a config's tables say; 0 where they say nothing, or what is no number of epochs."""
    recipe = tables.get("recipe")
    found = recipe.get("epochs") if isinstance(recipe, Mapping) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 2**31 else 0


def metric(tables: Mapping[str, Any]) -> str:
    """What fitness is, by the name that trainings report it under: top-1 accuracy where a config's tables say none."""
    table = tables.get("fitness")
    return reported(str(table.get("metric", "top1"))) if isinstance(table, Mapping) else "top1"


def clock(seconds: float | None) -> str:
    """Seconds as a person says them: "42 s", "4:07", "1:02:03"."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    if minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"
