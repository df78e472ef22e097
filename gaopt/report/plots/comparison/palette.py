"""How methods are told apart: by colour, marker and dashes, so that no two share all three."""

from __future__ import annotations

from gaopt.report.plots.style import SHADES

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "pentagon")
"""The same for plotly."""
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))


def shade(number: int) -> str:
    """The colour of a method by its place; the first is the reference's."""
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
