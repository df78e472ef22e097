"""The judged scores by method, and how far each method lies from the reference, seed by seed."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.compare.statistics import Interval
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.plots.comparison.methods import marker, shade
from gaopt.report.plots.legend import shortened
from gaopt.report.plots.style import INK, LOST, figure, keys, plot, rows_of_words

BESIDE = 0.26
"""How far below its method's place the mean is drawn, in places."""


@plot("judged", "Judged score of each method and seed, and differences from the first, with means and 95 % intervals")
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
        rows_of_words(axes, [shortened(method) for method in methods], 0.45)
    _keys(drawn, both[0])
    return drawn


def _scores(axes: Axes, found: Evidence, methods: list[str]) -> None:
    unit, scores = found.unit, found.scores
    for seed in sorted({seed for method in methods for seed in scores[method]}):
        values = [unit.factor * scores[method].get(seed, float("nan")) for method in methods]
        axes.plot(values, range(len(values)), "-", color=LOST, linewidth=0.7, alpha=0.7, zorder=1)
    for place, method in enumerate(methods):
        number, mean = found.comparison.methods.index(method), found.judged[method]
        if mean.low is not None and mean.high is not None:
            mean = Interval(mean.mean, unit.possible(mean.low), unit.possible(mean.high))
        _dots(axes, place, number, [unit.factor * value for value in scores[method].values()])
        _mean(axes, place, number, mean, unit.factor)
    _near(axes, [unit.factor * value for method in methods for value in scores[method].values()])
    axes.set_xlabel(f"{found.score_name}{', %' if unit.accuracy else ''}")


def _differences(axes: Axes, found: Evidence, methods: list[str]) -> None:
    """Each method less the reference, so that what lies to the right is better, as in the other panel."""
    factor, names = found.unit.factor, found.comparison.methods
    worth = factor * found.comparison.difference
    axes.axvspan(-worth, worth, color=LOST, alpha=0.2, linewidth=0, zorder=0)
    axes.axvline(0, color=shade(0), linewidth=1.2, zorder=1)
    for contrast in found.contrasts:
        if contrast.interval and contrast.other in methods:
            place, number = methods.index(contrast.other), names.index(contrast.other)
            _dots(axes, place, number, [-factor * value for value in contrast.differences])
            _mean(axes, place, number, contrast.interval, -factor)
    _near(axes, [0.0, *(-factor * value for contrast in found.contrasts for value in contrast.differences)])
    axes.set_xlabel(f"difference from {shortened(names[0])}{', points' if found.unit.accuracy else ''}")


def _dots(axes: Axes, place: int, number: int, values: list[float]) -> None:
    look: dict[str, Any] = {"color": shade(number), "markeredgecolor": "white", "markeredgewidth": 0.5, "zorder": 3}
    axes.plot(values, [place] * len(values), marker(number), markersize=6, alpha=0.9, linestyle="", **look)


def _near(axes: Axes, values: list[float]) -> None:
    """Keep the axis where the seeds are: an interval of two of them may be many times as wide, and runs out of it."""
    low, high = axes.get_xlim()
    reach = 0.75 * (max(values) - min(values)) or high - low
    axes.set_xlim(max(low, min(values) - reach), min(high, max(values) + reach))


def _mean(axes: Axes, place: int, number: int, found: Interval, factor: float) -> None:
    """Below the dots: the mean as a bar across, its interval as a line."""
    y, colour = place + BESIDE, shade(number)
    if found.low is not None and found.high is not None:
        axes.plot([factor * found.low, factor * found.high], [y, y], "-", color=colour, linewidth=3, alpha=0.5)
    axes.plot(factor * found.mean, y, "|", color=colour, markersize=9, markeredgewidth=2.4, zorder=4)


def _keys(drawn: Figure, axes: Axes) -> None:
    looks: list[tuple[str, str, dict[str, Any]]] = [
        ("one seed", "o", {"color": LOST, "markersize": 6}),
        ("the same seed", "-", {"color": LOST, "linewidth": 0.7}),
        ("mean over seeds", "|", {"color": INK, "markersize": 9, "markeredgewidth": 2.4}),
        ("95 % interval of the mean", "-", {"color": LOST, "linewidth": 3}),
        ("less than is worth showing", "s", {"color": LOST, "alpha": 0.2, "markersize": 9, "markeredgewidth": 0}),
    ]
    drawn.legend(handles=keys(axes, looks), loc="outside upper left", ncols=5, columnspacing=1.5)
