"""Fitness by generation."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.history import History, Individual
from gaopt.report.plots.style import BEST, INK, LOST, MEAN, MUTED, figure, limit, plot, robust, whole


@plot("fitness", "Best and mean fitness by generation, each individual a dot")
def fitness(history: History) -> Figure | None:
    if not history.scored or len(history.individuals) < 2:
        return None
    drawn = figure(4.2)
    axes = drawn.subplots()
    low, high = robust(i.fitness for i in history.scored)
    span = high - low or 0.1 * abs(high) or 0.1
    floor = low - 0.14 * span  # the row of the failed
    for generation in range(len(history.populations)):
        _dots(axes, history.members(generation), generation, low, floor)
    _lines(axes, history)
    limit(axes, floor if history.failed else low, high)
    if history.failed:
        axes.axhline(low - 0.07 * span, color=LOST, linewidth=0.8, linestyle=(0, (2, 3)))
    _dress(axes, history)
    return drawn


def _dots(axes: Axes, members: list[Individual], generation: int, low: float, floor: float) -> None:
    """The population of a generation side by side, by id: new ones filled, survivors hollow, failed as crosses."""
    places = generation + np.linspace(-0.22, 0.22, len(members)) if len(members) > 1 else [float(generation)]
    for x, individual in zip(places, sorted(members, key=lambda i: i.id), strict=True):
        if individual.status == "failed":
            axes.plot(x, floor, "x", color=INK, markersize=5, markeredgewidth=1.2)
        elif individual.status == "scored":
            marker = "o" if individual.fitness >= low else "v"  # below the axis: an arrow at its edge
            fill = MUTED if individual.generation == generation else "none"
            axes.plot(
                x, max(individual.fitness, low), marker, color=MUTED, markerfacecolor=fill, markersize=5, alpha=0.8
            )


def _lines(axes: Axes, history: History) -> None:
    for reduce, colour, width in ((np.mean, MEAN, 1.8), (np.max, BEST, 2.6)):
        points = []
        for generation in range(len(history.populations)):
            if values := [i.fitness for i in history.members(generation) if i.status == "scored"]:
                points.append((generation, float(reduce(values))))
        axes.plot(*zip(*points, strict=True), "-o", color=colour, linewidth=width, markersize=width + 2.5)


def _dress(axes: Axes, history: History) -> None:
    whole(axes)
    axes.set(xlabel="generation", ylabel="fitness", xlim=(-0.5, len(history.populations) - 0.5))
    axes.grid(visible=False, axis="x")
    keys = [
        axes.plot([], [], "-o", color=BEST, linewidth=2.6, label="best of the population")[0],
        axes.plot([], [], "-o", color=MEAN, linewidth=1.8, markersize=4, label="mean of the scored")[0],
        axes.plot([], [], "o", color=MUTED, markersize=5, label="born in this generation")[0],
        axes.plot([], [], "o", color=MUTED, markerfacecolor="none", markersize=5, label="survivor")[0],
    ]
    if history.failed:
        keys += axes.plot([], [], "x", color=INK, markersize=5, label="failed, no fitness")
    if any(i.fitness < robust(j.fitness for j in history.scored)[0] for i in history.scored):
        keys += axes.plot([], [], "v", color=MUTED, markersize=5, label="far below the axis")
    axes.legend(
        handles=keys, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(keys), columnspacing=1.4, handletextpad=0.5
    )
