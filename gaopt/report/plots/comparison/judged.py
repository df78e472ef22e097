"""The judged scores by method, and how far each method lies from the reference, seed by seed."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.compare.statistics import Interval
from gaopt.report import format as words
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.plots.comparison.methods import marker, shade
from gaopt.report.plots.style import INK, LOST, figure, plot, rows_of_words

BESIDE = 0.26
"""How far below its method's place the mean is drawn, in places."""
_KEYS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("one seed", "o", {"color": LOST, "markersize": 6}),
    ("the same seed", "-", {"color": LOST, "linewidth": 0.7}),
    ("mean over seeds", "|", {"color": INK, "markersize": 9, "markeredgewidth": 2.4}),
    ("95 % interval of the mean", "-", {"color": LOST, "linewidth": 3}),
    ("less than is worth showing", "s", {"color": LOST, "alpha": 0.2, "markersize": 9, "markeredgewidth": 0}),
)


@plot(
    "Judged scores",
    "What the winners are worth: each mark is the winner of one search, trained again with a fresh seed and judged"
    " (of several such trainings, their mean). A thin line joins the same seed, so that methods can be compared"
    " pair by pair; the bar below the marks is the mean, with its 95 % interval over seeds. To the right, how far each"
    " method lies from the first one, seed by seed: what lies left of the line is worse. An interval may run out of"
    " its panel.",
)
def judged(found: Evidence) -> Figure | None:
    methods = [method for method in found.comparison.methods if method in found.scores]
    if not methods:
        return None
    differing = any(contrast.pairs for contrast in found.contrasts)
    drawn = figure(max(1.9, 0.48 * len(methods) + 1.0))
    both = list(drawn.subplots(1, 1 + differing, sharey=True, squeeze=False).flat)
    _scores(both[0], found, methods)
    if differing:
        _differences(both[1], found, methods)
    for axes in both:
        rows_of_words(axes, [words.shortened(method) for method in methods], 0.45)
    keys = [both[0].plot([], [], mark, label=said, **look)[0] for said, mark, look in _KEYS]
    drawn.legend(handles=keys, loc="outside upper left", ncols=5, columnspacing=1.5)
    return drawn


def _scores(axes: Axes, found: Evidence, methods: list[str]) -> None:
    unit, scores = found.unit, found.scores
    for seed in sorted({seed for method in methods for seed in scores[method]}):
        values = [unit.factor * scores[method].get(seed, float("nan")) for method in methods]
        axes.plot(values, range(len(values)), "-", color=LOST, linewidth=0.7, alpha=0.7, zorder=1)
    for place, method in enumerate(methods):
        mean = found.judged[method]
        if mean.low is not None and mean.high is not None:
            mean = Interval(mean.mean, unit.possible(mean.low), unit.possible(mean.high))
        number = found.comparison.methods.index(method)
        _method(axes, place, number, [unit.factor * value for value in scores[method].values()], mean, unit.factor)
    _near(axes, [unit.factor * value for method in methods for value in scores[method].values()])
    axes.set_xlabel(f"{found.score_name}{', %' if unit.accuracy else ''}")


def _differences(axes: Axes, found: Evidence, methods: list[str]) -> None:
    """Each method less the reference, so that what lies to the right is better, as in the other panel."""
    factor, names = found.unit.factor, found.comparison.methods
    worth, everything = factor * found.comparison.difference, [0.0]
    axes.axvspan(-worth, worth, color=LOST, alpha=0.2, linewidth=0, zorder=0)
    axes.axvline(0, color=shade(0), linewidth=1.2, zorder=1)
    for contrast in found.contrasts:
        if contrast.interval:
            values, number = [-factor * value for value in contrast.differences], names.index(contrast.other)
            _method(axes, methods.index(contrast.other), number, values, contrast.interval, -factor)
            everything += values
    _near(axes, everything)
    axes.set_xlabel(f"difference from {words.shortened(names[0])}{found.unit.points and ', points'}")


def _method(axes: Axes, place: int, number: int, values: list[float], mean: Interval, factor: float) -> None:
    """The seeds as dots; below them the mean as a bar across, its interval as a line."""
    y, colour = place + BESIDE, shade(number)
    look: dict[str, Any] = {"color": colour, "markeredgecolor": "white", "markeredgewidth": 0.5, "zorder": 3}
    axes.plot(values, [place] * len(values), marker(number), markersize=6, alpha=0.9, linestyle="", **look)
    if mean.low is not None and mean.high is not None:
        axes.plot([factor * mean.low, factor * mean.high], [y, y], "-", color=colour, linewidth=3, alpha=0.5)
    axes.plot(factor * mean.mean, y, "|", color=colour, markersize=9, markeredgewidth=2.4, zorder=4)


def _near(axes: Axes, values: list[float]) -> None:
    """Keep the axis where the seeds are: an interval of two of them may be many times as wide, and runs out of it."""
    low, high = axes.get_xlim()
    reach = 0.75 * (max(values) - min(values)) or high - low
    axes.set_xlim(max(low, min(values) - reach), min(high, max(values) + reach))
