"""Fitness by generation."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.journal.history import History, Individual
from gaopt.report.plots.style import BEST, INK, LOST, MEAN, MUTED, Mark, Scores, generations, marks, plot, single

_LOOKS: dict[str, dict[str, Any]] = {
    "born in this generation": {"c": MUTED, "alpha": 0.8, "s": 25},
    "survivor": {"c": "none", "edgecolors": MUTED, "alpha": 0.8, "s": 25, "linewidths": 1},
    "far off the axis": {"marker": "P", "c": MUTED, "alpha": 0.8, "s": 25},
    "failed, no fitness": {"marker": "x", "c": INK, "s": 25, "linewidths": 1.2},
    "left early, no fitness": {"marker": "d", "c": LOST, "s": 25, "linewidths": 0},
}
_BAR: dict[str, Any] = {"markersize": 13, "markeredgewidth": 2.6}


@plot(
    "Fitness by generation",
    "Each dot is an individual; the lines join the best and the mean of each population, and a survivor is drawn"
    " again, hollow, in each generation that it lives in. To the right, where finalists were trained again, each with"
    " its trainings as dots and their mean as a bar.",
)
def fitness(history: History, ax: Axes | None = None) -> Figure | None:
    if not history.scored or len(history.individuals) < 2:
        return None
    drawn, axes = single(4.2, ax)
    scores = Scores(history)
    _lines(axes, history)
    _population(axes, history, scores)
    _finalists(axes, history, scores)
    scores.limit(axes, bool(history.failed or history.early))
    generations(axes, len(history.populations), bool(history.means))
    axes.set_ylabel(scores.name)
    axes.grid(visible=False, axis="x")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5, columnspacing=1.4, handletextpad=0.5)
    return drawn


def _lines(axes: Axes, history: History) -> None:
    populations = [history.members(n) for n in range(len(history.populations))]
    scores = {n: [i.fitness for i in each if i.status == "scored"] for n, each in enumerate(populations)}
    scores = {n: each for n, each in scores.items() if each}
    for reduce, shade, width, said in (
        (np.mean, MEAN, 1.8, "mean of the scored"),
        (np.max, BEST, 2.6, "best of the population"),
    ):
        points = [history.sign * float(reduce(each)) for each in scores.values()]
        axes.plot(list(scores), points, "-o", color=shade, linewidth=width, markersize=width + 2.5, label=said)


def _population(axes: Axes, history: History, scores: Scores) -> None:
    """Of each generation the population side by side, by id."""
    found: list[Mark] = []
    for generation in range(len(history.populations)):
        members = sorted(history.members(generation), key=lambda i: i.id)
        for x, individual in zip(_places(generation, len(members)), members, strict=True):
            y = scores(individual.fitness) if individual.status == "scored" else scores.lost
            found.append((_kind(individual, generation, scores.low), x, y, MUTED))
    marks(axes, found, _LOOKS)


def _kind(individual: Individual, generation: int, low: float) -> str:
    """Which of the marks; "" for one that is not drawn yet."""
    match individual.status:
        case "scored" if individual.fitness < low:
            return "far off the axis"
        case "scored":
            return "born in this generation" if individual.generation == generation else "survivor"
        case "failed":
            return "failed, no fitness"
        case "early":
            return "left early, no fitness"
    return ""


def _places(middle: float, count: int) -> list[float]:
    return [float(x) for x in middle + np.linspace(-0.22, 0.22, count)] if count > 1 else [middle] * count


def _finalists(axes: Axes, history: History, scores: Scores) -> None:
    """Beside the generations: the trainings of each finalist as dots, their mean as a bar."""
    x, means, repeated, best = len(history.populations), history.means, history.repeated, history.best
    order = sorted(means, key=means.__getitem__, reverse=True)
    for place, id in zip(_places(x, len(order)), order, strict=True):
        values = [scores(trial.fitness) for trial in repeated[id]]
        shade = BEST if best and id == best.id else MEAN
        axes.plot([place] * len(values), values, "-o", color=shade, markersize=4, alpha=0.6, markeredgewidth=0)
        said = "mean of a finalist's trainings" if id == order[0] else None
        axes.plot(place, scores(means[id]), "_", color=shade, label=said, **_BAR)
    if order:
        axes.axvline(x - 0.5, color=LOST, linewidth=0.8, linestyle=(0, (2, 3)))
