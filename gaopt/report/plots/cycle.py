"""The one-cycle of learning rate and momentum that each individual was trained with."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from gaopt.journal.history import History, Individual
from gaopt.report import views
from gaopt.report.plots.legend import dashes
from gaopt.report.plots.style import BEST, POWERS, colour, colourbar, figure, fitness_scale, plot

DECADES = 2
"""How far below the lowest peak the axis of the lr goes: the last steps of a cycle fall far deeper."""


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
