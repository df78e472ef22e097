"""A comparison as figures."""

from __future__ import annotations

from gaopt.report.plots.comparison.genes import importance, interactions, searched
from gaopt.report.plots.comparison.judged import judged
from gaopt.report.plots.comparison.methods import progress, seeds, winners

FIGURES = (progress, seeds, judged, winners, searched, importance, interactions)
"""Each a function to a section with an SVG that stands alone, or None where there is nothing to draw."""
