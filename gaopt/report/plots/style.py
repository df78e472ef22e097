"""The look that all figures share, and how a figure becomes an SVG.

Colours: fitness and generations run over maps that stay apart for colour-blind eyes and in grey; the best is
vermillion (Okabe and Ito, *Color Universal Design*, 2008) and nothing else is. All can be read on white and, as the
page turns them, on its dark (contrast 3, W3C).
"""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from io import StringIO
from typing import Any, Generic, ParamSpec

import matplotlib
import numpy as np
from matplotlib import colormaps, pyplot
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gaopt.errors import StudyError
from gaopt.journal.history import History, Individual
from gaopt.printable import printable_lines
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.page import Section

INK, MUTED, GRID = "#1f2933", "#6b7683", "#e3e7ec"
BEST, MEAN, LOST, SCORED = "#d55e00", "#0072b2", "#9aa4af", "#3b528b"
SHADES = (BEST, "#114c90", "#52a664", "#a76985", "#532d03", "#5898d8", INK, "#5a81fb")
"""For what is told apart by colour: near Okabe's and Ito's, so light and dark that no two become one for who sees no
red or no green."""
WIDTH = 10.0
"""Inches of every figure; the page shows it at about 100 pixels an inch."""
STEPS = 48
"""Colours of a bar: from 50 on matplotlib draws it as pixels, and the page lets no such image in."""

_LOOK: dict[Any, object] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a gene may be called "a$b"
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "text.color": INK,
    "axes.edgecolor": LOST,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",  # the page may be dark
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": LOST,
    "ytick.color": LOST,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}

What = ParamSpec("What")  # that is drawn: a history, or the numbers themselves
Mark = tuple[str, float, float, str]
"""Its kind, where it is, across and up, and its colour, where its kind has no own."""


