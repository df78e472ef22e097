"""A comparison as figures: each a function to an SVG that stands alone, or None where there is nothing to draw."""

from __future__ import annotations

from gaopt.report.plots.comparison.importance import importance
from gaopt.report.plots.comparison.interactions import interactions
from gaopt.report.plots.comparison.judged import judged
from gaopt.report.plots.comparison.progress import progress, seeds
from gaopt.report.plots.comparison.searched import searched
from gaopt.report.plots.comparison.winners import winners

__all__ = ["importance", "interactions", "judged", "progress", "searched", "seeds", "winners"]
