"""The judged scores by method, and how far each method lies from the reference, seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.compare.model import Comparison
from gaopt.compare.statistics import Contrast, Interval
from gaopt.report.plots.comparison.palette import marker, shade, short
from gaopt.report.plots.style import INK, LOST, figure, plot

if TYPE_CHECKING:
    from gaopt.report.comparison.units import Unit

BESIDE = 0.26
"""How far below its method's place the mean is drawn, in places."""


@plot("judged", "Judged score of each method and seed, and differences from the first, with means and 95 % intervals")
def judged(
    comparison: Comparison, intervals: Mapping[str, Interval], contrasts: Sequence[Contrast], unit: Unit
) -> Figure | None:
    scores = comparison.scores()
    methods = [method for method in comparison.methods if method in scores]
    if not methods:
        return None
    differing = any(contrast.pairs for contrast in contrasts)
    drawn = figure(max(1.9, 0.48 * len(methods) + 1.0))
    panels = list(drawn.subplots(1, 1 + differing, sharey=True, squeeze=False).flat)
    _scores(panels[0], comparison, methods, intervals, unit)
    if differing:
        _differences(panels[1], comparison, methods, contrasts, unit)
    panels[0].set_yticks(range(len(methods)), [short(method) for method in methods])
    for axes in panels:
        axes.tick_params(axis="y", labelcolor=INK, length=0)
        axes.set_ylim(len(methods) - 0.45, -0.55)
        axes.grid(visible=False, axis="y")
    _keys(drawn, panels[0])
    return drawn


def _scores(
    axes: Axes, comparison: Comparison, methods: list[str], intervals: Mapping[str, Interval], unit: Unit
) -> None:
    scores = comparison.scores()
    for seed in sorted({seed for method in methods for seed in scores[method]}):
        values = [unit.factor * scores[method].get(seed, float("nan")) for method in methods]
        axes.plot(values, range(len(values)), "-", color=LOST, linewidth=0.7, alpha=0.7, zorder=1)
    for place, method in enumerate(methods):
        number = comparison.methods.index(method)
        _dots(axes, place, number, [unit.factor * value for value in scores[method].values()])
        _mean(axes, place, number, _possible(intervals.get(method), unit), unit.factor)
    _near(axes, [unit.factor * value for method in methods for value in scores[method].values()])
    axes.set_xlabel(f"{unit.name}{', %' if unit.accuracy else ''}")


def _differences(
    axes: Axes, comparison: Comparison, methods: list[str], contrasts: Sequence[Contrast], unit: Unit
) -> None:
    """Each method less the reference, so that what lies to the right is better, as in the other panel."""
    worth = unit.factor * comparison.difference
    axes.axvspan(-worth, worth, color=LOST, alpha=0.2, linewidth=0, zorder=0)
    axes.axvline(0, color=shade(0), linewidth=1.2, zorder=1)
    for contrast in contrasts:
        if not contrast.pairs or contrast.other not in methods:
            continue
        place, number = methods.index(contrast.other), comparison.methods.index(contrast.other)
        _dots(axes, place, number, [-unit.factor * value for value in contrast.differences])
        _mean(axes, place, number, contrast.interval, -unit.factor)
    _near(axes, [0.0, *(-unit.factor * value for contrast in contrasts for value in contrast.differences)])
    axes.set_xlabel(f"difference from {short(comparison.methods[0])}{', points' if unit.accuracy else ''}")


def _possible(found: Interval | None, unit: Unit) -> Interval | None:
    if found is None or found.low is None or found.high is None:
        return found
    return Interval(found.mean, unit.possible(found.low), unit.possible(found.high))


def _dots(axes: Axes, place: int, number: int, values: list[float]) -> None:
    look: dict[str, Any] = {"color": shade(number), "markeredgecolor": "white", "markeredgewidth": 0.5, "zorder": 3}
    axes.plot(values, [place] * len(values), marker(number), markersize=6, alpha=0.9, linestyle="", **look)


def _near(axes: Axes, values: list[float]) -> None:
    """Keep the axis where the seeds are: an interval of two of them may be many times as wide, and runs out of it."""
    low, high = axes.get_xlim()
    reach = 0.75 * (max(values) - min(values)) or high - low
    axes.set_xlim(max(low, min(values) - reach), min(high, max(values) + reach))


def _mean(axes: Axes, place: int, number: int, found: Interval | None, factor: float) -> None:
    """Below the dots: the mean as a bar across, its interval as a line."""
    if found is None:
        return
    y, colour = place + BESIDE, shade(number)
    if found.low is not None and found.high is not None:
        axes.plot([factor * found.low, factor * found.high], [y, y], "-", color=colour, linewidth=3, alpha=0.5)
    axes.plot(factor * found.mean, y, "|", color=colour, markersize=9, markeredgewidth=2.4, zorder=4)


def _keys(figure: Figure, axes: Axes) -> None:
    keys = [
        axes.plot([], [], "o", color=LOST, markersize=6, label="one seed")[0],
        axes.plot([], [], "-", color=LOST, linewidth=0.7, label="the same seed")[0],
        axes.plot([], [], "|", color=INK, markersize=9, markeredgewidth=2.4, label="mean over seeds")[0],
        axes.plot([], [], "-", color=LOST, linewidth=3, label="95 % interval of the mean")[0],
        axes.plot(
            [], [], "s", color=LOST, alpha=0.2, markersize=9, markeredgewidth=0, label="less than is worth showing"
        )[0],
    ]
    figure.legend(handles=keys, loc="outside upper left", ncols=5, columnspacing=1.5)
