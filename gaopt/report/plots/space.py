"""Where the population went in the space of the genes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.journal.history import History, Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.plots.legend import shortened
from gaopt.report.plots.style import BEST, INK, MUTED, POWERS, from_one, generation_colours, keys, panels, plot
from gaopt.space.gene import AnyGene, Choice

PAIRED = 5
"""With more genes than this every gene has a strip of its own, instead of a panel for each pair."""
BESIDE = (0.7549, 0.5698)
"""How far the next individual with the same choice is moved, across and up: no two soon meet (Roberts' R2 sequence)."""
ACROSS = 34
"""Characters of a tick's words that a horizontal axis has room for."""


@plot("space", "Genes of every individual, coloured by generation")
def space(history: History) -> Figure | None:
    genes = {name: gene for name, gene in views.space(history).items() if gene.levels != 1}
    everyone = views.searched(history)
    if len(everyone) < 2 or not genes:
        return None
    pairs = _pairs(genes, everyone)
    drawn, grid = panels(len(pairs), 3.2 if pairs[0][0] else 2.5, more=0.45)
    for axes, (x, y) in zip(grid, pairs, strict=False):
        _panel(axes, history, genes, x, y)
    drawn.legend(
        handles=_keys(grid[0], history), loc="outside upper left", ncols=12, handletextpad=0.2, columnspacing=1
    )
    return drawn


def _pairs(genes: Mapping[str, AnyGene], everyone: list[Individual]) -> list[tuple[str, str]]:
    """Pairs of genes that some individual has both of; with one gene, or many, each against the generation."""
    pairs = list(combinations(genes, 2)) if len(genes) <= PAIRED else []
    met = [(x, y) for x, y in pairs if any(x in i.genes and y in i.genes for i in everyone)]
    return met or [("", y) for y in genes]


def _panel(axes: Axes, history: History, genes: Mapping[str, AnyGene], x: str, y: str) -> None:
    """One gene against another; against the generation where x is empty. Those that lack a gene are left out."""
    everyone = views.searched(history)
    having = [i for i in everyone if y in i.genes and (not x or x in i.genes)]
    across = _place(x, genes[x], BESIDE[0]) if x else _strip(everyone)
    up = _place(y, genes[y], BESIDE[1])
    shades = generation_colours(len(history.populations))
    for individual in having:
        shade, at = shades[individual.generation], (across(individual), up(individual))
        if individual.status == "failed":
            axes.plot(*at, "x", color=shade, markersize=6, markeredgewidth=1.6)
        elif individual is history.best:
            axes.plot(*at, "*", color=BEST, markersize=15, markeredgecolor="white", zorder=5)
        elif individual.status == "early":
            axes.plot(*at, "o", color=shade, markersize=3.5, markeredgecolor=INK, markeredgewidth=0.4)
        else:
            axes.plot(*at, "o", color=shade, markersize=6.5, markeredgecolor=INK, markeredgewidth=0.4)
    scale(axes, "y", y, genes[y])
    if x:
        scale(axes, "x", x, genes[x])
    else:
        from_one(axes)
        axes.set(xlim=(-0.5, len(history.populations) - 0.5))
    if len(having) < len(everyone):
        said = f"{len(having)} of {len(everyone)} individuals have {'both' if x else 'it'}"
        axes.set_title(said, fontsize=8, color=MUTED, fontweight="normal", loc="right", pad=3)


def _place(name: str, gene: AnyGene, beside: float) -> Callable[[Individual], float]:
    """Where an individual lies on the axis of a gene; beside each other those with the same choice."""
    if isinstance(gene, Choice):
        return lambda i: gene.choices.index(i.genes[name]) + 0.5 * ((i.id * beside) % 1.0 - 0.5)
    return lambda i: float(i.genes[name])


def _strip(everyone: list[Individual]) -> Callable[[Individual], float]:
    """The individuals born in a generation side by side, within 0.5 of it."""
    born: dict[int, list[int]] = {}
    for individual in everyone:
        born.setdefault(individual.generation, []).append(individual.id)
    places = {
        id: generation + shift
        for generation, ids in born.items()
        for id, shift in zip(ids, np.linspace(-0.2, 0.2, len(ids)) if len(ids) > 1 else [0.0], strict=True)
    }
    return lambda individual: places[individual.id]


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
        axis.set_major_formatter(POWERS)
        axis.set_minor_formatter("")
    else:
        margin = 0.04 * (high - low)
        axes.set(**{f"{which}lim": (low - margin, high + margin)})
    axes.set(**{f"{which}label": f"{name} (log scale)" if gene.scale == "log" else name})


def _categories(axes: Axes, which: Literal["x", "y"], name: str, gene: Choice) -> None:
    """A tick for each choice, with its words; turned where they would run into each other."""
    said = [shortened(words.value(value)) for value in gene.choices]
    crowded = which == "x" and sum(map(len, said)) + 2 * len(said) > ACROSS
    axes.set(**{f"{which}ticks": range(len(said)), f"{which}lim": (-0.5, len(said) - 0.5), f"{which}label": name})
    axes.set(**{f"{which}ticklabels": said})
    if crowded:
        axes.tick_params(axis="x", labelrotation=30)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.grid(visible=False, axis=which)


def _keys(axes: Axes, history: History) -> list[Artist]:
    shades = generation_colours(len(history.populations))
    step = -(-len(shades) // 8)  # with many generations every so manyth is named
    generations = range(0, len(shades), step)
    edge = {"markeredgecolor": INK, "markeredgewidth": 0.4}
    looks = [(f"generation {n + 1}", "o", {"color": shades[n], **edge}) for n in generations]
    if history.failed:
        looks.append(("failed", "x", {"color": MUTED, "markeredgewidth": 1.6}))
    if history.early:
        looks.append(("left early", "o", {"color": MUTED, "markersize": 3.5}))
    if history.best:
        star = {"color": BEST, "markersize": 12, "markeredgecolor": "white"}
        looks.append((f"best (i{history.best.id})", "*", star))
    return keys(axes, looks)
