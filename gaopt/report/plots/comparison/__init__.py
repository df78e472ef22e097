"""A comparison as figures: each a function to an SVG that stands alone, or None where there is nothing to draw."""

from __future__ import annotations

from gaopt.report.plots.comparison.genes import importance, interactions, searched
from gaopt.report.plots.comparison.judged import judged
from gaopt.report.plots.comparison.methods import progress, seeds, winners

__all__ = ["importance", "interactions", "judged", "progress", "searched", "seeds", "winners"]
