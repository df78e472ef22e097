"""Accuracies and losses by epoch, and the one-cycle of learning rate and momentum: one line an individual."""

from __future__ import annotations

from collections.abc import Iterable
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
    POWERS,
    SCORED,
    colour,
    colourbar,
    figure,
    fitness_scale,
    keys,
    limit,
    panels,
    plot,
    whole,
)

PANELS = {
    "top1": "top-1 accuracy, validation",
    "top3": "top-3 accuracy, validation",
    "top5": "top-5 accuracy, validation",
    "train_loss": "training loss",
    "valid_loss": "validation loss",
}
"""By metric the title."""
PANEL = 2.7
"""Inches a row of panels is tall."""
DECADES = 2
"""How far below the lowest peak the axis of the lr goes: the last steps of a cycle fall far deeper."""


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
    for axes, (metric, title) in zip(grid, each.items(), strict=False):
        _panel(axes, metric, reporting, history.best, scale)
        axes.set_title(title)
    colourbar(drawn, scale, grid)
    legend.draw(drawn, reporting, history.best, scale)
    return drawn


def shown_panels(individuals: Iterable[Individual]) -> dict[str, str]:
    """Those of which anything was reported that could have been otherwise."""
    everyone = list(individuals)
    certain = views.certain(everyone)
    return {m: t for m, t in PANELS.items() if m not in certain and any(views.curve(i, m)[0] for i in everyone)}


def _panel(
    axes: Axes, metric: str, individuals: list[Individual], best: Individual | None, scale: ScalarMappable
) -> None:
    lines = [(i, *views.curve(i, metric)) for i in individuals]
    for individual, epochs, values in reversed(lines):  # the fittest last, so that they lie on top
        _line(axes, individual, epochs, values, individual is best, scale)
    whole(axes)
    axes.set_xlabel("epoch")
    if metric.endswith("loss"):
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
    shown = {individual.status for individual in individuals}
    looks = [
        ("best", "-", BEST, 2.8, True),
        ("scored, coloured by fitness", "-", SCORED, 1.4, True),
        ("failed, up to the cross", "--", LOST, 1.4, "failed" in shown),
        ("left after a short training", "-.", LOST, 1.4, "early" in shown),
        ("unfinished", ":", LOST, 1.4, bool(shown & {"waiting", "running"})),
    ]
    each = [(said, line, {"color": shade, "linewidth": width}) for said, line, shade, width, there in looks if there]
    axes.legend(handles=keys(axes, each), loc="upper left", handlelength=2.4)


@plot("cycle", "Learning rate and momentum of every individual over its training")
def cycle(history: History) -> Figure | None:
    trained = [i for i in views.ranked(history) if views.cycle(i)]
    if not trained:
        return None
    drawn = figure(3.4)
    lr, mom = drawn.subplots(1, 2)
    scale = fitness_scale(trained)
    for individual in reversed(trained):
        _lines(lr, mom, individual, individual is history.best, scale)
    _dress(lr, mom, trained)
    colourbar(drawn, scale, (lr, mom))
    return drawn


def _lines(lr: Axes, mom: Axes, individual: Individual, best: bool, scale: ScalarMappable) -> None:
    positions, rates, moments = zip(*views.cycle(individual), strict=True)
    shade, width, layer = (BEST, 2.8, 4) if best else (colour(individual, scale), 1.1, 2)
    for axes, values in ((lr, rates), (mom, moments)):
        axes.plot(positions, values, dashes(individual), color=shade, linewidth=width, zorder=layer)


def _dress(lr: Axes, mom: Axes, trained: list[Individual]) -> None:
    for axes, title in ((lr, "learning rate (log scale)"), (mom, "momentum")):
        axes.set_title(title)
        axes.set(xlabel="position in the training", xlim=(0, 1))
    peaks = [peak for i in trained if (peak := max(rate for _, rate, _ in views.cycle(i))) > 0]
    if peaks:
        lr.set_yscale("log")
        lr.set_ylim(min(peaks) / 10**DECADES, 2 * max(peaks))
        lr.yaxis.set_major_formatter(POWERS)
        lr.yaxis.set_minor_formatter("")
