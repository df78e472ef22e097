"""How two genes act together: the score that a forest of trees expects over both of them, as contours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from gaopt.report.plots.legend import shortened
from gaopt.report.plots.space import scale
from gaopt.report.plots.style import INK, colourbar, figure, fitness_colours, plot
from gaopt.space.gene import AnyGene

if TYPE_CHECKING:
    from gaopt.report.comparison.surfaces import Surface
    from gaopt.report.comparison.units import Unit


DOTS = 250
"""Trainings that are drawn, at most."""


@plot("interactions", "Expected score over pairs of genes")
def interactions(surfaces: Sequence[Surface], genes: Mapping[str, AnyGene], unit: Unit) -> Figure | None:
    if not surfaces:
        return None
    columns = min(3, len(surfaces))
    rows = -(-len(surfaces) // columns)
    drawn = figure(2.9 * rows + 0.2)
    grid = list(drawn.subplots(rows, columns, squeeze=False).flat)
    for axes in grid[len(surfaces) :]:
        axes.set_axis_off()
    values = np.concatenate([np.ravel(surface.expected) for surface in surfaces]) * unit.factor
    norm = Normalize(float(np.quantile(values, 0.1)), float(values.max()))
    for axes, surface in zip(grid, surfaces, strict=False):
        shades = _panel(axes, surface, genes, norm, unit.factor)
    colourbar(drawn, shades, grid, "%" if unit.accuracy else "score")
    return drawn


def _panel(
    axes: Axes, surface: Surface, genes: Mapping[str, AnyGene], norm: Normalize, factor: float
) -> ScalarMappable:
    """Patches, for a forest knows steps and no slopes."""
    shown = np.asarray(surface.expected) * factor
    look: dict[str, Any] = {
        "cmap": fitness_colours(),
        "norm": norm,
        "shading": "nearest",
        "edgecolors": "face",
        "linewidth": 0.4,
    }
    cells = axes.pcolormesh(surface.across, surface.up, shown, **look)
    step = -(-len(surface.tried[0]) // DOTS)
    across, up = (values[::step] for values in surface.tried)
    axes.plot(across, up, "o", color="white", markersize=2.4, alpha=0.7, markeredgecolor=INK, markeredgewidth=0.4)
    scale(axes, "x", shortened(surface.genes[0]), genes[surface.genes[0]])
    scale(axes, "y", shortened(surface.genes[1]), genes[surface.genes[1]])
    axes.grid(visible=False)
    return cells
