"""Who descends from whom: generations from left to right, one lane for each place in the population."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path

from gaopt.journal.history import History, Individual
from gaopt.report import views
from gaopt.report.plots.style import BEST, LOST, MUTED, colour, colourbar, fitness_scale, generations, plot, single

_BEND = [Path.MOVETO, *[Path.CURVE4] * 3]
LABELLED = 400
"""With more places than this (generations × individuals) the marks have no room for words."""


@plot(
    "Who descends from whom",
    "Read from left to right: a disc is an individual where it was born, a thick line a survivor, a thin curve"
    " leads from a parent to its offspring, and the descent of the best is orange.",
)
def lineage(history: History, ax: Axes | None = None) -> Figure | None:
    count = len(history.populations)
    if count < 2:
        return None
    lanes, everyone, best = lay_out(history), history.searched, history.best
    last = {id: generation for generation, ids in enumerate(history.populations) for id in ids}
    rows = max(lanes.values()) + 1
    named = rows * count <= LABELLED
    drawn, axes = single(min((0.42 if named else 0.2) * rows, 20.0) + 0.9, ax)
    scale = fitness_scale(everyone)
    shades = {i.id: BEST if i is best else colour(i, scale) for i in everyone}
    _edges(axes, history, lanes, last)
    lasting = [i for i in everyone if last[i.id] > i.generation]
    ends = [i.generation for i in lasting], [last[i.id] for i in lasting]
    axes.hlines([lanes[i.id] for i in lasting], *ends, colors=[shades[i.id] for i in lasting], linewidth=3)
    _discs(axes, everyone, lanes, shades, named, history.sign)
    generations(axes, count)
    axes.set(ylim=(rows - 0.3, -0.7), xlim=(-0.35, count - 0.65), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    colourbar(drawn, scale, [axes], views.score_name(history))
    return drawn


def lay_out(history: History) -> dict[int, int]:
    """The lane of each: survivors stay in theirs, a birth takes its first parent's if it is free, else the nearest."""
    lanes: dict[int, int] = {}
    for generation, ids in enumerate(history.populations):
        taken = {lanes[id] for id in ids if id in lanes}
        for individual in history.members(generation):
            if individual.id not in lanes:
                wish = lanes.get(next(iter(individual.birth.parents), -1), 0)
                free = {wish, *range(len(taken) + 1)} - taken
                lanes[individual.id] = min(free, key=lambda lane: (abs(lane - wish), lane))
                taken.add(lanes[individual.id])
    return lanes


def _descent(history: History) -> set[int]:
    """The best, its parents, their parents, …"""
    line: set[int] = set()
    ahead = [history.best.id] if history.best else []
    while ahead:
        if (id := ahead.pop()) not in line:
            line.add(id)
            ahead += history.individuals[id].birth.parents
    return line


def _edges(axes: Axes, history: History, lanes: dict[int, int], last: dict[int, int]) -> None:
    """A curve to each individual from each parent, in the last generation before that it was part of."""
    line, bends = _descent(history), []
    for individual in sorted(history.searched, key=lambda i: i.id in line):  # the descent of the best on top
        x, y = individual.generation, lanes[individual.id]
        look = (BEST, 1.6) if individual.id in line else (LOST, 0.9)
        for parent in individual.birth.parents:
            x0, y0 = max(history.individuals[parent].generation, min(x - 1, last[parent])), lanes[parent]
            bends.append((Path([(x0, y0), (x0 + 0.5, y0), (x - 0.5, y), (x, y)], _BEND), *look))
    if bends:
        paths, shades, widths = zip(*bends, strict=True)
        axes.add_collection(
            PathCollection(paths, facecolors="none", edgecolors=shades, linewidths=widths, alpha=0.8, zorder=1)
        )


def _discs(
    axes: Axes, everyone: list[Individual], lanes: dict[int, int], shades: dict[int, str], named: bool, sign: int
) -> None:
    """A disc where each was born, hollow without a fitness."""
    across, down = [i.generation for i in everyone], [lanes[i.id] for i in everyone]
    full, hollow = ("white", "white"), (LOST, MUTED)
    edges, inside = zip(*(full if i.status == "scored" else hollow for i in everyone), strict=True)
    fills = [shades[i.id] if i.status == "scored" else "white" for i in everyone]
    axes.scatter(across, down, s=225 if named else 25, c=fills, edgecolors=edges, linewidths=1, zorder=3)
    below: dict[str, Any] = {"xytext": (0, -15), "textcoords": "offset points", "ha": "center"}
    for individual, x, y, ink in zip(everyone, across, down, inside, strict=True) if named else []:
        axes.text(x, y, str(individual.id), color=ink, fontsize=7, ha="center", va="center_baseline", zorder=4)
        axes.annotate(views.outcome(individual, sign), (x, y), fontsize=7, color=MUTED, **below)
