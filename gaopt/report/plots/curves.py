"""Accuracies, losses and errors by epoch, and the one-cycle of learning rate and momentum."""

import textwrap
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gaopt.journal.history import History, Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.experiment import Compared, compared
from gaopt.report.plots import style
from gaopt.study.progress import telling

PANELS = {
    **{metric: f"{title}, validation" for metric, title in views.TITLES.items()},
    "train_loss": "training loss",
    "valid_loss": "validation loss",
}
"""By metric the title."""
PANEL = 2.7
"""Inches a row of panels is tall."""
NAMED = 90
"""Individuals in the legend."""
FITTEST, SAMPLE = 100, 50
"""Individuals whose lines are drawn at most: the fittest, and evenly from the others."""
POINTS = 80
"""Of a cycle's line at most: it is smooth, and of a long training has hundreds."""
DECADES = 2
"""How far below the lowest peak the axis of the lr goes: the last steps of a cycle fall far deeper."""


@style.plot(
    "Accuracies and losses by epoch",
    "One line an individual, coloured by its fitness, the best thick and orange; broken lines failed, dotted ones had"
    " no whole training. Below the panels stand the genes of each line, from the fittest down; of a finalist that was"
    " trained again the first training is drawn.",
)
def curves(history: History) -> Figure | None:
    everyone = [i for i in views.ranked(history) if i.reports]
    each, (reporting, said) = shown_panels(everyone, history), thinned(everyone)
    if not each:
        return None
    genes = views.free(history)
    named = [f"i{i.id}: {views.outcome(i, history.sign)}, {words.genes(i.genes, genes)}" for i in reporting[:NAMED]]
    named = [textwrap.shorten(said, 140, placeholder=" …") for said in named]
    columns = max(1, int(style.WIDTH / (0.058 * max(map(len, named)) + 0.6)))
    drawn, grid = style.panels(len(each), PANEL, more=0.17 * (-(-len(named) // columns) + 3))
    scale = style.fitness_scale(everyone)
    best = history.best
    looks = [_look(individual, best, scale) for individual in reporting]
    for axes, (metric, title) in zip(grid, each.items(), strict=False):
        lines = [views.curve(individual, metric) for individual in reporting]
        for (epochs, values), look in zip(reversed(lines), reversed(looks), strict=True):  # the fittest lie on top
            axes.plot(epochs, values, marker="o" if len(epochs) < 6 else "", markersize=3.5, **look)
        axes.set(title=title, xlabel="epoch")
        style.whole(axes)
        if metric.endswith("loss"):
            _clip(axes, [values for _, values in lines])
    style.colourbar(drawn, scale, grid, views.score_name(history))
    drawn.set_label(said)
    keys = [Line2D([], [], label=said, **look) for said, look in zip(named, looks, strict=False)]
    more = f"the {NAMED} fittest; individuals.csv has all" if len(everyone) > NAMED else None
    drawn.legend(handles=keys, loc="outside lower left", ncols=columns, title=more, fontsize=8, handlelength=3)
    return drawn


def thinned(ranked: list[Individual], sample: int = SAMPLE) -> tuple[list[Individual], str]:
    """(those that are drawn, the fittest first, what is said of it)."""
    others = ranked[FITTEST:]
    if len(others) <= sample:
        return ranked, ""
    step = -(-len(others) // sample)
    said = f"Of {len(ranked):,} individuals these are the {FITTEST} fittest and one in {step} of the others."
    return ranked[:FITTEST] + others[::step], said


def shown_panels(individuals: Sequence[Individual], *histories: History) -> dict[str, str]:
    """Those of which anything was reported that could have been otherwise."""
    return {m: t for m, t in telling(PANELS, *histories).items() if any(views.curve(i, m)[0] for i in individuals)}


def _look(individual: Individual, best: Individual | None, scale: ScalarMappable) -> dict[str, Any]:
    """Of the lines of an individual: solid if scored, broken if failed, else dotted."""
    line = {"scored": "-", "failed": "--", "early": "-."}.get(individual.status, ":")
    if individual is best:
        return {"linestyle": line, "color": style.BEST, "linewidth": 2.8, "zorder": 4}
    return {"linestyle": line, "color": style.colour(individual, scale), "linewidth": 1.1, "zorder": 2}


def _clip(axes: Axes, curves: list[list[float]]) -> None:
    """Keep the loss axis where most losses are, twice the median at most, and say how many lines leave it."""
    by_epoch = np.array(list(zip_longest(*curves, fillvalue=np.nan)))
    highest, usual = np.nanmax(by_epoch), np.nanmedian(by_epoch, axis=1).max()
    high = float(min(highest, 2 * usual) if usual > 0 else highest)
    style.limit(axes, float(np.nanmin(by_epoch)), high)
    if outside := int((by_epoch > high).any(axis=0).sum()):
        said = f"cut at {words.number(high)}, {words.plural(outside, 'line goes', 'lines go')} above"
        axes.set_xlabel(f"epoch  ·  {said}")


@style.plot(
    "The cycle of learning rate and momentum",
    "What each individual was trained with, from the start of its training (0) to its end (1): the learning rate"
    " rises to its peak and falls, the momentum goes to its turning point and back.",
)
def cycle(history: History) -> Figure | None:
    everyone = [i for i in views.ranked(history) if any(report.cycle for report in i.reports.values())]
    if not everyone:
        return None
    individuals, said = thinned(everyone)
    trained = {i.id: views.cycle(i) for i in individuals}
    drawn = style.figure(3.4)
    both = lr, _ = drawn.subplots(1, 2)
    drawn.set_label(said)
    scale, best = style.fitness_scale(everyone), history.best
    for individual in reversed(individuals):
        points = trained[individual.id]
        positions, *found = zip(*points[:: -(-len(points) // POINTS)], points[-1], strict=True)
        for axes, values in zip(both, found, strict=True):
            axes.plot(positions, values, **_look(individual, best, scale))
    for axes, title in zip(both, ("learning rate (log scale)", "momentum"), strict=True):
        axes.set(title=title, xlabel="position in the training", xlim=(0, 1))
    peaks = [peak for points in trained.values() if (peak := max(rate for _, rate, _ in points)) > 0]
    if peaks:
        lr.set(yscale="log", ylim=(min(peaks) / 10**DECADES, 2 * max(peaks)))
        style.log(lr.yaxis)
    style.colourbar(drawn, scale, both, views.score_name(history))
    return drawn


@style.plot(
    "Error by epoch",
    "Broken lines are the error on the training images as they were trained on, augmented and while the weights"
    " changed; solid lines the error on the validation images after each epoch. Means, where a variant was"
    " trained several times.",
)
def errors(history: History) -> Figure | None:
    """Of an experiment's variants, as in figure 6 of He et al. 2015."""
    found = [one for one in compared(history) if any(run.reports for run in one.runs)]
    if not found:
        return None
    panels = list(dict.fromkeys(one.variant.panel for one in found))
    drawn = style.figure(4.2)
    for axes, panel in zip(drawn.subplots(1, len(panels), sharey=True, squeeze=False).flat, panels, strict=True):
        _errors(axes, panel, [one for one in found if one.variant.panel == panel])
    return drawn


def _errors(axes: Axes, panel: str, variants: list[Compared]) -> None:
    shades: Iterable[Any] = style.SHADES[1:]
    if len(variants) >= len(style.SHADES):  # they run from pale to dark
        shades = map(to_hex, style.fitness_colours()(np.linspace(0, 1, len(variants))))
    lines = (("train_top1", "--", 1.2), ("top1", "-", 2.2))
    for one, shade in zip(variants, shades, strict=False):
        for metric, line, width in lines:
            epochs, accuracies = views.mean_curve(one.runs, metric)
            axes.plot(epochs, [100 * (1 - each) for each in accuracies], line, color=shade, linewidth=width)
        axes.plot([], [], "-", color=shade, linewidth=2.2, label=one.variant.name)
    for said, (_, line, width) in zip(("training", "validation"), lines, strict=True):
        axes.plot([], [], line, color=style.INK, linewidth=width, label=said)
    style.whole(axes)
    axes.set(title=panel, xlabel="epoch", ylabel="error %")
    axes.yaxis.set_tick_params(labelleft=True)
    many = len(variants) > 3  # beside the lines, which would cross it
    axes.legend(loc="upper left" if many else "upper right", bbox_to_anchor=(1.0, 1.0))
