"""Where the population went in the space of the genes."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from gaopt.journal.history import History, Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.plots import style
from gaopt.space.gene import AnyGene, Choice

_LOOKS: dict[str, dict[str, Any]] = {
    "failed": {"marker": "x", "s": 42, "linewidths": 1.6},
    "early": {"s": 12, "edgecolors": style.INK, "linewidths": 0.4},
    "whole": {"s": 42, "edgecolors": style.INK, "linewidths": 0.4},
    "best": {"marker": "*", "s": 225, "c": style.BEST, "edgecolors": "white", "zorder": 5},
}
PAIRED = 5
"""With more genes than this every gene has a strip of its own, instead of a panel for each pair."""
BESIDE = (0.7549, 0.5698)
"""By how much the next mark is moved, across and up: no two soon meet (Roberts' R2 sequence)."""
ACROSS = 34
"""Characters of a tick's words that a horizontal axis has room for."""


@style.plot(
    "Where the population went",
    "Each mark is an individual, each gene on its own scale and over its whole range, coloured by the generation of its"
    " birth; crosses failed, small dots were left early, the star is the best. Where a gene is a choice, those that"
    " have the same lie beside each other, in no order.",
)
def space(history: History) -> Figure | None:
    genes = {name: gene for name, gene in views.space(history).items() if gene.levels != 1}
    everyone = views.searched(history)
    if len(everyone) < 2 or not genes:
        return None
    pairs = _pairs(genes, everyone)
    drawn, grid = style.panels(len(pairs), 3.2 if pairs[0][0] else 2.5)
    key = style.generation_scale(len(history.populations))
    shades = [to_hex(shade) for shade in key.to_rgba(np.arange(1, len(history.populations) + 1))]
    for axes, (x, y) in zip(grid, pairs, strict=False):
        _panel(axes, history, genes, x, y, shades)
    style.colourbar(drawn, key, grid, "generation", extend="neither")
    return drawn


def _pairs(genes: Mapping[str, AnyGene], everyone: list[Individual]) -> list[tuple[str, str]]:
    """Pairs of genes that some individual has both of; with one gene, or many, each against the generation."""
    pairs = list(combinations(genes, 2)) if len(genes) <= PAIRED else []
    met = [(x, y) for x, y in pairs if any(x in i.genes and y in i.genes for i in everyone)]
    return met or [("", y) for y in genes]


def _panel(axes: Axes, history: History, genes: Mapping[str, AnyGene], x: str, y: str, shades: list[str]) -> None:
    """One gene against another; against the generation where x is empty. Those that lack a gene are left out."""
    everyone, best = views.searched(history), history.best
    having = [i for i in everyone if y in i.genes and (not x or x in i.genes)]
    found: list[style.Mark] = []
    for i in having:
        across = place(genes[x], i.genes[x], i.id * BESIDE[0]) if x else i.generation + beside(i.id * BESIDE[0], 0.4)
        kind = "best" if i is best else i.status if i.status in _LOOKS else "whole"
        found.append((kind, across, place(genes[y], i.genes[y], i.id * BESIDE[1]), shades[i.generation]))
    style.marks(axes, found, _LOOKS)
    scale(axes, "y", y, genes[y])
    if x:
        scale(axes, "x", x, genes[x])
    else:
        style.generations(axes, len(history.populations))
    if len(having) < len(everyone):
        said = f"{len(having)} of {len(everyone)} individuals have {'both' if x else 'it'}"
        axes.set_title(said, fontsize=8, color=style.MUTED, fontweight="normal", loc="right", pad=3)


def beside(number: float, width: float) -> float:
    """A shift that keeps marks apart which would lie on each other."""
    return width * (number % 1.0 - 0.5)


def place(gene: AnyGene, value: Any, number: float) -> float:
    """Where a value lies on the axis of a gene; beside each other those with the same choice."""
    return gene.choices.index(value) + beside(number, 0.5) if isinstance(gene, Choice) else float(value)


def scale(axes: Axes, which: Literal["x", "y"], name: str, gene: AnyGene) -> None:
    """The gene's own scale and bounds, wider only where a value given by hand lies outside."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    if isinstance(gene, Choice):
        _categories(axes, which, name, gene)
        return
    low, high = axis.get_data_interval()
    low, high = min(low, gene.low), max(high, gene.high)
    if gene.scale == "log" and low > 0:
        axes.set(**{f"{which}scale": "log"})
        margin = (high / low) ** 0.04
        axes.set(**{f"{which}lim": (low / margin, high * margin)})
        style.log(axis)
    else:
        margin = 0.04 * (high - low)
        axes.set(**{f"{which}lim": (low - margin, high + margin)})
    axes.set(**{f"{which}label": f"{name} (log scale)" if gene.scale == "log" else name})


def _categories(axes: Axes, which: Literal["x", "y"], name: str, gene: Choice) -> None:
    """A tick for each choice, with its words; turned where they would run into each other."""
    said = [words.shortened(words.value(value)) for value in gene.choices]
    crowded = which == "x" and sum(map(len, said)) + 2 * len(said) > ACROSS
    axes.set(**{f"{which}ticks": range(len(said)), f"{which}lim": (-0.5, len(said) - 0.5), f"{which}label": name})
    axes.set(**{f"{which}ticklabels": said})
    if crowded:
        axes.tick_params(axis="x", labelrotation=30)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.grid(visible=False, axis=which)
