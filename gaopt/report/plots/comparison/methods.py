"""How methods are told apart, and how well each does: the best so far against what was spent, winners by epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.compare.model import Cost
from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.plots.curves import PANEL, shown_panels
from gaopt.report.plots.style import LOST, MUTED, SHADES, figure, limit, panels, plot, whole

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
EARLY = 0.15
"""What lies below the means after this share of what was spent is cut off: the end is what one wants to see."""
START = 0.2
"""The axis begins at the worst of the means after this share of the epochs: the first ones would flatten the rest."""
AXES: dict[Cost, str] = {"epochs": "epochs trained", "seconds": "seconds of training"}
_KEYS: dict[str, Any] = {"loc": "outside upper left", "ncols": 8, "handlelength": 2.8, "columnspacing": 1.5}


def shade(number: int) -> str:
    """The colour of a method by its place; the first is the reference's. No two share colour, marker and dashes."""
    return SHADES[number % len(SHADES)]


def marker(number: int) -> str:
    return MARKERS[number % len(MARKERS)]


def _line(number: int) -> dict[str, Any]:
    """The look of a method's line; the reference is wider and solid."""
    dashes = DASHES[number % len(DASHES)] if number else "-"
    return {"color": shade(number), "linestyle": dashes, "linewidth": 1.7 if number else 2.6}


@plot(
    "Best score so far, against what was spent",
    "For each method the mean over its seeds of the best validation score so far. Short trainings and failures"
    " count as spent. A line begins once every seed has a score, and the axis where most lines have left the start."
    " These are the scores that the searches chose by: they are optimistic.",
)
def progress(found: Evidence) -> Figure | None:
    if not any(found.bands.values()):
        return None
    drawn = figure(4.1)
    both = list(drawn.subplots(1, 2, sharey=True))
    for axes, cost in zip(both, AXES, strict=True):
        for number, method in reversed(list(enumerate(found.comparison.methods))):  # the reference on top
            if method in found.bands[cost]:
                spent, best = found.bands[cost][method]
                mean, said = found.unit.factor * best.mean(axis=0), words.shortened(method)
                axes.step(spent, mean, where="post", label=said, **_line(number))
        axes.set(xlabel=AXES[cost], xlim=(0, None))
        limit(axes, *shown(found))
    both[0].set_ylabel(f"best validation score{found.unit.sign}")
    keys, said = both[0].get_legend_handles_labels()
    drawn.legend(keys[::-1], said[::-1], **_KEYS)
    return drawn


@plot(
    "How far the seeds lie apart",
    "The same for each method alone: its mean, and the band from its lowest to its highest seed (min … max, not an"
    " interval), before the means of the others.",
)
def seeds(found: Evidence) -> Figure | None:
    bands, factor = found.bands["epochs"], found.unit.factor
    if not bands or len(found.comparison.seeds) < 2:
        return None
    drawn, grid = panels(len(bands), 1.9, 4, more=0.2, sharex=True, sharey=True)
    for axes, method in zip(grid, bands, strict=False):
        for other, (spent, best) in bands.items():
            if other != method:
                axes.step(spent, factor * best.mean(axis=0), where="post", color=LOST, linewidth=0.8)
        (spent, best), colour = bands[method], shade(found.comparison.methods.index(method))
        low, mean, high = factor * best.min(axis=0), factor * best.mean(axis=0), factor * best.max(axis=0)
        axes.fill_between(spent, low, high, step="post", color=colour, alpha=0.22, linewidth=0)
        axes.step(spent, mean, where="post", color=colour, linewidth=2.2)
        axes.set_title(words.shortened(method), fontsize=8.5)
        axes.set_xlim(0, None)
        limit(axes, *shown(found))
    drawn.supxlabel(AXES["epochs"], fontsize=9, color=MUTED)
    return drawn


def shown(found: Evidence) -> tuple[float, float]:
    """What of the scores is shown: from the lowest mean soon after the start to the highest of all."""
    lows, highs = [], []
    for spent, best in found.bands["epochs"].values():
        soon = np.searchsorted(spent, spent[0] + EARLY * (spent[-1] - spent[0]))
        lows.append(float(best.mean(axis=0)[soon]))
        highs.append(float(best.max()))
    return found.unit.factor * min(lows), found.unit.factor * max(highs)


@plot(
    "The winners by epoch",
    "The training of each method's winners as it was in the search: a thin line for each seed, a thick one for"
    " their mean. Accuracies and the validation loss are of the validation images. The axes begin where the means"
    " have left their start.",
)
def winners(found: Evidence) -> Figure | None:
    """As figures 16 to 23 of the experiment that the project grew from."""
    comparison = found.comparison
    won = {method: [s.winner for s in comparison.of(method) if s.winner] for method in comparison.methods}
    each = shown_panels(individual for individuals in won.values() for individual in individuals)
    if not each:
        return None
    drawn, grid = panels(len(each), PANEL, more=0.5)
    for axes, (metric, title) in zip(grid, each.items(), strict=False):
        _winners(axes, won.values(), metric)
        axes.set_title(title)
    looks = [_line(number) | {"label": words.shortened(method)} for number, method in enumerate(won) if won[method]]
    drawn.legend(handles=[grid[0].plot([], [], **look)[0] for look in looks], **_KEYS)
    return drawn


def _winners(axes: Axes, won: Iterable[list[Individual]], metric: str) -> None:
    """A thin line for each winner, and one for their mean; a start worse than theirs runs out of the panel."""
    factor, late = 100.0 if metric.startswith("top") else 1.0, []
    for number, individuals in reversed(list(enumerate(won))):
        curves = [found for individual in individuals if (found := views.curve(individual, metric))[0]]
        for epochs, values in curves if len(curves) > 1 else []:
            axes.plot(epochs, np.multiply(values, factor), "-", color=shade(number), linewidth=0.6, alpha=0.35)
        epochs, mean = views.mean_curve(individuals, metric)
        if epochs:
            shown = [factor * value for value in mean]
            axes.plot(epochs, shown, marker="o" if len(epochs) < 6 else "", markersize=3.5, **_line(number))
            late += shown[int(START * (len(shown) - 1)) :]
    whole(axes)
    axes.set_xlabel("epoch", color=MUTED)
    if late:
        limit(axes, min(late), max(late))
    if metric.startswith("top"):
        axes.set_ylabel("%")
