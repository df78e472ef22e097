"""An objective that takes a while, for faults of what lies around it: named as `tests.faults.naps:naps`.

Light, for each worker imports it.
"""

from __future__ import annotations

import os
import time

from gaopt.objectives.base import Report, Task
from tests.witness import witnessed


@witnessed
def naps(task: Task, report: Report) -> float:
    """Epochs that cost nothing but time, then a score that follows from the genes alone."""
    settings = task.settings["settings"]
    for epoch in range(1, settings["epochs"] + 1):
        time.sleep(settings["seconds"])
        report(epoch, {"loss": task.genes["lr"] / epoch, "pid": os.getpid()})
    return task.genes["lr"] - task.genes["wd"]
