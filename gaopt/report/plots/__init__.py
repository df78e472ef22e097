"""A history as figures: the only door to matplotlib.

Each figure is a function from a history to an SVG that stands alone, or None where the history has nothing to draw.
"""

from __future__ import annotations

from gaopt.report.plots.curves import curves, cycle
from gaopt.report.plots.errors import errors
from gaopt.report.plots.fitness import fitness
from gaopt.report.plots.lineage import lineage
from gaopt.report.plots.space import space

__all__ = ["curves", "cycle", "errors", "fitness", "lineage", "space"]
