"""The names of `gaopt.objectives.base` where 0.5 and before had them; gone with the next version but one."""

from gaopt.objectives.base import (
    Baseline,
    Comparable,
    Cycle,
    Described,
    Keeper,
    Objective,
    Report,
    Score,
    Task,
    Tuned,
    Wary,
    resolve,
)

__all__ = [
    "Baseline",
    "Comparable",
    "Cycle",
    "Described",
    "Keeper",
    "Objective",
    "Report",
    "Score",
    "Task",
    "Tuned",
    "Wary",
    "resolve",
]
