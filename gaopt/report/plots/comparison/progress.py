"""The best score so far against what was spent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.compare.model import Comparison, Cost
from gaopt.report.plots.comparison.palette import dashes, shade, short
from gaopt.report.plots.style import LOST, MUTED, figure, limit, plot

if TYPE_CHECKING:
    from gaopt.report.comparison.cost_curve import Band
    from gaopt.report.comparison.units import Unit

EARLY = 0.15
"""What lies below the means after this share of what was spent is cut off: the end is what one wants to see."""
AXES: dict[Cost, str] = {"epochs": "epochs trained", "seconds": "seconds of training"}


@plot("progress", "Best validation score so far against epochs and seconds spent, by method")
def progress(comparison: Comparison, bands: Mapping[Cost, Mapping[str, Band]], unit: Unit) -> Figure | None:
    """Args:
    bands: by cost and method.
    """
    if not any(bands.values()):
        return None
    drawn = figure(4.1)
    panels = list(drawn.subplots(1, 2, sharey=True))
    for axes, cost in zip(panels, AXES, strict=True):
        _all(axes, comparison, bands[cost], unit)
        axes.set(xlabel=AXES[cost], xlim=(0, None))
        limit(axes, *shown(bands["epochs"].values(), unit.factor))
    panels[0].set_ylabel(f"best validation score{unit.sign}")
    keys, said = panels[0].get_legend_handles_labels()
    drawn.legend(keys[::-1], said[::-1], loc="outside upper left", ncols=8, handlelength=2.8, columnspacing=1.5)
    return drawn


@plot("seeds", "Best validation score so far of each method from its lowest to its highest seed")
def seeds(comparison: Comparison, bands: Mapping[Cost, Mapping[str, Band]], unit: Unit) -> Figure | None:
    """Args:
    bands: by cost and method.
    """
    each = [method for method in comparison.methods if method in bands["epochs"]]
    if not each or len(comparison.seeds) < 2:
        return None
    rows = -(-len(each) // 4)
    drawn = figure(1.9 * rows + 0.2)
    grid = list(drawn.subplots(rows, 4, sharex=True, sharey=True, squeeze=False).flat)
    for axes in grid[len(each) :]:
        axes.set_axis_off()
    for axes, method in zip(grid, each, strict=False):
        _one(axes, comparison, method, bands["epochs"], unit)
        limit(axes, *shown(bands["epochs"].values(), unit.factor))
    drawn.supxlabel(AXES["epochs"], fontsize=9, color=MUTED)
    return drawn


def _all(axes: Axes, comparison: Comparison, bands: Mapping[str, Band], unit: Unit) -> None:
    """The means of all methods, the reference on top."""
    for number, method in reversed(list(enumerate(comparison.methods))):
        if method in bands:
            found = bands[method]
            width, label = (2.8 if number == 0 else 1.7), short(method)
            axes.step(
                found.spent,
                np.multiply(found.mean, unit.factor),
                where="post",
                color=shade(number),
                linestyle=dashes(number),
                linewidth=width,
                label=label,
            )


def _one(axes: Axes, comparison: Comparison, method: str, bands: Mapping[str, Band], unit: Unit) -> None:
    """One method with its band before the means of the others."""
    for other, found in bands.items():
        if other != method:
            axes.step(found.spent, np.multiply(found.mean, unit.factor), where="post", color=LOST, linewidth=0.8)
    number, found = comparison.methods.index(method), bands[method]
    low, mean, high = (np.multiply(values, unit.factor) for values in (found.low, found.mean, found.high))
    axes.fill_between(found.spent, low, high, step="post", color=shade(number), alpha=0.22, linewidth=0)
    axes.step(found.spent, mean, where="post", color=shade(number), linewidth=2.2)
    axes.set_title(short(method), fontsize=8.5)
    axes.set_xlim(0, None)


def shown(bands: Iterable[Band], factor: float) -> tuple[float, float]:
    """What of the scores is shown: from the lowest mean soon after the start to the highest of all."""
    lows, highs = [], []
    for found in bands:
        soon = found.spent[0] + EARLY * (found.spent[-1] - found.spent[0])
        lows.append(next(m for s, m in zip(found.spent, found.mean, strict=True) if s >= soon))
        highs.append(max(found.high))
    return factor * min(lows), factor * max(highs)
