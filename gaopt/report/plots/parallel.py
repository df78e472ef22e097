"""All genes of all individuals at once: parallel coordinates."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from gaopt.journal.history import History, Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.plots import style
from gaopt.report.plots.curves import thinned
from gaopt.report.plots.space import BESIDE, beside
from gaopt.space.gene import AnyGene, Choice

TICKS = (0.0, 0.5, 1.0)


@style.plot(
    "All genes at once",
    "A line for each scored individual, through its value on the axis of each gene to its fitness, which colours it;"
    " the best is thick and orange. Lines that run together show what the fit have in common. A gene that an individual"
    " lacks interrupts its line.",
)
def parallel(history: History, ax: Axes | None = None) -> Figure | None:
    genes, ranked = views.free(history), history.ranked
    if len(ranked) < 2 or not genes:
        return None
    drawn, axes = style.single(4.2, ax)
    shown, said = thinned(ranked)
    if ax is None:
        drawn.set_label(said)
    key, bounds = style.fitness_scale(ranked), style.robust(i.fitness for i in ranked)
    best = history.best
    order = sorted(shown, key=lambda i: (i is best, i.fitness))
    lines = LineCollection(
        [np.column_stack([np.arange(len(genes) + 1), _heights(i, genes, bounds)]) for i in order],
        colors=[style.BEST if i is best else style.colour(i, key) for i in order],
        linewidths=[2.8 if i is best else 1.0 for i in order],
        alpha=0.85,
    )
    axes.add_collection(lines)
    _axes(axes, history, genes, bounds)
    style.colourbar(drawn, key, [axes], views.score_name(history))
    return drawn


def _heights(individual: Individual, genes: dict[str, AnyGene], bounds: tuple[float, float]) -> list[float]:
    """From 0 to 1; NaN for a gene that is not there. Of a choice those that have the same lie beside each other."""
    found = []
    for name, gene in genes.items():
        value = individual.genes.get(name)
        at = float("nan") if value is None else min(max(gene.unit(value), 0.0), 1.0)
        found.append(
            at + (beside(individual.id * BESIDE[1], 0.5 / len(gene.choices)) if isinstance(gene, Choice) else 0)
        )
    low, high = bounds
    return [*found, max(0.0, (individual.fitness - low) / (high - low)) if high > low else 0.5]


def _axes(axes: Axes, history: History, genes: dict[str, AnyGene], bounds: tuple[float, float]) -> None:
    """For each gene, and for the score, a line with the words of its values."""
    low, high = bounds
    ticks = [[(gene.unit(v), words.value(v)) for v in _values(gene)] for gene in genes.values()]  # type: ignore[arg-type]
    ticks.append([(at, words.score(history.sign * (low + at * (high - low)))) for at in TICKS])
    axes.vlines(range(len(ticks)), 0, 1, color=style.LOST, linewidth=1)
    look: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7.5, "va": "center"}
    paper = {"facecolor": "white", "linewidth": 0, "alpha": 0.7, "pad": 0.6}
    for x, each in enumerate(ticks):
        for y, said in each:
            axes.annotate(words.shortened(said), (x, y), (4, 0), bbox=paper, **look)
    axes.set(xlim=(-0.1, len(genes) + 0.35), ylim=(-0.06, 1.06), yticks=[])
    axes.set_xticks(range(len(ticks)), [*map(words.shortened, genes), views.score_name(history)], color=style.INK)
    axes.tick_params(axis="x", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.grid(visible=False)


def _values(gene: AnyGene) -> list[object]:
    return list(gene.choices) if isinstance(gene, Choice) else [gene.at(unit) for unit in TICKS]
