"""A history as figures: the only door to matplotlib.

Each figure is a function to a section with an SVG that stands alone, or None where there is nothing to draw.
"""

from gaopt.report.plots.curves import curves, cycle, errors
from gaopt.report.plots.fitness import fitness
from gaopt.report.plots.lineage import lineage
from gaopt.report.plots.space import space

SEARCH = (fitness, curves, space, lineage, cycle)
EXPERIMENT = (errors,)
"""An experiment has no search to show."""

__all__ = ["EXPERIMENT", "SEARCH", "curves", "cycle", "errors", "fitness", "lineage", "space"]
