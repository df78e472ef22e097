"""Who descends from whom: generations from left to right, one lane for each place in the population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from gaopt.journal.history import History, Individual
from gaopt.report import views
from gaopt.report.plots.style import BEST, LOST, MUTED, colour, colourbar, figure, fitness_scale, generations, plot

LABELLED = 400
"""With more places than this (generations × individuals) the marks have no room for words."""


@dataclass(frozen=True)
class Tree:
    """Where everybody is drawn.

    Attributes:
        lanes: the row of each individual, from 0 at the top; it keeps it as long as it survives.
        last: the last generation that each individual is part of.
        line: the best, its parents, their parents, …
    """

    lanes: dict[int, int]
    last: dict[int, int]
    line: frozenset[int]


@plot(
    "Who descends from whom",
    "Read from left to right: a disc is an individual where it was born, a thick line a survivor, a thin curve"
    " leads from a parent to its offspring, and the descent of the best is orange.",
)
def lineage(history: History) -> Figure | None:
    count = len(history.populations)
    if count < 2:
        return None
    tree, everyone, best = lay_out(history), views.searched(history), history.best
    rows = max(tree.lanes.values()) + 1
    named = rows * count <= LABELLED
    drawn = figure(min((0.42 if named else 0.2) * rows, 20.0) + 0.9)
    axes, scale = drawn.subplots(), fitness_scale(everyone)
    for individual in everyone:
        shade = BEST if individual is best else colour(individual, scale)
        _edges(axes, individual, tree)
        _mark(axes, individual, tree, shade, named)
    generations(axes, count)
    axes.set(ylim=(rows - 0.3, -0.7), xlim=(-0.35, count - 0.65), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    colourbar(drawn, scale, [axes])
    return drawn


def lay_out(history: History) -> Tree:
    """Survivors stay in their lane; a birth takes its first parent's lane if that is free, else the nearest."""
    lanes: dict[int, int] = {}
    last: dict[int, int] = {}
    for generation, ids in enumerate(history.populations):
        last |= dict.fromkeys(ids, generation)
        taken = {lanes[id] for id in ids if id in lanes}
        for individual in history.members(generation):
            if individual.id not in lanes:
                wish = lanes.get(next(iter(individual.birth.parents), -1), 0)
                free = {wish, *range(len(taken) + 1)} - taken
                lanes[individual.id] = min(free, key=lambda lane: (abs(lane - wish), lane))
                taken.add(lanes[individual.id])
    line: set[int] = set()
    ahead = [history.best.id] if history.best else []
    while ahead:
        if (id := ahead.pop()) not in line:
            line.add(id)
            ahead += history.individuals[id].birth.parents
    return Tree(lanes, last, frozenset(line))


def _edges(axes: Axes, individual: Individual, tree: Tree) -> None:
    """A curve to the individual from each parent, in the last generation before that it was part of."""
    x, y = individual.generation, tree.lanes[individual.id]
    shade, width, layer = (BEST, 1.6, 1.5) if individual.id in tree.line else (LOST, 0.9, 1)
    for parent in individual.birth.parents:
        x0, y0 = min(x - 1, tree.last[parent]), tree.lanes[parent]
        bend = Path([(x0, y0), (x0 + 0.5, y0), (x - 0.5, y), (x, y)], [Path.MOVETO, *[Path.CURVE4] * 3])
        axes.add_patch(PathPatch(bend, fill=False, edgecolor=shade, linewidth=width, alpha=0.8, zorder=layer))


def _mark(axes: Axes, individual: Individual, tree: Tree, shade: str, named: bool) -> None:
    """A disc where it was born, and a line to the last generation that it is part of."""
    x, last, y = individual.generation, tree.last[individual.id], tree.lanes[individual.id]
    if last > x:
        axes.plot([x, last], [y, y], color=shade, linewidth=3, zorder=2)
    fill, edge, inside = (shade, "white", "white") if individual.status == "scored" else ("white", LOST, MUTED)
    axes.plot(x, y, "o", color=fill, markeredgecolor=edge, markersize=15 if named else 5, zorder=3)
    if named:
        axes.text(x, y, str(individual.id), color=inside, fontsize=7, ha="center", va="center_baseline", zorder=4)
        below: dict[str, Any] = {"xytext": (0, -15), "textcoords": "offset points", "ha": "center"}
        axes.annotate(views.outcome(individual), (x, y), fontsize=7, color=MUTED, **below)
