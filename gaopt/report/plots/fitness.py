"""Fitness by generation."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.journal.history import History, Individual
from gaopt.report.plots.style import BEST, INK, LOST, MEAN, MUTED, figure, from_one, keys, limit, plot, robust

_BAR: dict[str, Any] = {"markersize": 13, "markeredgewidth": 2.6}


@plot("fitness", "Best and mean fitness by generation, each individual a dot")
def fitness(history: History) -> Figure | None:
    if not history.scored or len(history.individuals) < 2:
        return None
    drawn = figure(4.2)
    axes = drawn.subplots()
    low, high = robust(i.fitness for i in history.scored)
    span = high - low or 0.1 * abs(high) or 0.1
    floor = low - 0.14 * span  # the row of those without a fitness
    lost = history.failed or history.early
    for generation in range(len(history.populations)):
        _dots(axes, history.members(generation), generation, low, floor)
    _lines(axes, history)
    _finalists(axes, history, low)
    limit(axes, floor if lost else low, high)
    if lost:
        axes.axhline(low - 0.07 * span, color=LOST, linewidth=0.8, linestyle=(0, (2, 3)))
    _dress(axes, history)
    return drawn


def _dots(axes: Axes, members: list[Individual], generation: int, low: float, floor: float) -> None:
    """The population of a generation side by side, by id: new ones filled, survivors hollow, without fitness low."""
    for x, individual in zip(_places(generation, len(members)), sorted(members, key=lambda i: i.id), strict=True):
        if individual.status == "early":
            axes.plot(x, floor, "d", color=LOST, markersize=5, markeredgewidth=0)
        elif individual.status == "failed":
            axes.plot(x, floor, "x", color=INK, markersize=5, markeredgewidth=1.2)
        elif individual.status == "scored":
            marker = "o" if individual.fitness >= low else "v"  # below the axis: an arrow at its edge
            fill = MUTED if individual.generation == generation else "none"
            axes.plot(
                x, max(individual.fitness, low), marker, color=MUTED, markerfacecolor=fill, markersize=5, alpha=0.8
            )


def _places(middle: float, count: int) -> list[float]:
    return [float(x) for x in middle + np.linspace(-0.22, 0.22, count)] if count > 1 else [middle] * count


def _finalists(axes: Axes, history: History, low: float) -> None:
    """Beside the generations: the trainings of each finalist as dots, their mean as a bar."""
    x = len(history.populations)
    order = sorted(history.repeated.items(), key=lambda item: -history.means[item[0]])
    for place, (id, trials) in zip(_places(x, len(order)), order, strict=True):
        values = [max(trial.fitness, low) for trial in trials]
        shade = BEST if history.best and id == history.best.id else MEAN
        axes.plot([place] * len(values), values, "-", color=shade, linewidth=1.2, alpha=0.5)
        axes.plot([place] * len(values), values, "o", color=shade, markersize=4, alpha=0.6, markeredgewidth=0)
        axes.plot(place, max(history.means[id], low), "_", color=shade, **_BAR)
    if order:
        axes.axvline(x - 0.5, color=LOST, linewidth=0.8, linestyle=(0, (2, 3)))


def _lines(axes: Axes, history: History) -> None:
    for reduce, colour, width in ((np.mean, MEAN, 1.8), (np.max, BEST, 2.6)):
        points = []
        for generation in range(len(history.populations)):
            if values := [i.fitness for i in history.members(generation) if i.status == "scored"]:
                points.append((generation, float(reduce(values))))
        axes.plot(*zip(*points, strict=True), "-o", color=colour, linewidth=width, markersize=width + 2.5)


def _dress(axes: Axes, history: History) -> None:
    _ticks(axes, len(history.populations), bool(history.means))
    axes.grid(visible=False, axis="x")
    small: dict[str, Any] = {"color": MUTED, "markersize": 5}
    low, _ = robust(i.fitness for i in history.scored)
    looks: list[tuple[bool, str, str, dict[str, Any]]] = [
        (True, "best of the population", "-o", {"color": BEST, "linewidth": 2.6}),
        (True, "mean of the scored", "-o", {"color": MEAN, "linewidth": 1.8, "markersize": 4}),
        (True, "born in this generation", "o", small),
        (True, "survivor", "o", small | {"markerfacecolor": "none"}),
        (bool(history.failed), "failed, no fitness", "x", small | {"color": INK}),
        (bool(history.early), "left early, no fitness", "d", small | {"color": LOST, "markeredgewidth": 0}),
        (bool(history.means), "mean of a finalist's trainings", "_", _BAR | {"color": MEAN}),
        (any(i.fitness < low for i in history.scored), "far below the axis", "v", small),
    ]
    shown = keys(axes, [(said, mark, look) for there, said, mark, look in looks if there])
    columns = len(shown) if len(shown) < 7 and not history.means else 4
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1)}
    axes.legend(handles=shown, ncols=columns, columnspacing=1.4, handletextpad=0.5, **place)


def _ticks(axes: Axes, generations: int, again: bool) -> None:
    axes.set(xlabel="generation", ylabel="fitness", xlim=(-0.5, generations - 0.5 + again))
    if not again:
        from_one(axes)
        return
    step = -(-generations // 12)
    numbers = [n for n in range(0, generations, step) if n <= generations - step]
    axes.set_xticks([*numbers, generations], [*(str(n + 1) for n in numbers), "finalists"])
