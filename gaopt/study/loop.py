"""The loop: ask the strategy, give the pool what was decided, write down what came back.

Every decision is in the journal before it is acted on, every outcome before the next decision; what can wait for them
is written in the same transaction. Starting a study and resuming it are the same call: the loop only ever looks at the
history.
"""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import tomli_w

from gaopt import __version__
from gaopt.config import StudyConfig, from_tables
from gaopt.errors import Hopeless, Lost, Unjudged, Unwritable, told
from gaopt.execution import Begun, Pool
from gaopt.execution import pool as open_pool
from gaopt.journal.events import (
    Bred,
    Closed,
    Event,
    Failed,
    Granted,
    Judged,
    Noted,
    Opened,
    Outcome,
    Reported,
    Scored,
    Started,
)
from gaopt.journal.history import History, Individual
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Task
from gaopt.strategies.base import Done
from gaopt.strategies.wrappers import finalists, keep_from
from gaopt.study import retries
from gaopt.study.prepare import Ready, prepare, prepare_new
from gaopt.study.resume_check import changes
from gaopt.study.timeouts import Patience

Watch = Callable[[History, Event], None]

LATEST = 1.0
"""Seconds after which epochs are durable, if nothing else was to be before. After a kill they come again."""


def ignore(history: History, event: Event) -> None:
    """A watcher that looks away."""


def go_on() -> None:
    """Never stops."""


def run(
    config: StudyConfig | Ready,
    home: StudyDir | str | os.PathLike[str],
    *,
    pool: Pool | None = None,
    watch: Watch = ignore,
    stop: Callable[[], None] = go_on,
    judge: bool = True,
    allow_changed: bool = False,
) -> History:
    """Run a study to its end, from wherever it is.

    Args:
        config: what to do, checked before or not. For a study that exists it may differ in `resume_check.FREE` alone.
        home: the study's folder; made if it does not exist. One with other things in it is refused.
        pool: where to train; by default the one that the config names.
        watch: called with the history after each event, which may be durable a moment later.
        stop: called at least every other second; raises `Stopped` to end the search in good order.
        judge: measure the best individual on the test split at the end, where the objective has one.
        allow_changed: go on although individuals are trained otherwise than before: by other code, on other data,
            with another config (`resume_check.TRAINING`). The journal says what changed.

    Returns:
        The whole history; `history.best` is the fittest individual.

    Raises:
        BadInput: the config, the data or the study cannot be used; nothing was changed.
        Stopped, KeyboardInterrupt: it was told to stop; calling again goes on.
        Hopeless: nearly all trainings fail; calling again goes on.
        Lost: what trains is not there, or no longer; calling again goes on.
        Unwritable: the disk is full, or takes nothing more for another reason; calling again goes on.
        Unjudged: only the measurement on the test split failed; calling again tries that again.
    """
    home = home if isinstance(home, StudyDir) else StudyDir(Path(home))
    if home.journal.is_file():
        ready = config if isinstance(config, Ready) else prepare(config)
        Journal(home.journal).close()  # somebody else's is refused before anything is written beside it
    else:
        ready = config if isinstance(config, Ready) else prepare_new(config)
        home.check_new()
    own = pool is None
    pool = pool or open_pool(ready.config, ready.objective, lambda: ready.shared, stop)
    try:
        home.make()
        with Journal(home.journal, write=True) as journal:
            return _Loop(ready, home, pool, journal, watch, stop).run(judge, allow_changed)
    finally:
        if own:
            pool.close()


