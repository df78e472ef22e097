"""Where each method of a comparison searched."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from gaopt.compare.model import Comparison
from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.plots import style
from gaopt.report.plots.space import BESIDE, beside, place, scale
from gaopt.space.gene import AnyGene, Choice

Tried = tuple[Individual, str]
"""An individual and its look."""
ROW, MOST = 0.36, 12
"""Inches of a method's row; genes that have a panel."""
LOOKS: dict[str, dict[str, Any]] = {
    "early": {"s": 7, "c": "none", "edgecolors": style.LOST, "linewidths": 0.6},
    "failed": {"marker": "x", "s": 11, "c": style.LOST, "linewidths": 0.9},
    "scored": {"s": 16, "linewidths": 0},
    "won": {"marker": "*", "s": 80, "c": style.BEST, "edgecolors": "white", "zorder": 5},
}


@style.plot(
    "Where each method searched",
    "For each gene a panel, for each method a row: every training of all seeds at its value, coloured by its score;"
    " crosses failed, hollow ones were left early, stars won their search. Within a row the height means nothing.",
)
def searched(found: Evidence) -> Figure | None:
    tried = [_tried(found.comparison, method) for method in found.comparison.methods]
    had = {name for each in tried for individual, _ in each for name in individual.genes}
    shown = [name for name in found.free if name in had][:MOST]
    if not shown:
        return None
    shades = style.fitness_scale([individual for each in tried for individual, _ in each])
    drawn, grid = style.panels(len(shown), ROW * len(tried) + 0.75, sharey=True)
    for axes, name in zip(grid, shown, strict=False):
        _gene(axes, tried, name, found.space[name], shades)
        style.rows_of_words(axes, [words.shortened(method) for method in found.comparison.methods], 0.5)
    style.colourbar(drawn, shades, grid)
    return drawn


def _tried(comparison: Comparison, method: str) -> list[Tried]:
    """The individuals of all seeds that have ended or were left on a rung, the fittest last."""
    found: list[Tried] = []
    for search in comparison.of(method):
        winner = search.winner
        everyone = [i for i in search.history.searched if i.done or i.status == "early"]
        found += [(i, "won" if i is winner else i.status) for i in everyone]
    return sorted(found, key=lambda each: each[0].fitness)


def _gene(axes: Axes, tried: list[list[Tried]], name: str, gene: AnyGene, shades: ScalarMappable) -> None:
    found: list[style.Mark] = []
    for row, everyone in enumerate(tried):
        having = [(i, kind) for i, kind in everyone if name in i.genes and _known(gene, i.genes[name])]
        for number, (individual, kind) in enumerate(having):
            across = place(gene, individual.genes[name], number * BESIDE[1])
            up = row + beside(number * BESIDE[0], 0.6)
            found.append((kind, across, up, style.colour(individual, shades)))
    style.marks(axes, found, LOOKS)
    scale(axes, "x", words.shortened(name), gene)
    for row in range(1, len(tried)):
        axes.axhline(row - 0.5, color=style.LOST, linewidth=0.4, alpha=0.6)


def _known(gene: AnyGene, value: object) -> bool:
    """Whether the gene has a place for a value: a method may have one of its own that is none of the choices."""
    return value in gene.choices if isinstance(gene, Choice) else isinstance(value, int | float)
