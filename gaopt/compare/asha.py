"""Ray Tune's random search with ASHA (Li and others, *A System for Massively Parallel Hyperparameter Tuning*, 2020).

It runs in Tune's own loop, as anybody would call it, and writes the same journal. A training that ASHA stops on its way
is an individual that was left early. What was under way when a search was killed is lost; the search goes on with
what is left of its budget, and its rungs begin anew.
"""

from __future__ import annotations

import logging
import math
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")  # the old one keeps quiet when it is told to

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler

from gaopt import __version__
from gaopt.config import StudyConfig
from gaopt.errors import ConfigError, Stopped, Unwritable, told
from gaopt.execution.worker import outcomes
from gaopt.journal import events
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Task, epochs, resolve
from gaopt.strategies.base import keyed
from gaopt.study.progress import metric
from gaopt.study.resume_check import changes


def run(
    config: StudyConfig, home: StudyDir, shared: Any, together: int, *, stop: Callable[[], None],
    allow_changed: bool = False,
) -> History:  # fmt: skip
    """Run the search to the end of its budget, from wherever it is, with so many trainings at the same time."""
    home.make()
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # it misses its own logs, which are not wanted
    with Journal(home.journal, write=True) as journal:
        written = _Written(config, journal, stop)
        written.open(resolve(config.objective).made_of(shared), allow_changed)
        try:
            _tuner(config, home, shared, together, written).fit()
            written.end()
        except BaseException as error:
            with suppress(Unwritable):  # the disk that stopped it may still be full
                written.record(events.Closed("interrupted" if told(error) else "failed"))
            raise
        written.record(events.Closed("finished"))
        shutil.rmtree(home.path / "work", ignore_errors=True)  # made by Tune and its trials, which have no numbers
        return written.history