@dataclass
class _Loop:
    """One run of a study by one driver."""

    ready: Ready
    home: StudyDir
    pool: Pool
    journal: Journal
    watch: Watch
    stop: Callable[[], None]

    def __post_init__(self) -> None:
        self.config, self.objective, self.search = self.ready.config, self.ready.objective, self.ready.search
        self.history, self.patience = History(self.journal), Patience(self.config.faults)
        self.swept, self.committed, self.urgent = len(self.history.ends), time.monotonic(), False

    def run(self, judge: bool, allow_changed: bool) -> History:
        parts = dict(self.pool.made_of)
        changed = changes(self.history, self.config, parts, allow_changed)
        self._record_now(
            Opened(self.config.plain(), __version__, socket.gethostname(), os.getpid(), parts, changed, self.pool.data)
        )
        try:
            why = self._through(judge)
        except BaseException as error:
            with suppress(Unwritable):  # the disk that stopped it may still be full
                if told(error) or isinstance(error, Hopeless | Lost):
                    self._gather()
                self._record_now(Closed("interrupted" if told(error) else "failed"))
            raise
        self._record_now(Closed("finished", why))
        return self.history

    def _through(self, judge: bool) -> str:
        """From wherever the study is to its end; why the search ended before its plan was through."""
        try:
            self._recall()
            self.home.tidy()
            self.home.write(self.home.config, tomli_w.dumps(self.config.plain()))
            why = self._search()
            if judge:
                self._judge()
            self.home.tidy()  # a worker may have been killed while it wrote
            return why
        except Lost:
            self.stop()  # a signal to all processes ends a Ray, too, that somebody else started: it was the signal
            raise

    def _recall(self) -> None:
        """Write down what earlier studies found, before the first decision: theirs may go on, or be removed."""
        if not self.history.populations:
            for event in self.ready.recalled[len(self.history.recalled) :]:
                self._record(event)

    def _search(self) -> str:
        """Train until the search is over; why it was before its plan was through."""
        while True:
            self._start_waiting()
            decision = self.search.decide(self.history, retries.room(self.history, self.pool.room))
            if isinstance(decision, Bred | Granted):
                self._record(decision)
            elif self.history.running:
                self._take(self._wait())
            elif isinstance(decision, Done) and not self.history.waiting:
                return decision.reason

    def _wait(self) -> Outcome:
        while True:
            if time.monotonic() > self.committed + LATEST:
                self._commit()
            self.stop()
            if lost := self.patience.lost(self.history):
                self.pool.cancel(lost.individual)
                return lost
            outcome = self.pool.wait()
            if outcome is None:
                self.patience.quiet()
            elif isinstance(outcome, Begun):
                self.patience.begin(outcome.individual)
            else:
                if retries.doubtful(outcome):
                    self.stop()
                self.patience.hear(outcome)
                return outcome

    def _take(self, outcome: Outcome) -> None:
        event = retries.settled(self.history, outcome, self.config.faults) if isinstance(outcome, Failed) else outcome
        self._record(event)
        if isinstance(event, Scored | Failed):
            retries.check(self.history, self.config.faults)

    def _gather(self) -> None:
        """Write down what has come of trainings that are ended now. Nobody watches: it may be what ended them."""
        training = {individual.id for individual in self.history.running}
        for outcome in self.pool.stop():
            # One that is measured on the test split may report, too: it has its epochs.
            known = isinstance(outcome, Reported) and outcome.individual not in training
            if not known and not retries.doubtful(outcome):
                self._keep(outcome)
                if self.urgent:  # a second signal may come
                    self._commit()
        self._commit()

    def _start_waiting(self) -> None:
        ready = retries.ready(self.history, self.pool.room)
        for individual in ready:
            self._record(Started(individual.id))
        if self.urgent:
            self._commit()
        for individual in ready:
            self.pool.submit(self._task(individual))

    def _judge(self) -> None:
        """Measure the best individual on the test split, once, and again where what that left is lost."""
        best = self.history.best
        if not self.objective.judges or best is None:
            return
        if best.id == next(reversed(self.history.judged), None):
            keeps = getattr(self.objective, "keeps", lambda *_: True)
            if keeps(self.home.path, best.id):
                return
            self._record(Noted(best.id, "the best model was gone or altered: measured and written again"))
        tried: list[Failed] = []
        while isinstance(outcome := self._judged(best), Failed):
            if not retries.again(outcome, tried, self.config.faults):
                raise Unjudged(f"the best individual could not be measured on the test split: {outcome.message}")
            tried.append(outcome)  # no `Retried`: it has its score, and is not waiting for one
            self._record(Noted(best.id, f"measured on the test split again: {outcome.reason}: {outcome.message}"))
        assert isinstance(outcome, Judged)
        self._record(outcome)

    def _judged(self, best: Individual) -> Outcome:
        """What one try to measure it came to."""
        trained = from_tables(best.config)  # by --allow-changed others may be trained otherwise since
        self.pool.submit(replace(self._task(best, judge=True), settings=trained.settings, threads=trained.pool.cpus))
        while isinstance(outcome := self._wait(), Reported | Noted):
            if isinstance(outcome, Noted):  # where its weights were gone it is trained again, which reports as well
                self._record(outcome)
        return outcome

    def _commit(self) -> None:
        """Make durable what was recorded, before anything is done that relies on it."""
        self.journal.commit()
        self.committed, self.urgent = time.monotonic(), False
        if len(self.history.ends) > self.swept:
            self.swept = len(self.history.ends)
            self._sweep()

    def _sweep(self) -> None:
        """An individual's folder lives until it has its score, and while it may be the best in the end."""
        likely = [self.history.best, *finalists(self.history, self.config.noise.finalists)]
        keep = {i.id for i in (*self.history.unfinished, *likely) if i}
        self.home.sweep(self.history.individuals, keep)

    def _task(self, individual: Individual, judge: bool = False) -> Task:
        return Task(
            study=self.home.name,
            individual=individual.id,
            generation=individual.generation,
            genes=self.config.space.check(individual.genes),
            seed=self.config.seed + individual.birth.trial,
            settings=self.config.settings,
            folder=self.home.scratch(individual.id).absolute(),
            home=self.home.path.absolute(),
            threads=self.config.pool.cpus,
            share=individual.share,
            judge=judge,
            minimize=self.config.minimize,
            keep_from=-math.inf if judge else keep_from(self.history, individual, self.config.noise),
        )

    def _record(self, event: Event) -> None:
        """Take an event in; `_commit` makes it durable."""
        self.watch(self.history, self._keep(event))

    def _record_now(self, event: Event) -> None:
        stamped = self._keep(event)
        self._commit()
        self.watch(self.history, stamped)

    def _keep(self, event: Event) -> Event:
        stamped = self.journal.add(event)
        self.urgent = self.urgent or not isinstance(event, Reported | Noted)
        self.history.add(stamped)
        return stamped
