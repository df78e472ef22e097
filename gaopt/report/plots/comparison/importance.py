"""How much each gene matters, as bars."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.report.plots.legend import shortened
from gaopt.report.plots.style import INK, MEAN, figure, plot


@plot("importance", "Importance of each gene")
def importance(found: Mapping[str, Mapping[str, float]]) -> Figure | None:
    """Args:
    found: by the question that is asked, the share of each gene, 0 … 1; the genes of the first in order.
    """
    if not any(found.values()):
        return None
    genes = list(dict.fromkeys(name for shares in found.values() for name in shares))
    drawn = figure(0.34 * len(genes) + 0.9)
    for axes, (question, shares) in zip(
        drawn.subplots(1, len(found), sharey=True, squeeze=False).flat, found.items(), strict=True
    ):
        _bars(axes, genes, shares)
        axes.set_title(question)
    axes = drawn.axes[0]
    axes.set_yticks(range(len(genes)), [shortened(name) for name in genes])
    axes.set_ylim(len(genes) - 0.4, -0.6)
    return drawn


def _bars(axes: Axes, genes: list[str], shares: Mapping[str, float]) -> None:
    for row, name in enumerate(genes):
        if name in shares:
            share = 100 * shares[name]
            axes.barh(row, share, height=0.62, color=MEAN, linewidth=0)
            axes.text(
                100 * shares[name] + 1.2, row, f"{100 * shares[name]:.1f} %", va="center", fontsize=8.5, color=INK
            )
        else:
            axes.text(1.2, row, "only some individuals have it", va="center", fontsize=8.5, color=INK)
    axes.set(xlim=(0, 112), xlabel="share of the importance, %")
    axes.tick_params(axis="y", labelcolor=INK, length=0)
    axes.grid(visible=False, axis="y")
