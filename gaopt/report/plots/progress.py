"""The best so far, by training and by time."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaopt.journal.history import History
from gaopt.report import views
from gaopt.report.plots import style


@style.plot(
    "Best so far",
    "The best score after each training, short ones and failures counted, and by the time at work; a dot where a"
    " training was the best until then, some of the first perhaps off the axis. A line that has long been flat says"
    " that more of the same will gain little.",
)
def progress(history: History) -> Figure | None:
    steps = views.steps(history)
    begun = [(n, step) for n, step in enumerate(steps, 1) if step.best > float("-inf")]
    if len(begun) < 2:
        return None
    drawn, (left, right) = style.panels(2, 3.0, sharey=True)
    unit, seconds = style.time_unit(steps[-1].at)
    best = [history.sign * step.best for _, step in begun]
    _line(left, [float(n) for n, _ in begun], best)
    style.whole(left)
    left.set(xlabel="trainings", ylabel=f"best {views.score_name(history)} so far", xlim=(0, None))
    _line(right, [step.at / seconds for _, step in begun], best)
    right.set(xlabel=f"{unit} at work", xlim=(0, None))
    style.limit(left, *style.robust(best))
    return drawn


def _line(axes: Axes, across: list[float], best: list[float]) -> None:
    axes.step(across, best, where="post", color=style.MEAN, linewidth=2)
    better = [n for n, value in enumerate(best) if not n or value != best[n - 1]]
    axes.plot([across[n] for n in better], [best[n] for n in better], "o", color=style.MEAN, markersize=4.5)
    axes.plot(across[better[-1]], best[-1], "*", color=style.BEST, markersize=14, markeredgecolor="white")
