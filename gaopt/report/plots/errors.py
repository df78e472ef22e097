"""Training and validation error by epoch of an experiment's variants, as in figure 6 of He et al. 2015."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from gaopt.journal.history import History
from gaopt.report import views
from gaopt.report.experiment import Compared, compared
from gaopt.report.plots.style import INK, SHADES, figure, fitness_colours, plot, whole


@plot("errors", "Training and validation error of every variant by epoch")
def errors(history: History) -> Figure | None:
    found = [one for one in compared(history) if any(run.reports for run in one.runs)]
    if not found:
        return None
    panels = list(dict.fromkeys(one.variant.panel for one in found))
    drawn = figure(4.2)
    for axes, panel in zip(drawn.subplots(1, len(panels), sharey=True, squeeze=False).flat, panels, strict=True):
        _panel(axes, panel, [one for one in found if one.variant.panel == panel])
    return drawn


def _panel(axes: Axes, panel: str, variants: list[Compared]) -> None:
    for one, shade in zip(variants, _shades(len(variants)), strict=True):
        for metric, line, width in (("train_top1", "--", 1.2), ("top1", "-", 2.2)):
            epochs, accuracies = views.mean_curve(one.runs, metric)
            axes.plot(epochs, [100 * (1 - each) for each in accuracies], line, color=shade, linewidth=width)
        axes.plot([], [], "-", color=shade, linewidth=2.2, label=one.variant.name)
    axes.plot([], [], "--", color=INK, linewidth=1.2, label="training")
    axes.plot([], [], "-", color=INK, linewidth=2.2, label="validation")
    whole(axes)
    axes.set_title(panel)
    axes.set(xlabel="epoch", ylabel="error %")
    axes.yaxis.set_tick_params(labelleft=True)
    if len(variants) > 3:  # beside the lines, which would cross it
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    else:
        axes.legend(loc="upper right")


def _shades(count: int) -> list[str]:
    """Colours that stay apart, or run from pale to dark where there are more variants."""
    known = SHADES[1:]
    if count <= len(known):
        return list(known[:count])
    return [to_hex(shade) for shade in fitness_colours()(np.linspace(0, 1, count))]
