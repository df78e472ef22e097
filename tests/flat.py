"""Objectives for tests of comparisons: named in configs as `tests.flat:…`."""

from gaopt.objectives.base import Report, Score, Task
from gaopt.strategies.base import keyed


def noise(task: Task, report: Report) -> Score:
    """Nothing but luck: no gene matters."""
    luck = keyed(task.seed, *(int(1e6 * value) for value in task.genes.values())).gauss(0.9, 0.01)
    report(1, {"fitness": luck})
    return Score(luck, {"fitness": luck}, epochs=1)


def slope(task: Task, report: Report) -> Score:
    """The more of x the better, and a little luck; training the same genes again with another seed says how much."""
    luck = keyed(task.seed, 7).gauss(0.0, 0.01)
    score = 0.9 + 0.05 * task.genes["x"] + luck
    report(1, {"fitness": score})
    return Score(score, {"fitness": score}, epochs=1)


def broken(task: Task, report: Report) -> Score:
    raise RuntimeError("it never works")


def broken_for_genetic(task: Task, report: Report) -> Score:
    return broken(task, report) if task.study.startswith("genetic") else slope(task, report)


def silent(task: Task, report: Report) -> Score:
    """Tells of no epoch at all."""
    return Score(task.genes["x"])


def plain(task: Task, report: Report) -> float:
    return float(task.genes["y"])


def broken_in_finals(task: Task, report: Report) -> Score:
    if "-" not in task.study:  # finals are called after their seed alone
        raise RuntimeError("no winner is trained again")
    return slope(task, report)


def broken_in_finals_of_one(task: Task, report: Report) -> Score:
    """Of the winner with the second number, each time."""
    return broken_in_finals(task, report) if task.individual % 2 else slope(task, report)