def _tuner(config: StudyConfig, home: StudyDir, shared: Any, together: int, written: _Written) -> tune.Tuner:
    folder = home.path.absolute() / "work"
    task = Task(home.name, 0, 0, {}, config.seed, config.settings, folder, folder.parent, config.pool.cpus)
    begun = len(written.history.individuals)
    numbers = iter(range(begun + 1, sys.maxsize))
    trained = tune.with_parameters(_train, objective=config.objective, task=task, whole=written.whole, shared=shared)
    gpus = config.pool.gpus if ray.cluster_resources().get("GPU") else 0
    return tune.Tuner(
        tune.with_resources(trained, {"gpu": gpus} if gpus else {"cpu": config.pool.cpus}),
        param_space={"genes": tune.sample_from(lambda _: config.space.sample(keyed(config.seed, next(numbers))))},
        tune_config=tune.TuneConfig(
            metric="fitness",
            mode="max",
            scheduler=ASHAScheduler(max_t=written.whole),
            num_samples=max(1, config.trainings - begun),
            max_concurrent_trials=together,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig("tune", storage_path=str(folder), stop=written, callbacks=[written], verbose=0),
    )


def _train(config: dict[str, Any], *, objective: str, task: Task, whole: int, shared: Any) -> None:
    """In a worker of Tune: a training that reports each epoch, with the last one also its score."""
    trial = tune.get_context().get_trial_id()
    mine = replace(task, genes=config["genes"], folder=task.folder / trial, shared=shared)
    held: list[events.Outcome] = []
    for outcome in outcomes(resolve(objective), mine):
        held.append(outcome)
        if isinstance(outcome, events.Reported) and outcome.epoch < whole:
            tune.report({"fitness": _so_far(outcome, task.settings), "events": [events.encode(each) for each in held]})
            held.clear()
    fitness = held[-1].fitness if isinstance(held[-1], events.Scored) else math.nan
    tune.report({"fitness": fitness, "events": [events.encode(each) for each in held]})


def _names(settings: Mapping[str, Any]) -> tuple[str, str]:
    """What an epoch may report that says how good a training is so far."""
    return "fitness", metric(settings)


def _so_far(report: events.Reported, settings: Mapping[str, Any]) -> float:
    return next((report.metrics[name] for name in _names(settings) if name in report.metrics), math.nan)


class _Written(tune.Callback, tune.Stopper):
    """The journal of such a search, and the history that it gives: written as Tune's loop tells what it sees."""

    def __init__(self, config: StudyConfig, journal: Journal, stop: Callable[[], None]) -> None:
        self.config, self.journal, self.stop = config, journal, stop
        self.whole = epochs(config)
        self.history = History(journal)
        self.stopped: Stopped | ConfigError | None = None
        self._ids: dict[str, int] = {}  # of individuals, by Tune's names of trials
        self._begun: dict[int, float] = {}  # by a clock that nobody sets

    def open(self, made_of: dict[str, str], allow_changed: bool) -> None:
        changed = changes(self.history, self.config, made_of, allow_changed)
        host, process = socket.gethostname(), os.getpid()
        self.record(events.Opened(self.config.plain(), __version__, host, process, made_of, changed))
        for individual in self.history.waiting:
            self.record(events.Failed(individual.id, "killed", "its search was stopped", epochs=individual.epoch))

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles all that it is given, to restore it, which is not asked of it here."""
        return {}

    def record(self, event: events.Event) -> None:
        self.history.add(self.journal.append(event))

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        id = self._ids[trial.trial_id] = len(self.history.individuals)
        birth = events.Birth(id, dict(trial.config["genes"]), "random")
        self.record(events.Bred(self.history.generation + 1, (birth,)))
        self.record(events.Started(id))
        self._begun[id] = time.monotonic()

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **i: Any) -> None:
        for kind, body in result["events"]:
            event: Any = events.decode(kind, body, 0.0)
            early = isinstance(event, events.Reported) and event.epoch < self.whole
            if early and math.isnan(_so_far(event, settings := self.config.settings)):
                names = " nor ".join(_names(settings))
                said = f"an epoch reports no {names}, by which ASHA could tell: leave out 'ray-asha'"
                self.stopped = ConfigError(said)
            self.record(replace(event, individual=self._ids[trial.trial_id]))

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Also of one that ends without a score: stopped on its way, or lost."""
        if trial.trial_id in self._ids:
            self._leave(self._ids[trial.trial_id], "its worker was lost")

    on_trial_error = on_trial_complete

    def _leave(self, id: int, reason: str) -> None:
        """Write down what one came to that is not trained further, if it has no outcome of its own."""
        individual = self.history.individuals[id]
        if individual.status != "running":
            return
        told = [report.metrics["seconds"] for report in individual.reports.values() if "seconds" in report.metrics]
        seconds = sum(told) if told else time.monotonic() - self._begun[id]  # else its worker's beginning counts too
        last, epoch = individual.reports.get(individual.epoch), individual.epoch
        if last is None or math.isnan(so_far := _so_far(last, self.config.settings)):
            self.record(events.Failed(id, "killed", reason, seconds, epoch))
        else:
            self.record(events.Scored(id, so_far, last.metrics, epoch, seconds, epoch / self.whole))

    def end(self) -> None:
        """What runs when the budget is spent is stopped on its way, too."""
        if self.stopped:
            raise self.stopped
        for individual in self.history.running:
            self._leave(individual.id, "the budget was spent")

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether to stop one trial: that is ASHA's to say."""
        return False

    def stop_all(self) -> bool:
        try:
            self.stop()
        except Stopped as stopped:
            self.stopped = stopped
        return self.stopped is not None or self._enough()

    def _enough(self) -> bool:
        everyone, budget = self.history.individuals.values(), self.config.stop
        if budget.epochs:
            return sum(i.epochs for i in everyone) >= budget.epochs  # of those that run, the reported
        running = sum(time.monotonic() - self._begun[i.id] for i in self.history.running)
        return bool(budget.seconds) and running + sum(i.seconds for i in everyone) >= budget.seconds
