"""A study as other tools know one: trials, each with parameters, a state, a value and what it was on the way there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from gaopt.config import from_tables
from gaopt.errors import StudyError
from gaopt.journal.events import Reported, Scored
from gaopt.journal.history import History, Individual
from gaopt.journal.paths import StudyDir
from gaopt.space.gene import AnyGene
from gaopt.study.progress import current, state

State = Literal["COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING"]  # in the words of Optuna
STATES: dict[str, State] = {"scored": "COMPLETE", "early": "PRUNED", "failed": "FAIL", "running": "RUNNING"}


@dataclass(frozen=True)
class Trial:
    """An individual.

    Once finalists were trained again, neither their repeats are a `candidate` for the best nor others whose one score
    is above the best mean.
    """

    individual: Individual
    state: State
    value: float | None  # its fitness or loss; the mean of a finalist's trainings; on a rung its score there
    score: str  # what the value is called: "fitness", or "value" where it is a loss
    candidate: bool
    curve: dict[int, float]  # by epoch, the metric that a fitness is the last value of; empty where there is none such
    metrics: dict[str, float]  # at its end, and on the test split if it was measured there
    started: float | None  # the last time, in seconds since 1970
    ended: float | None
    parent: int | None  # of a finalist's repeat the finalist
    about: dict[str, Any]  # what else is known of it: numbers, words, and lists of numbers

    @property
    def known(self) -> dict[str, Any]:
        """All that is known of it, under one name each."""
        return {**self.about, **self.metrics, **self.about}

    @property
    def late(self) -> dict[str, float]:
        """Of the metrics at its end those that no epoch reported."""
        reported = {name for report in self.individual.reports.values() for name in report.metrics}
        return {name: value for name, value in self.metrics.items() if name not in reported}


@dataclass(frozen=True)
class Trials:
    """A study: its trials, the number of the best (None where only rungs have scores), what decided it (`about`)."""

    name: str
    space: dict[str, AnyGene]
    trials: list[Trial]
    best: int | None
    created: float
    state: str
    about: dict[str, Any]
    history: History
    home: StudyDir | None = None

    @property
    def score(self) -> str:
        return value_name(self.history)

    @property
    def metrics(self) -> list[str]:
        """The names of all metrics, as they come."""
        told: list[Any] = [each for trial in self.trials for each in (*trial.individual.reports.values(), trial)]
        return list(dict.fromkeys(name for each in told for name in each.metrics))


def read(home: StudyDir) -> Trials:
    """A study from its folder."""
    return replace(study(home.name, *current(home)), home=home)


def study(name: str, history: History, held: bool = False) -> Trials:
    """A study from its history, which a driver may hold now; a StudyError where nothing in it has a score."""
    if not (history.scored or history.early):
        raise StudyError(f"the study {name!r} has no score yet: there is nothing to export")
    if not held:
        history.put_down()
    config, now = from_tables(history.config), state(history, held)
    about: dict[str, Any] = {"gaopt": history.opened.version} if history.opened else {}
    about |= {"objective": config.objective, "strategy": config.strategy, "seed": config.seed, "state": now}
    best = history.best.id if history.best else None
    return Trials(name, dict(config.space), list(_trials(history)), best, history.created, now, about, history)


def _trials(history: History) -> Iterator[Trial]:
    best, means, metric = history.best, history.means, followed(history)
    highest = best and (means.get(best.id, best.fitness), -best.id)
    for id, individual in sorted(history.individuals.items()):
        found = trial(individual, history, means.get(id), history.repeated.get(id, ()))
        better = highest and found.value is not None and (history.sign * found.value, -id) > highest
        never = best and individual.status == "scored" and (found.parent is not None or better)
        curve = _curve(individual, _score(individual), metric)
        yield replace(found, candidate=not never, curve={epoch: history.sign * value for epoch, value in curve.items()})


def trial(
    individual: Individual, history: History, mean: float | None = None, trainings: Sequence[Individual] = ()
) -> Trial:
    """An individual by itself, without a curve. Of a finalist that was trained again with the mean of its trainings."""
    score, repeat = _score(individual), individual.birth.origin == "repeat"
    outcome = score or individual.outcome
    return Trial(
        individual=individual,
        state=STATES.get(individual.status, "WAITING"),
        value=history.sign * (score.fitness if mean is None else mean) if score else None,
        score=value_name(history),
        candidate=True,
        curve={},
        metrics=_metrics(individual, score, history),
        started=individual.started or None,
        ended=outcome.at if outcome else None,
        parent=individual.birth.parents[0] if repeat else None,
        about=_about(individual, trainings),
    )


def value_name(history: History) -> str:
    """What values are called."""
    return "fitness" if history.sign > 0 else "value"


def told(report: Reported) -> dict[str, float]:
    """All numbers of an epoch: its metrics, and lr and momentum at its end."""
    ends = dict(zip(("lr", "mom"), report.cycle[-1][1:], strict=True)) if report.cycle else {}
    return ends | report.metrics


def _score(individual: Individual) -> Scored | None:
    """Of its whole training, or on the rung that it is on."""
    if individual.status == "early":
        return individual.early[individual.share]
    return individual.outcome if isinstance(individual.outcome, Scored) else None


def _metrics(individual: Individual, score: Scored | None, history: History) -> dict[str, float]:
    if not score:
        return {}
    last = individual.reports[individual.epoch].metrics if individual.reports else {}
    judged = history.judged.get(individual.id)
    test = {f"test_{name}": value for name, value in judged.metrics.items()} if judged else {}
    return {**last, **score.metrics, **test}


def followed(history: History) -> tuple[str, float] | None:
    """The metric whose last value is the fitness, or less the fitness (−1), in every training; the first by name."""
    scores = [(score, i) for i in history.individuals.values() if (score := _score(i)) and i.reports]
    ends = [(score.fitness, i.reports[i.epoch].metrics) for score, i in scores]
    for name in sorted(ends[0][1]) if ends else ():
        for sign in (1.0, -1.0):
            if all(name in metrics and sign * metrics[name] == fitness for fitness, metrics in ends):
                return name, sign
    return None


def _curve(individual: Individual, score: Scored | None, metric: tuple[str, float] | None) -> dict[int, float]:
    if metric:
        name, sign = metric
        reports = sorted(individual.reports.items())
        return {epoch: sign * report.metrics[name] for epoch, report in reports if name in report.metrics}
    return {score.epochs or 1: score.fitness} if score and individual.status == "early" else {}


def _about(individual: Individual, trainings: Sequence[Individual]) -> dict[str, Any]:
    birth, failure = individual.birth, individual.failure
    about: dict[str, Any] = {
        "individual": individual.id,
        "generation": individual.generation,
        "origin": birth.origin,
        "parents": list(birth.parents),
        "epochs": individual.epochs,
        "seconds": individual.seconds,
    }
    if individual.early or individual.share < 1:
        rungs = {f"fitness_at_{share:g}": score.fitness for share, score in sorted(individual.early.items())}
        about |= {"share": individual.share, **rungs}
    if trainings:
        about["trainings"] = [training.fitness for training in trainings]
    return about | ({"reason": failure.reason, "message": failure.message} if failure else {})


def cell(value: Any) -> Any:
    """What is known of a trial as one number or text: a list as its words."""
    return " ".join(map(str, value)) if isinstance(value, list) else value
