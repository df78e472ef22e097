"""One driver's run of a study: the pool, the signals, what is seen meanwhile, and the report at the end.

What is for people goes to stderr: stdout holds data only.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import click

from gaopt import execution
from gaopt.cli.console import console, listed
from gaopt.cli.live import watcher
from gaopt.cli.signals import Signals
from gaopt.cli.waiting import waiting
from gaopt.config import Stop, StudyConfig
from gaopt.errors import GaoptError, Hopeless, Lost, Stopped, Unjudged, Unwritable
from gaopt.execution import Pool
from gaopt.journal.events import Data
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Objective
from gaopt.printable import path_shown, printable, shown
from gaopt.study.loop import go_on, run
from gaopt.study.prepare import Ready
from gaopt.study.progress import Progress, look, planned


def drive(ready: Ready, place: Callable[[], StudyDir], as_json: bool, allow_changed: bool = False) -> None:
    """Run a study with all that a person sees around it.

    Args:
        place: gives the study's folder, once nothing that the user gave can be wrong any more.
        allow_changed: see `study.run`.

    Raises:
        Stopped, Hopeless, Lost, Unwritable, Unjudged: after a word on how to go on.
    """
    config, shared = ready.config, ready.shared
    with Signals() as signals, closing(open_pool(config, ready.objective, shared, signals.check)) as pool:
        signals.listen()  # again: Ray installs a handler of its own when it starts
        signals.check()
        home = place()
        _introduce(home, config, pool)
        try:
            with watcher(home.name, as_json, signals) as watch:
                history = run(ready, home, pool=pool, watch=watch, stop=signals.check, allow_changed=allow_changed)
        except (Stopped, Hopeless, Lost, Unwritable) as error:
            _say_how(home, error)
            raise
        except Unjudged as error:
            pool.close()
            with Journal(home.journal) as journal:
                _report(History(journal), home)
            _say_how(home, error)
            raise
        pool.close()
        _report(history, home)
        _conclude(home, history, as_json)
        signals.check()


def _say_how(home: StudyDir, error: GaoptError) -> None:
    if not os.path.isfile(home.journal):  # not Path.is_file, which raises where nobody may look
        return  # its first event could not be written: there is nothing to go on with
    unjudged, study = isinstance(error, Unjudged), path_shown(shlex.quote(home.handle))
    what = "its report is written; try that again with" if unjudged else "stopped; go on with"
    click.echo(f"{what}: gaopt resume {study}", err=True)
    if not unjudged:
        click.echo(f"a report of what there is so far: gaopt report {study}", err=True)


def _report(history: History, home: StudyDir) -> None:
    """
    Raises:
        Unwritable: the report has no room. What it is made of is in the journal.
    """
    from gaopt.report.study import write

    try:
        write(history, home)
    except Unwritable as error:
        click.echo(
            f"the search is done; write its report with: gaopt report {path_shown(shlex.quote(home.handle))}", err=True
        )
        raise Unwritable(f"the report is not written: {error}") from error


def open_pool(config: StudyConfig, objective: Objective, shared: Any, stop: Callable[[], None] = go_on) -> Pool:
    """The pool that a config names, with a word for whoever waits for it, and on the images.

    Args:
        shared: what the objective prepared.
        stop: raises `Stopped` if a signal came.

    Raises:
        Stopped: a signal came while it started.
    """
    try:
        with waiting("starting Ray") if config.pool.kind == "ray" else nullcontext():
            pool = execution.pool(config, objective, shared)
    except SystemExit:  # how Ray's own handler takes a SIGTERM
        raise Stopped(signal.SIGTERM) from None
    except Lost:
        stop()  # one that came meanwhile is the reason
        raise
    if pool.data:
        _tell(pool.data)
    return pool


def _introduce(home: StudyDir, config: StudyConfig, pool: Pool) -> None:
    together = min(pool.capacity, max(config.litters))
    trainings, generations = _count(planned(config), "training"), _count(config.generations, "generation")
    if config.stop != Stop():
        trainings = f"at most {trainings}"
    what, where = f"{trainings} in {generations}, {together} at a time", path_shown(home.path)
    click.echo(f"study {path_shown(home.name)}: {what}, results in {where}", err=True)
    if pool.dashboard:
        say_dashboard(pool.dashboard)
    elif config.pool.kind == "ray" and config.pool.dashboard:
        click.echo("there is no Ray dashboard: all of its ports are taken, or the cluster has none", err=True)


def say_dashboard(address: str) -> None:
    """Where it is, and how its token is printed: Ray's command may lie beside Python, and not on the path."""
    beside = Path(sys.executable).with_name("ray")
    ray = "ray" if shutil.which("ray") or not beside.is_file() else shlex.quote(str(beside))
    click.echo(f"Ray dashboard: {path_shown(address)}  (its token: {path_shown(ray)} get-auth-token)", err=True)


def _tell(data: Data) -> None:
    """Which images are trained on and measured by."""
    click.echo(printable(f"{data.name}: {len(data.classes)} classes"), err=True)
    for split, counts in data.counts.items():
        where = f"{split}: {_count(sum(counts), 'image')} from {data.origins.get(split, data.name)}"
        click.echo(f"  {printable(where)}: {printable(data.counted(split))}", err=True)
    for warning in data.warnings:
        click.echo(f"  note: {printable(warning)}", err=True)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _conclude(home: StudyDir, history: History, as_json: bool) -> None:
    from gaopt.report.experiment import compared
    from gaopt.report.remarks import gain

    now = look(home)
    if as_json:
        click.echo(json.dumps({"event": "Result", **now.plain()}))
    elif now.best is None:
        click.echo(f"{_fruitless(history)}; the reasons are in {path_shown(home.report)}")
    elif compared(history):
        _compare(history)
        click.echo(f"report: {path_shown(home.report)}")
    else:
        _praise(now, history.data)
        for sentence in gain(history):
            click.echo(sentence)
        click.echo(f"report: {path_shown(home.report)}")


def _fruitless(history: History) -> str:
    failed, everyone = len(history.failed), len(history.individuals)
    if failed == everyone:
        return f"all {everyone} individuals failed"
    return f"no individual has a score: {failed} failed, {everyone - failed} were left early"


def _compare(history: History) -> None:
    """An experiment's errors beside the paper's."""
    from gaopt.report.experiment import HEAD, compared, row, verdicts

    rows = [row(one)[:-1] for one in compared(history)]
    console().print(listed(HEAD[:-1], rows, HEAD[1:]))
    for verdict in verdicts(history):
        click.echo(printable(verdict))


def _praise(now: Progress, data: Data | None) -> None:
    """The best of a search."""
    assert now.best
    if now.ended:
        click.echo(f"the search ended early: {printable(now.ended)}")
    genes = "  ".join(f"{name} {value}" for name, value in shown(now.best.genes).items())
    click.echo(f"best: individual {now.best.id}  {genes}")
    how = f", the mean of {now.trials} trainings" if now.trials > 1 else ""
    click.echo(f"validation fitness: {now.fitness:.4f}{how}{_beside(data, 'valid')}")
    if now.test:
        said = "  ".join(f"{printable(name)} {value:.4f}" for name, value in now.test.items())
        click.echo(f"test: {said}{_beside(data, 'test')}")


def _beside(data: Data | None, split: str) -> str:
    """What an accuracy is to be held against."""
    return f"  (the commonest class alone: top1 {data.majority(split):.4f})" if data else ""
