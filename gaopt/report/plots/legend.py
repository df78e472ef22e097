"""A legend as a table under the panels: every individual with its genes, from the fittest down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report.plots.style import BEST, INK, MUTED, WIDTH, colour
from gaopt.space.gene import AnyGene, Choice

ROW = 0.185
"""Inches of one line of text."""
MOST = 90
"""Individuals listed; the table of individuals has all."""
_CHARACTER, _SWATCH, _ID, _FITNESS = 0.07, 0.3, 0.36, 0.6
_LONGEST = 16


@dataclass(frozen=True)
class Legend:
    """Where the entries of `count` individuals with genes of these widths go; inches from the top left."""

    columns: Mapping[str, float]
    count: int

    @property
    def shown(self) -> tuple[str, ...]:
        """The genes there is room for."""
        room = WIDTH - _SWATCH - _ID - _FITNESS - 0.4
        ends = accumulate(self.columns.values())
        return tuple(name for name, end in zip(self.columns, ends, strict=True) if end <= room)

    @property
    def entry(self) -> float:
        return _SWATCH + _ID + sum(self.columns[name] for name in self.shown) + _FITNESS + 0.16

    @property
    def rows(self) -> int:
        columns = max(1, int(WIDTH / self.entry))
        return -(-min(self.count, MOST) // columns)

    @property
    def height(self) -> float:
        return ROW * (self.rows + 1.6 + (self.count > MOST))

    def draw(
        self, figure: Figure, individuals: Sequence[Individual], best: Individual | None, scale: ScalarMappable
    ) -> None:
        """Fill the bottom of a figure, as tall as `height`, with the legend."""
        share = self.height / figure.get_figheight()
        axes = figure.add_axes((0, 0, 1, share), xlim=(0, WIDTH), ylim=(self.height, 0))
        axes.set_axis_off()
        for index, individual in enumerate(individuals[:MOST]):
            column, row = divmod(index, self.rows)
            left, y = 0.15 + column * self.entry, (row + 1.6) * ROW
            if row == 0:
                self._write(axes, left, 0.5 * ROW, ["", *map(shortened, self.shown), "fitness"], MUTED, False)
            _swatch(axes, left, y, individual, individual is best, scale)
            genes = [shortened(words.value(individual.genes.get(name))) for name in self.shown]
            ends = outcome(individual)
            self._write(axes, left, y, [f"i{individual.id}", *genes, ends], INK, individual is best)
        if self.count > MOST:
            said = f"and {self.count - MOST} more, listed in individuals.csv"
            axes.text(0.15, (self.rows + 1.6) * ROW, said, fontsize=8, color=MUTED, va="center")

    def _write(self, axes: Axes, left: float, y: float, cells: Iterable[str], colour: str, bold: bool) -> None:
        """One line of cells, each flush right."""
        ends = list(accumulate((self.columns[name] for name in self.shown), initial=_SWATCH + _ID))
        weight = "bold" if bold else "normal"
        for x, text in zip([*ends, ends[-1] + _FITNESS], cells, strict=True):
            axes.text(left + x, y, text, fontsize=8, color=colour, ha="right", va="center", weight=weight)


def _swatch(axes: Axes, left: float, y: float, individual: Individual, best: bool, scale: ScalarMappable) -> None:
    shade = BEST if best else colour(individual, scale)
    axes.plot([left, left + 0.28], [y, y], dashes(individual), color=shade, linewidth=3 if best else 2)


def dashes(individual: Individual) -> str:
    """Solid if scored, broken if failed, dots and dashes if left on a rung, dotted while unfinished."""
    return {"scored": "-", "failed": "--", "early": "-."}.get(individual.status, ":")


def outcome(individual: Individual) -> str:
    """In a word: the fitness, "at 20 %" for one left on a rung, or what else it is."""
    if individual.status == "early":
        return f"at {words.portion(individual.share)}"
    return words.score(individual.fitness) if individual.status == "scored" else individual.status


def widths(genes: Mapping[str, AnyGene]) -> dict[str, float]:
    """How wide the column of each gene is, in inches; none for a gene that is held fixed."""
    return {name: _CHARACTER * _longest(name, gene) + 0.1 for name, gene in genes.items() if gene.levels != 1}


def _longest(name: str, gene: AnyGene) -> int:
    said = [words.value(value) for value in gene.choices] if isinstance(gene, Choice) else []
    return min(max(7, *map(len, (name, *said))), _LONGEST)


def shortened(name: str) -> str:
    """What there is room for."""
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
