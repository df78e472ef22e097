"""Where each method searched: for every gene a panel, for every method a row in it, each training a dot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from gaopt.compare.model import Comparison
from gaopt.journal.history import Individual
from gaopt.report import views
from gaopt.report.plots.comparison.palette import short
from gaopt.report.plots.legend import shortened
from gaopt.report.plots.space import BESIDE, scale
from gaopt.report.plots.style import BEST, INK, LOST, colour, colourbar, figure, fitness_scale, plot
from gaopt.space.gene import AnyGene, Choice

ROW, MOST = 0.36, 12
"""Inches of a method's row; genes that have a panel."""


LOOKS: dict[str, dict[str, Any]] = {
    "early": {"marker": "o", "s": 7, "facecolors": "none", "edgecolors": LOST, "linewidths": 0.6},
    "failed": {"marker": "x", "s": 11, "color": LOST, "linewidths": 0.9},
    "scored": {"marker": "o", "s": 16, "linewidths": 0},
    "won": {"marker": "*", "s": 80, "color": BEST, "edgecolors": "white", "linewidths": 0.5, "zorder": 5},
}
LABELS = {"scored": "a whole training", "early": "left early", "failed": "failed", "won": "winner of its search"}


@plot("searched", "Values of each gene that each method trained, coloured by score")
def searched(comparison: Comparison, genes: Mapping[str, AnyGene]) -> Figure | None:
    tried = {method: _tried(comparison, method) for method in comparison.methods}
    shown = [name for name, gene in genes.items() if gene.levels != 1 and _has(tried, name)][:MOST]
    if not shown:
        return None
    shades = fitness_scale([individual for each in tried.values() for individual, _ in each])
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    drawn = figure((ROW * len(tried) + 0.75) * rows + 0.4)
    grid = list(drawn.subplots(rows, columns, sharey=True, squeeze=False).flat)
    for axes in grid[len(shown) :]:
        axes.set_axis_off()
    for axes, name in zip(grid, shown, strict=False):
        _panel(axes, tried, name, genes[name], shades)
    names = [short(method) for method in tried]
    grid[0].set_yticks(range(len(names)), names)
    for axes in grid[: len(shown)]:
        axes.tick_params(axis="y", labelcolor=INK, length=0)
    grid[0].set_ylim(len(names) - 0.5, -0.5)
    colourbar(drawn, shades, grid)
    _keys(drawn, grid[0])
    return drawn


def _tried(comparison: Comparison, method: str) -> list[tuple[Individual, bool]]:
    """The individuals of all seeds that have ended or were left on a rung, and whether they won."""
    return [
        (individual, individual is search.winner)
        for search in comparison.of(method)
        for individual in views.searched(search.history)
        if individual.done or individual.status == "early"
    ]


def _has(tried: Mapping[str, list[tuple[Individual, bool]]], gene: str) -> bool:
    return any(gene in individual.genes for each in tried.values() for individual, _ in each)


def _panel(
    axes: Axes, tried: Mapping[str, list[tuple[Individual, bool]]], name: str, gene: AnyGene, shades: ScalarMappable
) -> None:
    for row, everyone in enumerate(tried.values()):
        having = [(i, won) for i, won in everyone if name in i.genes and _known(gene, i.genes[name])]
        having.sort(key=lambda each: each[0].fitness)  # the fittest on top
        places = [_place(gene, individual.genes[name], row, number) for number, (individual, _) in enumerate(having)]
        for kind, look in LOOKS.items():
            some = [(at, i) for at, (i, won) in zip(places, having, strict=True) if _kind(i, won) == kind]
            _dots(axes, [at for at, _ in some], [i for _, i in some], shades if kind == "scored" else None, look)
    scale(axes, "x", shortened(name), gene)
    for row in range(1, len(tried)):
        axes.axhline(row - 0.5, color=LOST, linewidth=0.4, alpha=0.6)
    axes.grid(visible=False, axis="y")


def _kind(individual: Individual, won: bool) -> str:
    return "won" if won else individual.status


def _dots(
    axes: Axes,
    places: list[tuple[float, float]],
    individuals: list[Individual],
    shades: ScalarMappable | None,
    look: dict[str, Any],
) -> None:
    if not places:
        return
    shade: dict[str, Any] = {"c": [colour(individual, shades) for individual in individuals]} if shades else {}
    across, up = zip(*places, strict=True)
    axes.scatter(across, up, **look, **shade)


def _known(gene: AnyGene, value: object) -> bool:
    """Whether the gene has a place for a value: a method may have one of its own that is none of the choices."""
    return value in gene.choices if isinstance(gene, Choice) else isinstance(value, int | float)


def _place(gene: AnyGene, value: Any, row: int, number: int) -> tuple[float, float]:
    """Beside each other those that would lie on each other."""
    y = row + 0.62 * ((number * BESIDE[0]) % 1.0 - 0.5)
    if isinstance(gene, Choice):
        return gene.choices.index(value) + 0.6 * ((number * BESIDE[1]) % 1.0 - 0.5), y
    return float(value), y


def _keys(drawn: Figure, axes: Axes) -> None:
    keys = [axes.scatter([], [], label=LABELS[kind], **({"color": INK} | look)) for kind, look in LOOKS.items()]
    drawn.legend(handles=keys, loc="outside upper left", ncols=4, handletextpad=0.3, columnspacing=1.5)
