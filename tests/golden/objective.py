"""What the golden searches train: nothing. Some fail, each in its own way. Written for every version from 0.1.0 on."""

from __future__ import annotations

import math

from gaopt.errors import Cancelled
from gaopt.objectives.base import Report, Score, Task


def fitness(task: Task, report: Report) -> Score:
    """A valley over (lr, wd, mom). The second raises, the fourth diverges, the sixth ends without a score at first."""
    for epoch in (1, 2):
        report(epoch, {"loss": 1 / epoch}, [(epoch / 2, task.genes["lr"], task.genes["mom"])])
        if task.individual == 5 and not (task.home / "tried").exists():
            (task.home / "tried").touch()
            raise Cancelled
    if task.individual == 1:
        raise ValueError("no such luck")
    value = -((math.log10(task.genes["lr"]) + 3) ** 2) - (10 * task.genes["wd"]) ** 2 - (task.genes["mom"] - 0.9) ** 2
    return Score(math.nan if task.individual == 3 else value, {"loss": 0.5}, epochs=2)
