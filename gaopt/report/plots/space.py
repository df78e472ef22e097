"""Where the population went in the space of the genes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.history import History, Individual
from gaopt.report import reading
from gaopt.report.plots.style import BEST, INK, MUTED, POWERS, figure, generation_colours, plot, whole
from gaopt.space import AnyGene, Choice

PAIRED = 5
"""With more genes than this every gene has a strip of its own, instead of a panel for each pair."""


@plot("space", "Genes of every individual, coloured by generation")
def space(history: History) -> Figure | None:
    genes = reading.space(history)
    if len(history.individuals) < 2 or not genes:
        return None
    pairs = list(combinations(genes, 2)) if len(genes) <= PAIRED else []
    panels = [(x, y) for x, y in pairs] or [("", y) for y in genes]
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    drawn = figure(3.2 * rows + 0.45)
    grid = list(drawn.subplots(rows, columns, squeeze=False).flat)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes, (x, y) in zip(grid, panels, strict=False):
        _panel(axes, history, genes, x, y)
    drawn.legend(
        handles=_keys(grid[0], history), loc="outside upper left", ncols=12, handletextpad=0.2, columnspacing=1
    )
    return drawn


def _panel(axes: Axes, history: History, genes: Mapping[str, AnyGene], x: str, y: str) -> None:
    """One gene against another; against the generation where x is empty."""
    place: Callable[[Individual], float] = (lambda i: i.genes[x]) if x else _strip(history)
    shades = generation_colours(len(history.populations))
    for individual in history.individuals.values():
        shade, at = shades[individual.generation], (place(individual), individual.genes[y])
        if individual.status == "failed":
            axes.plot(*at, "x", color=shade, markersize=6, markeredgewidth=1.6)
        elif individual is history.best:
            axes.plot(*at, "*", color=BEST, markersize=15, markeredgecolor="white", zorder=5)
        else:
            axes.plot(*at, "o", color=shade, markersize=6.5, markeredgecolor=INK, markeredgewidth=0.4)
    _scale(axes, "y", y, genes[y])
    if x:
        _scale(axes, "x", x, genes[x])
    else:
        whole(axes)
        axes.set(xlabel="generation", xlim=(-0.5, len(history.populations) - 0.5))


def _strip(history: History) -> Callable[[Individual], float]:
    """The individuals born in a generation side by side, within 0.5 of it."""
    born: dict[int, list[int]] = {}
    for individual in history.individuals.values():
        born.setdefault(individual.generation, []).append(individual.id)
    places = {
        id: generation + shift
        for generation, ids in born.items()
        for id, shift in zip(ids, np.linspace(-0.2, 0.2, len(ids)) if len(ids) > 1 else [0.0], strict=True)
    }
    return lambda individual: places[individual.id]


def _scale(axes: Axes, which: str, name: str, gene: AnyGene) -> None:
    """The gene's own scale and bounds, wider only where a value given by hand lies outside."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    if isinstance(gene, Choice):
        return
    low, high = axis.get_data_interval()
    low, high = min(low, gene.low), max(high, gene.high)
    if gene.scale == "log" and low > 0:
        axes.set(**{f"{which}scale": "log"})
        margin = (high / low) ** 0.04
        axes.set(**{f"{which}lim": (low / margin, high * margin)})
        axis.set_major_formatter(POWERS)
        axis.set_minor_formatter("")
    else:
        margin = 0.04 * (high - low)
        axes.set(**{f"{which}lim": (low - margin, high + margin)})
    axes.set(**{f"{which}label": f"{name} (log scale)" if gene.scale == "log" else name})


def _keys(axes: Axes, history: History) -> list:
    shades = generation_colours(len(history.populations))
    step = -(-len(shades) // 8)  # with many generations every so manyth is named
    keys = [
        axes.plot([], [], "o", color=shades[n], markeredgecolor=INK, markeredgewidth=0.4, label=f"generation {n}")[0]
        for n in range(0, len(shades), step)
    ]
    if history.failed:
        keys += axes.plot([], [], "x", color=MUTED, markeredgewidth=1.6, label="failed")
    if history.best:
        keys += axes.plot(
            [], [], "*", color=BEST, markersize=12, markeredgecolor="white", label=f"best (i{history.best.id})"
        )
    return keys
