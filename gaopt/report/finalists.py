"""The finalists that were trained again: what their trainings say of each, and of luck."""

from __future__ import annotations

from math import sqrt
from statistics import fmean, stdev, variance

from gaopt.journal.history import History, Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.table import Table

HEAD = ["rank", "id", "mean", "deviation", "trainings", "first score", "again"]


def table(history: History) -> Table:
    """One row a finalist, the best mean first: its trainings, each with a seed of its own."""
    means = history.means
    order = sorted(means, key=lambda finalist: (-means[finalist], finalist))
    rows = [_row(rank, history.repeated[id], history) for rank, id in enumerate(order, 1)]
    return Table(HEAD, rows, frozenset({6}), 0)


def _row(rank: int, trials: list[Individual], history: History) -> list[str]:
    first, scores = trials[0], [trial.fitness for trial in trials]
    begun = [i for i in history.individuals.values() if i.birth.origin == "repeat" and first.id in i.birth.parents]
    again = ", ".join(f"{words.score(i.fitness) if i.status == 'scored' else i.status} (i{i.id})" for i in begun)
    each = [words.score(value) for value in (fmean(scores), stdev(scores))]
    return [str(rank), f"i{first.id}", *each, str(len(trials)), words.score(first.fitness), again]


def measure(history: History, best: Individual) -> str:
    """The mean in words; by the name of the metric that it is, where it is one."""
    trials = history.repeated[best.id]
    scores = [trial.fitness for trial in trials]
    mean, spread = fmean(scores), stdev(scores)
    over = f"over {len(scores)} trainings, each with a seed of its own"
    if all(views.is_accuracy(trial) for trial in trials):
        return f"a mean validation top-1 accuracy of {100 * mean:.2f} ± {words.percent(spread)} {over}"
    return f"a mean fitness of {words.score(mean)} ± {words.score(spread)} {over}"


def remarks(history: History) -> list[str]:
    """How the best was chosen, and how much of a score is luck."""
    repeated = history.repeated.values()
    chosen = sum(i.birth.origin != "repeat" for i in history.scored)
    noise = sqrt(fmean(variance(trial.fitness for trial in trials) for trials in repeated))
    fall = fmean(trials[0].fitness - fmean(trial.fitness for trial in trials[1:]) for trials in repeated)
    way = "less" if fall > 0 else "more"
    return [
        f"The best was chosen among {words.plural(len(repeated), 'finalist')} by the mean of their trainings, and"
        f" these among {words.plural(chosen, 'individual')} by their first scores. A first score was chosen for being"
        " high and is part of the mean: that is still optimistic, but less so than a single score.",
        f"Trained again with other seeds, the finalists scored {words.score(abs(fall))} {way} than at first, on"
        f" average. Trainings of the same genes differ by a standard deviation of {words.score(noise)}: individuals"
        " that differ by no more than that may well be equal.",
    ]
