"""How methods are told apart: by colour, marker and dashes, so that no two share all three."""

from __future__ import annotations

from gaopt.report.plots.style import BEST

SHADES = (BEST, "#0072b2", "#009e73", "#a8508a", "#b07a00", "#2f9fd8", "#1f2933", "#7a7f1d")
"""The first is the reference's. After Okabe and Ito, *Color Universal Design*, 2008; the pale ones darker, to be read
on white."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "pentagon")
"""The same for plotly."""
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))


def shade(number: int) -> str:
    """The colour of a method by its place."""
    return SHADES[number % len(SHADES)]


def marker(number: int) -> str:
    return MARKERS[number % len(MARKERS)]


def symbol(number: int) -> str:
    return SYMBOLS[number % len(SYMBOLS)]


def dashes(number: int) -> str | tuple[float, tuple[float, ...]]:
    return DASHES[number % len(DASHES)] if number else "-"


def short(name: str, most: int = 16) -> str:
    """A name that there is room for."""
    return name if len(name) <= most else name[: most - 1] + "…"
