"""The genes: where each method searched, how much each gene matters, and how pairs of them act together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from gaopt.compare.model import Comparison
from gaopt.journal.history import Individual
from gaopt.report import views
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.comparison.genes import Surface
from gaopt.report.plots.legend import shortened
from gaopt.report.plots.space import BESIDE, scale
from gaopt.report.plots.style import (
    BEST,
    INK,
    LOST,
    MEAN,
    colour,
    colourbar,
    figure,
    fitness_colours,
    fitness_scale,
    panels,
    plot,
    rows_of_words,
)
from gaopt.space.gene import AnyGene, Choice

ROW, MOST = 0.36, 12
"""Inches of a method's row; genes that have a panel."""
DOTS = 250
"""Trainings that are drawn in a panel of two genes, at most."""
LOOKS: dict[str, dict[str, Any]] = {
    "early": {"marker": "o", "s": 7, "facecolors": "none", "edgecolors": LOST, "linewidths": 0.6},
    "failed": {"marker": "x", "s": 11, "color": LOST, "linewidths": 0.9},
    "scored": {"marker": "o", "s": 16, "linewidths": 0},
    "won": {"marker": "*", "s": 80, "color": BEST, "edgecolors": "white", "linewidths": 0.5, "zorder": 5},
}
LABELS = {"scored": "a whole training", "early": "left early", "failed": "failed", "won": "winner of its search"}
Tried = Mapping[str, list[tuple[Individual, str]]]
"""By method the individuals, each with its look."""


@plot("searched", "Values of each gene that each method trained, coloured by score")
def searched(found: Evidence) -> Figure | None:
    """For every gene a panel, for every method a row in it, each training a dot."""
    tried = {method: _tried(found.comparison, method) for method in found.comparison.methods}
    had = {name for each in tried.values() for individual, _ in each for name in individual.genes}
    shown = {name: gene for name, gene in found.genes.space.items() if gene.levels != 1 and name in had}
    shown = dict(list(shown.items())[:MOST])
    if not shown:
        return None
    shades = fitness_scale([individual for each in tried.values() for individual, _ in each])
    drawn, grid = panels(len(shown), ROW * len(tried) + 0.75, more=0.4, sharey=True)
    for axes, (name, gene) in zip(grid, shown.items(), strict=False):
        _gene(axes, tried, name, gene, shades)
        rows_of_words(axes, [shortened(method) for method in tried], 0.5)
    colourbar(drawn, shades, grid)
    keys = [grid[0].scatter([], [], label=LABELS[kind], **({"color": INK} | look)) for kind, look in LOOKS.items()]
    drawn.legend(handles=keys, loc="outside upper left", ncols=4, handletextpad=0.3, columnspacing=1.5)
    return drawn


def _tried(comparison: Comparison, method: str) -> list[tuple[Individual, str]]:
    """The individuals of all seeds that have ended or were left on a rung."""
    return [
        (individual, "won" if individual is search.winner else individual.status)
        for search in comparison.of(method)
        for individual in views.searched(search.history)
        if individual.done or individual.status == "early"
    ]


def _gene(axes: Axes, tried: Tried, name: str, gene: AnyGene, shades: ScalarMappable) -> None:
    for row, everyone in enumerate(tried.values()):
        having = [(i, kind) for i, kind in everyone if name in i.genes and _known(gene, i.genes[name])]
        having.sort(key=lambda each: each[0].fitness)  # the fittest on top
        places = [_place(gene, individual.genes[name], row, number) for number, (individual, _) in enumerate(having)]
        for kind, look in LOOKS.items():
            some = [(at, i) for at, (i, known) in zip(places, having, strict=True) if known == kind]
            if some:
                shade: dict[str, Any] = {"c": [colour(i, shades) for _, i in some]} if kind == "scored" else {}
                axes.scatter([x for (x, _), _ in some], [y for (_, y), _ in some], **look, **shade)
    scale(axes, "x", shortened(name), gene)
    for row in range(1, len(tried)):
        axes.axhline(row - 0.5, color=LOST, linewidth=0.4, alpha=0.6)


def _known(gene: AnyGene, value: object) -> bool:
    """Whether the gene has a place for a value: a method may have one of its own that is none of the choices."""
    return value in gene.choices if isinstance(gene, Choice) else isinstance(value, int | float)


def _place(gene: AnyGene, value: Any, row: int, number: int) -> tuple[float, float]:
    """Beside each other those that would lie on each other."""
    y = row + 0.62 * ((number * BESIDE[0]) % 1.0 - 0.5)
    if isinstance(gene, Choice):
        return gene.choices.index(value) + 0.6 * ((number * BESIDE[1]) % 1.0 - 0.5), y
    return float(value), y


@plot("importance", "Importance of each gene")
def importance(found: Evidence) -> Figure | None:
    """As bars, by the question that is asked; the genes of the first in order."""
    by_question = found.genes.importance
    if not any(by_question.values()):
        return None
    genes = list(dict.fromkeys(name for shares in by_question.values() for name in shares))
    drawn = figure(0.34 * len(genes) + 0.9)
    grid = drawn.subplots(1, len(by_question), sharey=True, squeeze=False).flat
    for axes, (question, shares) in zip(grid, by_question.items(), strict=True):
        for row, name in enumerate(genes):
            share = 100 * shares.get(name, 0.0)
            said = f"{share:.1f} %" if name in shares else "only some individuals have it"
            if name in shares:
                axes.barh(row, share, height=0.62, color=MEAN, linewidth=0)
            axes.text(share + 1.2, row, said, va="center", fontsize=8.5, color=INK)
        axes.set(xlim=(0, 112), xlabel="share of the importance, %")
        rows_of_words(axes, [shortened(name) for name in genes], 0.4)
        axes.set_title(question)
    return drawn


@plot("interactions", "Expected score over pairs of genes")
def interactions(found: Evidence) -> Figure | None:
    """The score that a forest of trees expects over both of two genes."""
    surfaces, factor = found.genes.surfaces, found.unit.factor
    if not surfaces:
        return None
    drawn, grid = panels(len(surfaces), 2.9, more=0.2)
    values = np.concatenate([np.ravel(surface.expected) for surface in surfaces]) * factor
    norm = Normalize(float(np.quantile(values, 0.1)), float(values.max()))
    for axes, surface in zip(grid, surfaces, strict=False):
        shades = _pair(axes, surface, found.genes.space, norm, factor)
    colourbar(drawn, shades, grid, "%" if found.unit.accuracy else "score")
    return drawn


def _pair(axes: Axes, surface: Surface, genes: Mapping[str, AnyGene], norm: Normalize, factor: float) -> ScalarMappable:
    """Patches, for a forest knows steps and no slopes."""
    look: dict[str, Any] = {"shading": "nearest", "edgecolors": "face", "linewidth": 0.4}
    expected = np.asarray(surface.expected) * factor
    cells = axes.pcolormesh(surface.across, surface.up, expected, cmap=fitness_colours(), norm=norm, **look)
    step = -(-len(surface.tried[0]) // DOTS)
    across, up = (values[::step] for values in surface.tried)
    axes.plot(across, up, "o", color="white", markersize=2.4, alpha=0.7, markeredgecolor=INK, markeredgewidth=0.4)
    scale(axes, "x", shortened(surface.genes[0]), genes[surface.genes[0]])
    scale(axes, "y", shortened(surface.genes[1]), genes[surface.genes[1]])
    axes.grid(visible=False)
    return cells
