"""A history as figures: the only door to matplotlib.

Each figure is a `Plot`: called, a section with an SVG that stands alone, or None where there is nothing to draw.
"""

from gaopt.journal.history import History
from gaopt.report import views
from gaopt.report.importance import of_search
from gaopt.report.page import Section
from gaopt.report.plots.curves import curves, cycle, errors
from gaopt.report.plots.fitness import fitness
from gaopt.report.plots.importance import importance
from gaopt.report.plots.lineage import lineage
from gaopt.report.plots.parallel import parallel
from gaopt.report.plots.progress import progress
from gaopt.report.plots.space import PAIRED, slices, space
from gaopt.report.plots.timeline import timeline


def genes(history: History) -> Section | None:
    """The genes against each other: in pairs, or where there are too many for that, all at once."""
    return (space if len(views.free(history)) <= PAIRED else parallel)(history)


def matters(history: History) -> Section | None:
    return importance(of_search(history))


SEARCH = (fitness, progress, curves, matters, slices, genes, lineage, timeline, cycle)
EXPERIMENT = (errors,)
"""An experiment has no search to show."""

__all__ = [
    *("EXPERIMENT", "SEARCH", "curves", "cycle", "errors", "fitness", "importance", "lineage", "parallel", "progress"),
    *("PAIRED", "slices", "space", "timeline"),
]
