"""Trainings that tell of their end themselves: what a journal is held against that may have lost one.

Light, for each worker imports it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Report, Task

WITNESS = "finished.txt"


def witnessed(objective: Callable[[Task, Report], float]) -> Callable[[Task, Report], float]:
    """An objective that writes down each training that it has finished, as the last that it does, in the study's
    folder."""

    @wraps(objective)
    def told(task: Task, report: Report) -> float:
        score = objective(task, report)
        with open(task.home / WITNESS, "a", encoding="ascii") as file:
            file.write(f"{task.individual}\n")
        return score

    return told


def finished(home: StudyDir) -> list[int]:
    """The individuals whose training its objective saw finished, each time."""
    return [int(line) for line in (home.path / WITNESS).read_text("ascii").splitlines()]


def so_far(home: StudyDir) -> list[int]:
    """`finished` of a study that runs: there may be none yet."""
    return finished(home) if (home.path / WITNESS).exists() else []
