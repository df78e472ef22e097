"""Who descends from whom: generations from left to right, one lane for each place in the population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from gaopt.journal.history import History, Individual
from gaopt.report import views
from gaopt.report.plots.legend import outcome
from gaopt.report.plots.style import BEST, LOST, MUTED, colour, colourbar, figure, fitness_scale, from_one, on, plot

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


@plot("lineage", "Descent of every individual: generations from left to right")
def lineage(history: History) -> Figure | None:
    if len(history.populations) < 2:
        return None
    tree = lay_out(history)
    rows = max(tree.lanes.values()) + 1
    named = rows * len(history.populations) <= LABELLED
    drawn = figure(min((0.42 if named else 0.2) * rows, 20.0) + 0.9)
    axes = drawn.subplots()
    everyone = views.searched(history)
    scale = fitness_scale(everyone)
    for individual in everyone:
        _edges(axes, history, individual, tree)
    for individual in everyone:
        _life(axes, individual, tree, scale, individual is history.best)
        _mark(axes, individual, tree, scale, individual is history.best, named)
    _dress(axes, history, rows)
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
                lanes[individual.id] = _nearest_free(wish, taken)
                taken.add(lanes[individual.id])
    return Tree(lanes, last, _line(history))


def _nearest_free(wish: int, taken: set[int]) -> int:
    free = (lane for lane in range(len(taken) + 1) if lane not in taken)
    if not taken or wish not in taken:
        return wish
    return min(free, key=lambda lane: abs(lane - wish))


def _line(history: History) -> frozenset[int]:
    """The ids of the best and of all it descends from."""
    found: set[int] = set()
    ahead = [history.best.id] if history.best else []
    while ahead:
        if (id := ahead.pop()) not in found:
            found.add(id)
            ahead += history.individuals[id].birth.parents
    return frozenset(found)


def _edges(axes: Axes, history: History, individual: Individual, tree: Tree) -> None:
    """A curve to the individual from each parent, in the last generation before that it was part of."""
    x, y = individual.generation, tree.lanes[individual.id]
    ours = individual.id in tree.line
    for parent in individual.birth.parents:
        x0, y0 = min(x - 1, tree.last[parent]), tree.lanes[parent]
        bend = Path([(x0, y0), (x0 + 0.5, y0), (x - 0.5, y), (x, y)], [Path.MOVETO, *[Path.CURVE4] * 3])
        shade, width, layer = (BEST, 1.6, 1.5) if ours else (LOST, 0.9, 1)
        axes.add_patch(PathPatch(bend, fill=False, edgecolor=shade, linewidth=width, alpha=0.8, zorder=layer))


def _life(axes: Axes, individual: Individual, tree: Tree, scale: ScalarMappable, best: bool) -> None:
    """A survivor's line from its birth to the last generation that it is part of."""
    first, last, y = individual.generation, tree.last[individual.id], tree.lanes[individual.id]
    if last > first:
        shade = BEST if best else colour(individual, scale)
        axes.plot([first, last], [y, y], color=shade, linewidth=4 if best else 3, zorder=2)


def _mark(axes: Axes, individual: Individual, tree: Tree, scale: ScalarMappable, best: bool, named: bool) -> None:
    x, y = individual.generation, tree.lanes[individual.id]
    size = 15 if named else 5
    shade = BEST if best else colour(individual, scale)
    fill, edge = ("white", LOST) if individual.status == "failed" else (shade, "white")
    axes.plot(x, y, "o", color=fill, markeredgecolor=edge, markersize=size, zorder=3)
    if named:
        inside = MUTED if individual.status == "failed" else on(shade)
        axes.text(x, y, str(individual.id), color=inside, fontsize=7, ha="center", va="center_baseline", zorder=4)
        below: dict[str, Any] = {"xytext": (0, -15), "textcoords": "offset points", "ha": "center"}
        axes.annotate(outcome(individual), (x, y), fontsize=7, color=MUTED, **below)


def _dress(axes: Axes, history: History, rows: int) -> None:
    from_one(axes)
    axes.set(ylim=(rows - 0.3, -0.7), xlim=(-0.35, len(history.populations) - 0.65))
    axes.set_yticks([])
    axes.set_xticks(range(0, len(history.populations), -(-len(history.populations) // 20)))
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
