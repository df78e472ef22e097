"""Which individual was trained when: a bar for each training, in as many lanes as ran at once."""

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure

from gaopt.journal.history import History, Individual
from gaopt.report import views
from gaopt.report.plots import style

DIGIT = 0.0075
"""Of the width of the axes: bars that have so much for each digit of their individual's number are told by it."""

NUMBERED = 30
"""Lanes that are tall enough for numbers."""


class Bar(NamedTuple):
    """A training from one second at work to another, and what became of it."""

    begin: float
    end: float
    individual: Individual
    kind: str  # "scored", "early", "running" or "failed", which is also one that was begun again


@style.plot(
    "Workers over time",
    "A bar for each training, coloured by the generation of its individual and with its number where there is room, in"
    " as many lanes as ran at once; the best is orange, pale ones were short trainings on a rung, hollow ones go on,"
    " crosses failed or were begun again. What is empty was idle. Pauses between sittings are cut out, at the dotted"
    " lines.",
)
def timeline(history: History, ax: Axes | None = None) -> Figure | None:
    found = sorted(_bars(history), key=lambda bar: (bar.begin, bar.end))
    if not found or not found[-1].end:
        return None
    lanes = pack(found)
    rows, end = max(lanes) + 1, max(bar.end for bar in found)
    drawn, axes = style.single(min(max(0.3 * rows, 0.6), 8.0) + 1.0, ax)
    unit, seconds = style.time_unit(end)
    _draw(axes, history, found, lanes, seconds)
    for begin, _ in history.pauses:
        axes.axvline(views.worked(history, begin) / seconds, color=style.INK, linewidth=1, linestyle=(0, (1, 2)))
    step = -(-rows // 16)
    style.rows_of_words(axes, [f"worker {n + 1}" if n % step == 0 else "" for n in range(rows)], 0.5)
    axes.set(xlabel=f"{unit} at work", xlim=(0, end / seconds or 1))
    style.colourbar(drawn, style.generation_scale(len(history.populations))[0], [axes], "generation", extend="neither")
    return drawn


def _bars(history: History) -> list[Bar]:
    def bar(individual: Individual, end: float, seconds: float, kind: str) -> Bar:
        end = views.worked(history, end)
        return Bar(max(end - seconds, 0.0), end, individual, kind)

    known = history.individuals
    ended = [(known[outcome.individual], outcome) for _, outcome in history.ends]
    return [
        *(
            bar(i, o.at, o.seconds, "failed" if o is i.failure else "scored" if o is i.outcome else "early")
            for i, o in ended
        ),
        *(bar(i, again.at, again.seconds, "failed") for i in known.values() for again in i.retried),
        *(bar(i, history.updated, history.updated - i.started, "running") for i in history.running),
    ]


def pack(bars: list[Bar]) -> list[int]:
    """The lane of each, by their begin: the first one that is free."""
    lanes: list[int] = []
    busy: list[tuple[float, int]] = []
    free: list[int] = []
    for bar in bars:
        while busy and busy[0][0] <= bar.begin + 1e-3:
            heappush(free, heappop(busy)[1])
        lanes.append(heappop(free) if free else len(busy))
        heappush(busy, (bar.end, lanes[-1]))
    return lanes


def _draw(axes: Axes, history: History, bars: list[Bar], lanes: list[int], unit: float) -> None:
    best, whole = history.best, max(bar.end for bar in bars)
    generations = style.generation_scale(len(history.populations))[1]
    shades = [style.BEST if bar.individual is best else generations[bar.individual.generation] for bar in bars]

    def thin(bar: Bar, digits: float = 0.5) -> bool:
        return bar.end - bar.begin < DIGIT * digits * whole

    corners, alpha = np.array([(0, -0.38), (1, -0.38), (1, 0.38), (0, 0.38)]), {"early": 0.4, "running": 0.0}
    boxes = PolyCollection(
        [corners * ((b.end - b.begin) / unit, 1) + (b.begin / unit, y) for b, y in zip(bars, lanes, strict=True)],
        facecolors=[to_rgba(shade, alpha.get(b.kind, 1.0)) for b, shade in zip(bars, shades, strict=True)],
        edgecolors=[s if b.kind == "running" or thin(b) else style.INK for b, s in zip(bars, shades, strict=True)],
        linewidths=0.4,
    )
    axes.add_collection(boxes)
    lost = [(bar.end / unit, lane) for bar, lane in zip(bars, lanes, strict=True) if bar.kind == "failed"]
    axes.plot([x for x, _ in lost], [y for _, y in lost], "x", color=style.INK, markersize=5, clip_on=False)
    for bar, lane, shade in zip(bars, lanes, shades, strict=True):
        name = str(bar.individual.id)
        if max(lanes) < NUMBERED and not thin(bar, len(name) + 1):
            ink = "white" if bar.kind in ("scored", "failed") and _dark(shade) else style.INK
            at = (bar.begin + bar.end) / 2 / unit, lane
            axes.text(*at, name, color=ink, fontsize=7, ha="center", va="center_baseline")


def _dark(shade: str) -> bool:
    """Whether white can be read on it better than ink."""
    return float(np.dot(to_rgb(shade), (0.299, 0.587, 0.114))) < 0.55
