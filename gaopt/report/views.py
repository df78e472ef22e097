"""What tables, figures and the page all read off a history."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev, variance

from gaopt.config import from_tables
from gaopt.journal.history import History, Individual
from gaopt.report import format as words
from gaopt.space.gene import AnyGene

TITLES = {
    "top1": "top-1 accuracy",
    "top3": "top-3 accuracy",
    "top5": "top-5 accuracy",
    "balanced": "balanced accuracy",
    "macro_f1": "macro F1",
    "auc": "AUC",
    "neg_log_loss": "negative log loss",
}
"""What the image objective measures of a split, in words."""
METRICS = ("train_loss", "valid_loss", "train_top1", *TITLES)
COSTS = ("seconds", "images_per_second")


def space(history: History) -> Mapping[str, AnyGene]:
    """The genes by name, in the order of the space; none before the study was first opened."""
    return from_tables(history.config).space if history.config else {}


def free(history: History) -> dict[str, AnyGene]:
    """The genes that are not held fixed."""
    return {name: gene for name, gene in space(history).items() if gene.levels != 1}


def ranked(history: History) -> list[Individual]:
    """All individuals of the search: the scored, the fittest first, the unfinished, those on a rung, and the failed.

    Finalists that were trained again come first, by their means; their repeats are no individuals of the search.
    """
    order = {"scored": 0, "running": 1, "waiting": 1, "early": 2, "failed": 3}
    means = history.means

    def key(individual: Individual) -> tuple[int, bool, float, float, int]:
        again, value = individual.id in means, means.get(individual.id, score(individual))
        return order[individual.status], not again, -individual.share, -value, individual.id

    return sorted(history.searched, key=key)


def score(individual: Individual) -> float:
    """The fitness; of one on a rung, what it had there."""
    return individual.early[individual.share].fitness if individual.status == "early" else individual.fitness


def score_name(history: History) -> str:
    """What the objective gives."""
    return "fitness" if history.sign > 0 else "loss"


def outcome(individual: Individual, sign: int = 1) -> str:
    """In a word: its score, "at 20 %" for one left on a rung, or its status."""
    if individual.status == "early":
        return f"at {words.portion(individual.share)}"
    return words.score(sign * individual.fitness) if individual.status == "scored" else individual.status


def trainings(individuals: Iterable[Individual]) -> int:
    """How many have ended, short ones on rungs included."""
    return sum(len(individual.early) + individual.done for individual in individuals)


@dataclass(frozen=True)
class Step:
    """The state of a search after one training.

    Attributes:
        individual: that was trained.
        at: seconds at which it ended, of those in which drivers were at work.
        epochs, seconds: trained in all until then, short trainings and failures included.
        fitness: of this training; None if it failed, was a short one on a rung, or that of a finalist trained again.
        best: the best fitness so far, −∞ before the first.
    """

    individual: Individual
    at: float
    epochs: int
    seconds: float
    fitness: float | None
    best: float


def steps(history: History) -> list[Step]:
    """In the order in which the trainings ended."""
    found: list[Step] = []
    epochs, seconds, best = 0, 0.0, -math.inf
    for _, outcome in history.ends:
        individual = history.individuals[outcome.individual]
        last = outcome is individual.outcome
        epochs += outcome.epochs or (individual.epoch if last else 0)
        seconds += outcome.seconds
        whole = last and individual.status == "scored" and individual.birth.origin != "repeat"
        best = max(best, individual.fitness if whole else -math.inf)
        at = worked(history, outcome.at)
        found.append(Step(individual, at, epochs, seconds, individual.fitness if whole else None, best))
    return found


def worked(history: History, at: float) -> float:
    """Seconds in which drivers were at work until a moment that lies in no pause."""
    return at - history.created - sum(end - begin for begin, end in history.pauses if end <= at)


def mean(trials: Sequence[Individual], sign: int = 1) -> tuple[float, float]:
    """The mean score of several trainings of the same genes, and their standard deviation."""
    scores = [sign * trial.fitness for trial in trials]
    return fmean(scores), stdev(scores)


def noise(history: History) -> float:
    """The standard deviation of trainings of the same genes, over all finalists that were trained again."""
    return math.sqrt(fmean(variance(i.fitness for i in trials) for trials in history.repeated.values()))


def curve(individual: Individual, metric: str) -> tuple[list[int], list[float]]:
    """(epochs counted from 1, values) of one metric, where it was reported."""
    told = {epoch: report.metrics for epoch, report in sorted(individual.reports.items()) if metric in report.metrics}
    return list(told), [metrics[metric] for metrics in told.values()]


def mean_curve(individuals: Iterable[Individual], metric: str) -> tuple[list[int], list[float]]:
    """The mean curve of the individuals that reported the metric, at the epochs that all of these reported."""
    curves = [dict(zip(*found, strict=True)) for i in individuals if (found := curve(i, metric))[0]]
    epochs = sorted(set.intersection(*map(set, curves))) if curves else []
    return epochs, [fmean(each[epoch] for each in curves) for epoch in epochs]


def cycle(individual: Individual) -> list[tuple[float, float, float]]:
    """All points (position in the training from 0 to 1, lr, momentum) of an individual, in order."""
    return [point for epoch in sorted(individual.reports) for point in individual.reports[epoch].cycle]


def final(individual: Individual) -> dict[str, float]:
    """The metrics that go with a score: those of the last epoch and of the score itself. Empty without a score."""
    if individual.status != "scored" or individual.outcome is None:
        return {}
    last = individual.reports[individual.epoch].metrics if individual.reports else {}
    return {**last, **getattr(individual.outcome, "metrics", {})}


def title(metric: str) -> str:
    """What a metric is called in words; one that is not known by its name."""
    return TITLES.get(metric, metric)


def said(metric: str, value: float) -> str:
    """A value of a metric in words; accuracies in percent."""
    return words.percent(value) if "accuracy" in title(metric) else words.score(value)


def is_accuracy(individual: Individual) -> bool:
    """Whether its fitness is its top-1 accuracy on the validation images."""
    return individual.status == "scored" and final(individual).get("top1") == individual.fitness


def in_order(metrics: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Names of metrics without repeats: the usual ones first and in their order, others by name."""
    found, first = set(metrics) - set(taken), (*METRICS, *COSTS)
    return [name for name in first if name in found] + sorted(found - set(first))