class Plot(Generic[What]):
    """A figure with its title and caption: called, a section of a page; by `axes`, for whoever plots it.

    The section is named like the function that draws, and has the figure's label behind its caption. A figure of its
    own is drawn in this look, whatever the user's is.
    """

    def __init__(self, title: str, caption: str, draw: Callable[What, Figure | None]) -> None:
        self.title, self.caption, self.draw, self.name = title, caption, draw, draw.__name__

    def __call__(self, *what: What.args, **named: What.kwargs) -> Section | None:
        """None where there is nothing to draw."""
        with self._look():
            if not (drawn := self.draw(*what, **named)):
                return None
            said = f"{self.caption} {drawn.get_label()}".strip()
            return Section(self.title, said, svg=_svg(drawn, self.name, self.title), name=self.name)

    def axes(self, *what: What.args, **named: What.kwargs) -> list[Axes]:
        """Its panels, in axes that are given as `ax` or in a new figure of pyplot's, which a notebook displays.

        Raises:
            StudyError: there is nothing to draw.
        """
        ax = named.get("ax")
        with matplotlib.rc_context({"text.parse_math": False}) if ax else self._look():
            if not (drawn := self.draw(*what, **named)):
                raise StudyError(f"nothing to draw: there is too little for the plot {self.title!r}")
            if isinstance(ax, Axes):
                return [ax]
            drawn.draw_without_rendering()  # ticks are made by the first drawing, in the look of its time
        pyplot.figure(drawn)  # it may begin a notebook's backend, whose settings are to last
        return [axes for axes in drawn.axes if axes.axison and axes.get_label() != "<colorbar>"]

    @contextmanager
    def _look(self) -> Iterator[None]:
        with matplotlib.rc_context(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # text stays text: whoever shows it has the fonts
            matplotlib.rcdefaults()
            matplotlib.rcParams.update({**_LOOK, "svg.hashsalt": self.name})
            yield


def plot(title: str, caption: str) -> Callable[[Callable[What, Figure | None]], Plot[What]]:
    """Turn a function that draws a figure into a `Plot`."""
    return lambda draw: Plot(title, caption, draw)


def figure(height: float) -> Figure:
    """An empty figure of this height in inches."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def single(height: float, ax: Axes | None = None) -> tuple[Figure, Axes]:
    """The axes that are given, or those of an empty figure of this height; and their figure."""
    ax = figure(height).subplots() if ax is None else ax
    drawn = ax.get_figure(root=True)
    assert drawn
    return drawn, ax


def panels(count: int, height: float, columns: int = 3, more: float = 0.0, **shared: Any) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels of this height, in rows, and room for more; those left over are switched off."""
    columns = min(columns, count)
    rows = -(-count // columns)
    drawn = figure(height * rows + more)
    grid = list(drawn.subplots(rows, columns, squeeze=False, **shared).flat)
    for axes in grid[count:]:
        axes.set_axis_off()
    return drawn, grid


def marks(axes: Axes, found: Iterable[Mark], looks: Mapping[str, Mapping[str, Any]]) -> None:
    """All marks of a kind at once, in the order of the looks: an artist for each would take minutes of thousands."""
    everyone = list(found)
    for kind, look in looks.items():
        if points := [point for name, *point in everyone if name == kind]:
            x, y, colours = zip(*points, strict=True)
            axes.scatter(x, y, label=kind, **{"c": colours, "clip_on": False, "in_layout": False, **look})


def rows_of_words(axes: Axes, words: list[str], margin: float) -> None:
    """A row for each of these words, from the top down."""
    axes.set_yticks(range(len(words)), words)
    axes.set_ylim(len(words) - margin, margin - 1)
    axes.tick_params(axis="y", labelcolor=INK, length=0)
    axes.grid(visible=False, axis="y")


def _svg(figure: Figure, name: str, title: str) -> str:
    """The figure as one <svg> element: no date, no links, ids that no other figure has, a title for screen readers."""
    layout, out = figure.get_layout_engine(), StringIO()
    assert layout
    layout.execute(figure)
    figure.set_layout_engine("none")
    for axes in figure.axes:  # the last digits of the layout vary from run to run, and the ids are hashes of them
        axes.set_position(tuple(round(value, 5) for value in axes.get_position(original=True).bounds))
    # `savefig` would draw all of it once more, for a layout that there is already.
    FigureCanvasSVG(figure).print_svg(out, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = printable_lines(out.getvalue())  # XML has no place for control characters
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg[svg.index("<svg") :], count=1, flags=re.DOTALL)
    svg = svg.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "").replace("xlink:href=", "href=")
    svg = re.sub(r' (?:d|x|y)="[^"]*"', lambda found: _NEEDLESS.sub("", found[0]), svg)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{name}-", svg.replace("'DejaVu Sans'", _FONTS))
    head = f' role="img" aria-labelledby="{name}" {_STROKES}>\n <title id="{name}">{escape(title)}</title>'
    return svg.replace(">", head, 1)


_NEEDLESS = re.compile(r"(?<=\.\d\d)\d+|\s+(?=[A-Z])|(?<=[A-Z]) ")
"""In the numbers of a path: what is below a hundredth of a point, and spaces beside letters."""
_STROKES = 'style="stroke-linejoin: round; stroke-linecap: butt"'
_FONTS = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


def fitness_colours() -> Colormap:
    """From pale (low) to dark (high): the fit are what one sees first."""
    return ListedColormap(colormaps["viridis"](np.linspace(0.6, 0.0, STEPS)))


def generation_scale(count: int) -> tuple[ScalarMappable, list[str]]:
    """The key of the colours of generations, counted from 1, and the colour of each, from pale to dark."""
    colours = ListedColormap(colormaps["YlGnBu"](np.linspace(0.3, 0.95, STEPS)))
    scale = ScalarMappable(Normalize(1, max(count, 2)), colours)
    scale.set_array(np.arange(1, count + 1))
    return scale, [to_hex(shade) for shade in scale.to_rgba(np.arange(1, count + 1))]


def fitness_scale(individuals: Iterable[Individual]) -> ScalarMappable:
    """Colours for fitness. The lowest quarter share the palest one: the hopeless must not hide the others."""
    values = [i.fitness for i in individuals if i.status == "scored"] or [0.0]
    low, high = float(np.quantile(values, 0.25)), max(values)
    scale = ScalarMappable(Normalize(low if low < high else high - 1.0, high), fitness_colours())
    scale.set_array(np.array(values))
    return scale


def colour(individual: Individual, scale: ScalarMappable) -> str:
    """The colour of an individual by its fitness; grey if it has none."""
    if individual.status != "scored":
        return LOST
    return to_hex(scale.to_rgba(np.array([individual.fitness]))[0])


def colourbar(
    figure: Figure, scale: ScalarMappable, axes: Iterable[Axes], title: str = "fitness", extend: str = "min"
) -> None:
    """The key of the colours, where there is more than one value to tell apart."""
    if len(np.unique(np.asarray(scale.get_array()))) < 2:
        return
    bar = figure.colorbar(scale, ax=list(axes), extend=extend, fraction=0.025, pad=0.015, aspect=30)
    bar.outline.set_visible(False)
    bar.locator = MaxNLocator("auto", integer=title == "generation")
    if title == "loss":
        bar.formatter = FuncFormatter(lambda value, _: f"{-value:g}")
    assert bar.solids
    bar.solids.set_edgecolor("face")  # no seams
    bar.set_label(title)


def robust(values: Iterable[float]) -> tuple[float, float]:
    """(low, high) that hold all values but those that lie far off: more than twice the span of the middle 80 %."""
    array = np.array(list(values) or [0.0])
    low, high = (float(q) for q in np.quantile(array, (0.1, 0.9)))
    reach = 2 * (high - low)
    least, most = float(array.min()), float(array.max())
    return (max(least, low - reach), min(most, high + reach)) if reach else (least, most)


class Scores:
    """The vertical axis of scores, fitness or losses, and the place beyond it of what has none.

    `low` and `high` are those fitnesses that are not far off, `lost` is the place of what is, or failed.
    """

    def __init__(self, history: History) -> None:
        self.sign, self.name = history.sign, views.score_name(history)
        self.low, self.high = robust(i.fitness for i in history.scored)
        self._span = self.high - self.low or 0.1 * abs(self.high) or 0.1
        self.lost = self.sign * (self.low - 0.14 * self._span)

    def __call__(self, fitness: float) -> float:
        """The score of a fitness, no worse than the axis has room for."""
        return self.sign * max(fitness, self.low)

    def limit(self, axes: Axes, lost: bool) -> None:
        """From the worst to the best, with a row apart for what has no score where anything is `lost`."""
        limit(axes, *sorted((self.lost if lost else self.sign * self.low, self.sign * self.high)))
        if lost:
            row = self.sign * (self.low - 0.07 * self._span)
            axes.axhline(row, color=LOST, linewidth=0.8, linestyle=(0, (2, 3)))


def limit(axes: Axes, low: float, high: float) -> None:
    """Show low to high with a margin of 4 %."""
    margin = 0.04 * (high - low) or 0.05 * abs(high) or 0.05
    axes.set_ylim(low - margin, high + margin)


def whole(axes: Axes) -> None:
    """Only whole numbers on the horizontal axis."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def generations(axes: Axes, count: int, finalists: bool = False) -> None:
    """Generations on the horizontal axis, counted from 1; beside them a place for the finalists trained again."""
    step = -(-count // 12)
    numbers = range(0, count - finalists * (step - 1), step)
    axes.set_xticks([*numbers, *[count] * finalists], [*(str(n + 1) for n in numbers), *["finalists"] * finalists])
    axes.set(xlabel="generation", xlim=(-0.5, count - 0.5 + finalists))


def time_unit(span: float) -> tuple[str, float]:
    """In what so many seconds are best counted, and how many of them it is."""
    units = (("hours", 3600.0), ("minutes", 60.0))
    return next(((name, unit) for name, unit in units if span > 2 * unit), ("seconds", 1.0))


def log(axis: Axis) -> None:
    """The ticks of a log axis: 1e-6, 0.001."""
    axis.set_major_formatter(lambda value, _: words.number(value))
    axis.set_minor_formatter("")
