"""How methods are told apart, and how well each does: the best so far, winners by epoch, judged scores."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.compare.model import Cost
from gaopt.compare.statistics import Interval
from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.plots.curves import PANEL, shown_panels
from gaopt.report.plots.style import LOST, MUTED, SHADES, figure, limit, panels, plot, rows_of_words, whole

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
EARLY = 0.15
"""What lies below the means after this share of what was spent is cut off: the end is what one wants to see."""
START = 0.2
"""The axis begins at the worst of the means after this share of the epochs: the first ones would flatten the rest."""
SPENT: dict[Cost, str] = {"epochs": "epochs trained", "seconds": "seconds of training"}
_KEYS: dict[str, Any] = {"loc": "outside upper left", "ncols": 8, "handlelength": 2.8, "columnspacing": 1.5}
BESIDE = 0.26
"""How far below its method's place the mean is drawn, in places."""


def shade(number: int) -> str:
    """The colour of a method by its place; the first is the reference's. No two share colour, marker and dashes."""
    return SHADES[number % len(SHADES)]


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
    if not found.bands:
        return None
    drawn = figure(4.1)
    axes = drawn.subplots()
    for number, method in reversed(list(enumerate(found.comparison.methods))):  # the reference on top
        if method in found.bands:
            spent, best = found.bands[method]
            mean, said = found.unit.factor * best.mean(axis=0), words.shortened(method)
            axes.step(spent, mean, where="post", label=said, **_line(number))
    axes.set(xlabel=SPENT[found.comparison.cost], ylabel=f"best validation score{found.unit.sign}", xlim=(0, None))
    limit(axes, *shown(found))
    keys, labels = axes.get_legend_handles_labels()
    drawn.legend(keys[::-1], labels[::-1], **_KEYS)
    return drawn


@plot(
    "How far the seeds lie apart",
    "The same for each method alone: its mean, and the band from its lowest to its highest seed (min … max, not an"
    " interval), before the means of the others.",
)
def seeds(found: Evidence) -> Figure | None:
    bands, factor = found.bands, found.unit.factor
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
    drawn.supxlabel(SPENT[found.comparison.cost], fontsize=9, color=MUTED)
    return drawn


def shown(found: Evidence) -> tuple[float, float]:
    """What of the scores is shown: from the lowest mean soon after the start to the highest of all."""
    lows, highs = [], []
    for spent, best in found.bands.values():
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
    each = shown_panels([i for each in won.values() for i in each], *(search.history for search in comparison.searches))
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


@plot(
    "Judged scores",
    "What the winners are worth: each mark is the winner of one search, trained again with a fresh seed and judged"
    " (of several such trainings, their mean). A thin line joins the same seed, so that methods can be compared"
    " pair by pair; the bar below the marks is the mean, with its 95 % interval over seeds. To the right, how far each"
    " method lies from the first one, seed by seed: what lies left of the line is worse, within the grey band it is"
    " less than is worth showing. An interval may run out of its panel.",
)
def judged(found: Evidence) -> Figure | None:
    methods = [method for method in found.comparison.methods if method in found.scores]
    if not methods:
        return None
    unit, names = found.unit, found.comparison.methods
    differing = {each.other: each.interval for each in found.contrasts if each.interval}
    drawn = figure(max(1.9, 0.48 * len(methods) + 1.0))
    both = list(drawn.subplots(1, 1 + bool(differing), sharey=True, squeeze=False).flat)
    for seed in sorted({seed for method in methods for seed in found.scores[method]}):
        joined = [unit.factor * found.scores[method].get(seed, float("nan")) for method in methods]
        both[0].plot(joined, range(len(joined)), "-", color=LOST, linewidth=0.7, alpha=0.7, zorder=1)
    scores = {method: list(found.scores[method].values()) for method in methods}
    _methods(both[0], found, scores, found.judged, unit.factor)
    if unit.accuracy:  # an interval knows nothing of 0 and 100 %
        both[0].set_xlim(*np.clip(both[0].get_xlim(), -0.5, 100.5))
    both[0].set_xlabel(f"{found.score_name}{', %' if unit.accuracy else ''}")
    for axes in both[1:]:  # each method less the reference, so that what lies to the right is better, here too
        worth = unit.factor * found.comparison.difference
        axes.axvspan(-worth, worth, color=LOST, alpha=0.2, linewidth=0, zorder=0)
        axes.axvline(0, color=shade(0), linewidth=1.2, zorder=1)
        gaps = {each.other: list(each.differences) for each in found.contrasts if each.interval}
        _methods(axes, found, {names[0]: [0.0]} | gaps, differing, -unit.factor)
        axes.set_xlabel(f"difference from {words.shortened(names[0])}{unit.points and ', points'}")
    for axes in both:
        rows_of_words(axes, [words.shortened(method) for method in methods], 0.45)
    return drawn


def _methods(
    axes: Axes, found: Evidence, values: dict[str, list[float]], means: dict[str, Interval], factor: float
) -> None:
    """The seeds of each method as dots; below them the mean as a bar across, its interval as a line."""
    places = {method: place for place, method in enumerate(m for m in found.comparison.methods if m in found.scores)}
    look: dict[str, Any] = {"markersize": 6, "alpha": 0.9, "markeredgecolor": "white", "linestyle": "", "zorder": 3}
    for method, each in values.items():
        number = found.comparison.methods.index(method)
        dots = [factor * value for value in each]
        axes.plot(dots, [places[method]] * len(dots), MARKERS[number % len(MARKERS)], color=shade(number), **look)
    near = [factor * value for each in values.values() for value in each]
    for method, mean in means.items():
        y, colour = places[method] + BESIDE, shade(found.comparison.methods.index(method))
        if mean.low is not None and mean.high is not None:
            axes.plot([factor * mean.low, factor * mean.high], [y, y], "-", color=colour, linewidth=3, alpha=0.5)
        axes.plot(factor * mean.mean, y, "|", color=colour, markersize=9, markeredgewidth=2.4, zorder=4)
    # Where the seeds are: an interval of two of them may be many times as wide, and runs out of the panel.
    low, high = axes.get_xlim()
    reach = 0.75 * (max(near) - min(near)) or high - low
    axes.set_xlim(max(low, min(near) - reach), min(high, max(near) + reach))
