"""Accuracies and losses of the winners by epoch, as figures 16 to 23 of the experiment that the project grew from."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.compare.model import Comparison
from gaopt.journal.history import Individual
from gaopt.report import views
from gaopt.report.plots.comparison.palette import dashes, shade, short
from gaopt.report.plots.curves import PANEL, shown
from gaopt.report.plots.style import MUTED, figure, limit, plot, whole

START = 0.2
"""The axis begins at the worst of the means after this share of the epochs: the first ones would flatten the rest."""
Curve = tuple[list[int], list[float]]


@plot("winners", "Accuracies and losses of each method's winners by epoch")
def winners(comparison: Comparison) -> Figure | None:
    found = {method: [s.winner for s in comparison.of(method) if s.winner] for method in comparison.methods}
    panels = shown(individual for each in found.values() for individual in each)
    if not panels:
        return None
    rows = -(-len(panels) // 3)
    drawn = figure(PANEL * rows + 0.5)
    grid = list(drawn.subplots(rows, min(3, len(panels)), squeeze=False).flat)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes, panel in zip(grid, panels, strict=False):
        _panel(axes, found, panel.metric)
        axes.set_title(panel.title)
    _keys(drawn, grid[0], comparison, [method for method, each in found.items() if each])
    return drawn


def curve(individual: Individual, metric: str) -> Curve:
    """Accuracies in %."""
    epochs, values = views.curve(individual, metric)
    return epochs, [100 * value for value in values] if metric.startswith("top") else values


def _panel(axes: Axes, found: dict[str, list[Individual]], metric: str) -> None:
    means = []
    for number, individuals in reversed(list(enumerate(found.values()))):
        curves = [each for individual in individuals if (each := curve(individual, metric))[0]]
        for epochs, values in curves if len(curves) > 1 else []:
            axes.plot(epochs, values, "-", color=shade(number), linewidth=0.6, alpha=0.35)
        if curves and (mean := _mean(curves))[0]:
            means.append(mean)
            axes.plot(*mean, marker="o" if len(mean[0]) < 6 else "", markersize=3.5, **_look(number))
    whole(axes)
    axes.set_xlabel("epoch", color=MUTED)
    _cut(axes, means)
    if metric.startswith("top"):
        axes.set_ylabel("%")


def _look(number: int) -> dict[str, Any]:
    return {"color": shade(number), "linestyle": dashes(number), "linewidth": 2.4 if number == 0 else 1.6}


def _mean(curves: list[Curve]) -> Curve:
    """At each epoch that all of them reported."""
    rows = [dict(zip(*each, strict=True)) for each in curves]
    epochs = sorted(set.intersection(*(set(row) for row in rows)))
    return epochs, [fmean(row[epoch] for row in rows) for epoch in epochs]


def _cut(axes: Axes, means: list[Curve]) -> None:
    """Show what the means do once they have left their start; a worse one runs out of the panel."""
    late = [values[int(START * (len(values) - 1)) :] for _, values in means]
    if late:
        everything = np.concatenate(late)
        limit(axes, float(everything.min()), float(everything.max()))


def _keys(drawn: Figure, axes: Axes, comparison: Comparison, methods: list[str]) -> None:
    keys = []
    for method in methods:
        number = comparison.methods.index(method)
        keys += axes.plot([], [], label=short(method), **_look(number))
    drawn.legend(handles=keys, loc="outside upper left", ncols=8, handlelength=2.8, columnspacing=1.5)
