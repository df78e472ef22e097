"""One driver's run of a study: the pool, the signals, what is seen meanwhile, and the report at the end.

What is for people goes to stderr: stdout holds data only.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import click

from gaopt import execution
from gaopt.api.callbacks import calling
from gaopt.api.study import Study
from gaopt.cli.live import watcher
from gaopt.cli.notify import Notified, hooks_of, notifying
from gaopt.cli.signals import Signals
from gaopt.config import Stop, StudyConfig
from gaopt.errors import Hopeless, Lost, Stopped, Unjudged, Unwritable
from gaopt.execution import Pool
from gaopt.execution.ray.token import token_command
from gaopt.journal.events import Data
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.loggers import made
from gaopt.objectives.base import Objective
from gaopt.printable import printable, shown
from gaopt.report.format import plural, score
from gaopt.report.views import score_name
from gaopt.screen.console import console, listed
from gaopt.study.loop import Watch, go_on, run
from gaopt.study.prepare import Ready
from gaopt.study.progress import Progress, clock, look, metric, planned


def say(line: str) -> None:
    """To people, on stderr."""
    click.echo(printable(line), err=True)


def drive(
    ready: Ready,
    place: Callable[[], StudyDir],
    as_json: bool,
    notify: Notified,
    logs: Sequence[str],
    allow_changed: bool = False,
) -> None:
    """Run a study with all that a person sees around it; what stops it is raised after a word on how to go on.

    `place` gives the study's folder, once nothing that the user gave can be wrong any more; `notify` is what --notify
    and --notify-command say, `logs` the loggers of --log.
    """
    hooks, loggers = hooks_of(ready.config.notify, *notify), made(logs)
    with Signals() as signals, opened(ready.config, ready.objective, lambda: ready.shared, signals) as pool:
        home = place()
        _introduce(home, ready.config, pool)
        command = shlex.quote(home.handle)
        try:
            with watcher(home.name, as_json, signals, pool) as seen, notifying(home.name, hooks, seen) as watch:
                if ready.config.pool.kind == "ray":
                    watch = _counted(watch, home, pool)
                watch = calling(loggers, Study(home), watch)
                history = run(ready, home, pool=pool, watch=watch, stop=signals.check, allow_changed=allow_changed)
        except (Stopped, Hopeless, Lost, Unwritable):
            if os.path.isfile(home.journal):  # not Path.is_file, which raises where nobody may look
                say(f"stopped; go on with: gaopt resume {command}")
                say(f"a report of what there is so far: gaopt report {command}")
            raise
        except Unjudged:
            with Journal(home.journal) as journal:
                _report(History(journal), home)
            say(f"its report is written; try that again with: gaopt resume {command}")
            raise
        _conclude(home, history, as_json)
        _report(history, home)
        if not as_json:
            click.echo(f"report: {printable(home.report)}")
        signals.check()


def _counted(watch: Watch, home: StudyDir, pool: Pool) -> Watch:
    from gaopt.execution.ray.metrics import Metrics

    return Metrics(home.name, pool, watch)


def _report(history: History, home: StudyDir) -> None:
    from gaopt.report.study import write

    with written(f"gaopt report {shlex.quote(home.handle)}"):
        write(history, home)


@contextmanager
def written(again: str) -> Iterator[None]:
    """Say where a report has no room what writes it again: what it is made of is in the journal."""
    try:
        yield
    except Unwritable as error:
        say(f"the search is done; write its report with: {again}")
        raise Unwritable(f"the report is not written: {error}") from error


@contextmanager
def opened(config: StudyConfig, objective: Objective, shared: Callable[[], Any], signals: Signals) -> Iterator[Pool]:
    """`open_pool` while signals are listened to."""
    with closing(open_pool(config, objective, shared, signals.check)) as pool:
        signals.listen()  # again: Ray installs a handler of its own when it starts
        signals.check()
        yield pool


def open_pool(
    config: StudyConfig, objective: Objective, shared: Callable[[], Any], stop: Callable[[], None] = go_on
) -> Pool:
    """The pool that a config names, with a word for whoever waits for it, and on the images.

    `stop` raises `Stopped` if a signal came.
    """
    on_ray, begun = config.pool.kind == "ray", time.monotonic()
    if on_ray:
        say("starting Ray and preparing data …")
    try:
        pool = execution.pool(config, objective, shared, stop)
    except SystemExit:  # how Ray's own handler takes a SIGTERM
        raise Stopped(signal.SIGTERM) from None
    except Lost:
        stop()  # one that came meanwhile is the reason
        raise
    try:
        stop()  # before it is said what will be trained
    except BaseException:
        pool.close()
        raise
    if on_ray:
        say(f"ready after {clock(time.monotonic() - begun)}")
    if pool.data:
        _tell(pool.data)
    return pool


def _introduce(home: StudyDir, config: StudyConfig, pool: Pool) -> None:
    together = min(pool.capacity, max(config.litters))
    trainings, generations = plural(planned(config), "training"), plural(config.generations, "generation")
    at_most = "at most " * (config.stop != Stop())
    say(f"study {home.name}: {at_most}{trainings} in {generations}, {together} at a time, results in {home.path}")
    say_dashboard(config, pool)


def say_dashboard(config: StudyConfig, pool: Pool) -> None:
    if pool.dashboard:
        say(f"Ray dashboard, in a few seconds: {pool.dashboard}  (its token: {token_command()})")
    elif config.pool.kind == "ray" and config.pool.dashboard:
        say("there is no Ray dashboard: all of its ports are taken, or the cluster has none")


def _tell(data: Data) -> None:
    """Which images are trained on and measured by."""
    say(f"{data.name}: {len(data.classes)} classes")
    for split, counts in data.counts.items():
        images = f"{plural(sum(counts), 'image')} from {data.origins.get(split, data.name)}"
        say(f"  {split}: {images}: {data.counted(split)}")
    for warning in data.warnings:
        say(f"  note: {warning}")


def _conclude(home: StudyDir, history: History, as_json: bool) -> None:
    from gaopt.report.experiment import HEAD, compared, row, verdicts

    now = look(home)
    if as_json:
        click.echo(json.dumps({"event": "Result", **now.plain()}))
        return
    if now.best is None:
        failed, everyone = len(history.failed), len(history.individuals)
        left = f", {everyone - failed} were left early" if failed < everyone else ""
        click.echo(f"no individual has a score: {failed} failed{left}; the reasons are in the report")
        return
    if errors := [row(one)[:-1] for one in compared(history)]:  # an experiment's, beside the paper's
        console().print(listed(HEAD[:-1], errors, HEAD[1:]))
    for line in verdicts(history) if errors else _best(now, history):
        click.echo(printable(line))


def _best(now: Progress, history: History) -> list[str]:
    """Of a search."""
    from gaopt.report.remarks import gain

    assert now.best
    genes = "  ".join(f"{name} {value}" for name, value in shown(now.best.genes).items())
    how = f", the mean of {now.trials} trainings" if now.trials > 1 else ""
    test = "  ".join(f"{name} {value:.4f}" for name, value in (now.test or {}).items())
    name = found if (found := metric(now.config)) != "top1" else score_name(history)
    said = [
        now.ended and f"the search ended early: {now.ended}",
        f"best: individual {now.best.id}  {genes}",
        f"validation {name}: {score(now.value)}{how}{_beside(history.data, 'valid')}",
        test and f"test: {test}{_beside(history.data, 'test')}",
    ]
    return [*filter(None, said), *gain(history)]


def _beside(data: Data | None, split: str) -> str:
    """What an accuracy is to be held against."""
    return f"  (the commonest class alone: top1 {data.majority(split):.4f})" if data else ""
