"""Accuracies and losses by epoch, one line an individual."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from statistics import median

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from gaopt.journal.history import History, Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.plots.legend import Legend, dashes, widths
from gaopt.report.plots.style import (
    BEST,
    LOST,
    MUTED,
    SCORED,
    colour,
    colourbar,
    fitness_scale,
    limit,
    panels,
    plot,
    whole,
)


@dataclass(frozen=True)
class _Panel:
    metric: str
    title: str
    loss: bool


PANELS = (
    _Panel("top1", "top-1 accuracy, validation", False),
    _Panel("top3", "top-3 accuracy, validation", False),
    _Panel("top5", "top-5 accuracy, validation", False),
    _Panel("train_loss", "training loss", True),
    _Panel("valid_loss", "validation loss", True),
)


PANEL = 2.7
"""Inches a row of panels is tall."""


@plot("curves", "Accuracies and losses of every individual by epoch")
def curves(history: History) -> Figure | None:
    reporting = [i for i in views.ranked(history) if i.reports]
    each = shown_panels(reporting)
    if not each:
        return None
    legend = Legend(widths(views.space(history)), len(reporting))
    scale = fitness_scale(reporting)
    drawn, grid = panels(len(each), PANEL, below=legend.height + 0.12)
    for axes in grid[len(each) : len(each) + 1]:
        _key(axes, reporting)
    for axes, panel in zip(grid, each, strict=False):
        _panel(axes, panel, reporting, history.best, scale)
    colourbar(drawn, scale, grid)
    legend.draw(drawn, reporting, history.best, scale)
    return drawn


def shown_panels(individuals: Iterable[Individual]) -> list[_Panel]:
    """Those of which anything was reported that could have been otherwise."""
    everyone = list(individuals)
    certain = views.certain(everyone)
    return [p for p in PANELS if p.metric not in certain and any(views.curve(i, p.metric)[0] for i in everyone)]


def _panel(
    axes: Axes, panel: _Panel, individuals: list[Individual], best: Individual | None, scale: ScalarMappable
) -> None:
    lines = [(i, *views.curve(i, panel.metric)) for i in individuals]
    for individual, epochs, values in reversed(lines):  # the fittest last, so that they lie on top
        _line(axes, individual, epochs, values, individual is best, scale)
    whole(axes)
    axes.set_title(panel.title)
    axes.set_xlabel("epoch")
    if panel.loss:
        _clip(axes, [values for *_, values in lines])


def _line(
    axes: Axes, individual: Individual, epochs: list[int], values: list[float], best: bool, scale: ScalarMappable
) -> None:
    shade = BEST if best else colour(individual, scale)
    marker = "o" if len(epochs) < 6 else ""
    width, layer = (2.8, 4) if best else (1.1, 2)
    axes.plot(
        epochs,
        values,
        dashes(individual),
        color=shade,
        linewidth=width,
        zorder=layer,
        marker=marker,
        markersize=width + 2,
    )
    if individual.status == "failed" and epochs:
        axes.plot(epochs[-1], values[-1], "x", color=MUTED, markersize=5, zorder=3)


def _clip(axes: Axes, curves: list[list[float]]) -> None:
    """Keep the loss axis where most losses are, twice the median at most, and say how many lines leave it."""
    highest = max(value for curve in curves for value in curve)
    usual = max(median(epoch) for epoch in _by_epoch(curves))
    high = min(highest, 2 * usual) if usual > 0 else highest
    limit(axes, min(value for curve in curves for value in curve), high)
    if outside := sum(any(value > high for value in curve) for curve in curves):
        said = f"cut at {words.number(high)}, {words.plural(outside, 'line goes', 'lines go')} above"
        axes.set_xlabel(f"epoch  ·  {said}")


def _by_epoch(curves: list[list[float]]) -> list[list[float]]:
    """The values of all individuals in the first epoch, in the second, …"""
    return [[value for value in row if value is not None] for row in zip_longest(*curves)]


def _key(axes: Axes, individuals: list[Individual]) -> None:
    """In a place that no panel needs: what the lines look like."""
    looks = [("best", BEST, "-", 2.8), ("scored, coloured by fitness", SCORED, "-", 1.4)]
    if any(i.status == "failed" for i in individuals):
        looks.append(("failed, up to the cross", LOST, "--", 1.4))
    if any(i.status == "early" for i in individuals):
        looks.append(("left after a short training", LOST, "-.", 1.4))
    if any(i.status in ("waiting", "running") for i in individuals):
        looks.append(("unfinished", LOST, ":", 1.4))
    keys = [axes.plot([], [], line, color=shade, linewidth=width, label=said)[0] for said, shade, line, width in looks]
    axes.legend(handles=keys, loc="upper left", handlelength=2.4)
