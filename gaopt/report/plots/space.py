"""The space of the genes: where the population went in it, and how fit it was there."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.journal.history import History, Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.plots import style
from gaopt.report.plots.curves import thinned
from gaopt.space.gene import AnyGene, Choice

_LOOKS: dict[str, dict[str, Any]] = {
    "failed": {"marker": "x", "c": style.MUTED, "s": 30, "linewidths": 1.2},
    "early": {"s": 12, "edgecolors": style.INK, "linewidths": 0.4},
    "far": {"marker": "P", "s": 42, "edgecolors": style.INK, "linewidths": 0.4},
    "whole": {"s": 42, "edgecolors": style.INK, "linewidths": 0.4},
    "best": {"marker": "*", "s": 225, "c": style.BEST, "edgecolors": "white", "zorder": 5},
}
PAIRED = 5
"""Genes of which every pair has a panel; of more there would be too many."""
MARKS = 2000
"""Drawn in a figure at most, about 140 bytes each: of many individuals the fittest, and evenly from the others."""
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
def space(history: History, names: Sequence[str] = ()) -> Figure | None:
    """Every pair of the genes named, or of all where these are few, that some individual has both of."""
    genes, everyone = views.free(history), history.searched
    pairs = combinations(names or (genes if len(genes) <= PAIRED else ()), 2)
    met = [(x, y) for x, y in pairs if any(x in i.genes and y in i.genes for i in everyone)]
    if len(everyone) < 2 or not met:
        return None
    drawn, grid = style.panels(len(met), 3.2)
    key, shades = style.generation_scale(len(history.populations))
    shown = _shown(drawn, history, len(met))
    for axes, (x, y) in zip(grid, met, strict=False):
        having = [i for i in shown if x in i.genes and y in i.genes]
        at = [
            (place(genes[x], i.genes[x], i.id * BESIDE[0]), place(genes[y], i.genes[y], i.id * BESIDE[1]))
            for i in having
        ]
        found = [(i, i.status, *each) for i, each in zip(having, at, strict=True)]
        _panel(axes, history.best, found, shades, f"of {len(shown)} individuals have both")
        scale(axes, "x", x, genes[x])
        scale(axes, "y", y, genes[y])
    style.colourbar(drawn, key, grid, "generation", extend="neither")
    return drawn


@style.plot(
    "Fitness against each gene",
    "Each mark is an individual, coloured by the generation of its birth; the star is the best. Beyond the line,"
    " crosses failed, small dots were left early, and plus signs lie far off the axis. A gene that matters shows a"
    " slope or a peak, one that does not a cloud.",
)
def slices(history: History) -> Figure | None:
    genes = views.free(history)
    if not history.scored or len(history.individuals) < 2 or not genes:
        return None
    drawn, grid = style.panels(len(genes), 2.7, sharey=True)
    key, shades = style.generation_scale(len(history.populations))
    scores = style.Scores(history)
    shown = _shown(drawn, history, len(genes))
    for axes, (name, gene) in zip(grid, genes.items(), strict=False):
        having = [i for i in shown if name in i.genes]
        across = [place(gene, i.genes[name], i.id * BESIDE[0]) for i in having]
        kinds = ["far" if i.status == "scored" and i.fitness < scores.low else i.status for i in having]
        up = [scores(i.fitness) if i.fitness >= scores.low else scores.lost for i in having]
        found = list(zip(having, kinds, across, up, strict=True))
        _panel(axes, history.best, found, shades, f"of {len(shown)} individuals have it")
        scale(axes, "x", name, gene)
        scores.limit(axes, any(i.fitness < scores.low for i in shown))
    drawn.supylabel(scores.name, fontsize=9, color=style.MUTED)
    style.colourbar(drawn, key, grid, "generation", extend="neither")
    return drawn


def _shown(drawn: Figure, history: History, panels: int) -> list[Individual]:
    """Whose marks are drawn, by id; the figure says where these are not all."""
    shown, said = thinned(views.ranked(history), MARKS // panels)
    drawn.set_label(said)
    return sorted(shown, key=lambda i: i.id)


def _panel(
    axes: Axes,
    best: Individual | None,
    found: Sequence[tuple[Individual, str, float, float]],
    shades: list[str],
    having: str,
) -> None:
    """Individuals, each with its kind and place, and how many these are: "3 of 7 individuals have it"."""
    looks = [("best" if i is best else kind if kind in _LOOKS else "whole", x, y) for i, kind, x, y in found]
    shown = [shades[i.generation] for i, *_ in found]
    style.marks(axes, [(*look, shade) for look, shade in zip(looks, shown, strict=True)], _LOOKS)
    if not having.startswith(f"of {len(found)} "):
        axes.set_title(f"{len(found)} {having}", fontsize=8, color=style.MUTED, fontweight="normal", loc="right", pad=3)


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
