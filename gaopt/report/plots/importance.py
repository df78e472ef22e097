"""How much each gene matters, as bars."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.report import format as words
from gaopt.report.importance import Importance
from gaopt.report.plots import style


@style.plot(
    "How much each gene matters",
    "By how much an ensemble of trees foresees the order of unseen trainings worse once the values of one gene are"
    " shuffled among them; together 100 %. It tells of the trainings that there are: a gene that the search soon left"
    " at one value matters little here.",
)
def importance(found: Importance | None, ax: Axes | None = None) -> Figure | None:
    if not found:
        return None
    drawn, axes = style.single(0.34 * len(found.shares) + 0.9, ax)
    for row, share in enumerate(found.shares.values()):
        axes.barh(row, 100 * share, height=0.62, color=style.MEAN, linewidth=0)
        axes.text(100 * share + 1.2, row, f"{100 * share:.1f} %", va="center", fontsize=8.5, color=style.INK)
    axes.set(xlim=(0, 112), xlabel="share of the importance, %")
    style.rows_of_words(axes, [words.shortened(name) for name in found.shares], 0.4)
    if ax is None:
        drawn.set_label(f"The genes explain {100 * found.explained:.0f} % of the differences in rank.")
    return drawn
