"""One run of a comparison with all that a person sees around it. What is for people goes to stderr."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from contextlib import ExitStack, closing

import click

from gaopt.cli.run import open_pool, say_dashboard
from gaopt.cli.signals import Signals
from gaopt.compare import plan as plans
from gaopt.compare.methods import BASELINES, Methods
from gaopt.compare.model import Comparison
from gaopt.compare.plan import Plan
from gaopt.compare.read import comparison
from gaopt.compare.run import Runner, missing
from gaopt.compare.statistics import FEWEST
from gaopt.config import SEARCHES
from gaopt.errors import BadInput, GaoptError, Unwritable
from gaopt.journal.lock import StudyLock, check_free
from gaopt.journal.paths import ComparisonDir
from gaopt.objectives.base import epochs, resolve
from gaopt.printable import path_shown, printable
from gaopt.report.comparison import report
from gaopt.study.progress import clock

BESIDES = 8
"""Seconds that a search takes besides its trainings, on two cores: beginning workers, a range test, Ray Tune's loop,
what a model expects, its share of the report."""


def drive(plan: Plan, place: Callable[[], ComparisonDir], allow_changed: bool = False) -> None:
    """Run what a comparison is missing, and write its report.

    Args:
        place: gives its folder, once nothing that the user gave can be wrong any more.
        allow_changed: see `study.run`.
    """
    with Signals() as signals, ExitStack() as kept:
        home = _run(plan, place, signals, kept, allow_changed)
        found = comparison(home)
        _report(found, home)
        click.echo(printable(report.verdict(found)))
        click.echo(f"report: {path_shown(home.report)}")
        signals.check()


def outline(plan: Plan) -> None:
    """Say what a comparison would do, and about how long it would take, and do nothing."""
    base = plan.base
    objective = resolve(base.objective)
    shared = objective.prepare(base)
    for method in plan.methods:
        click.echo(printable(f"{method:<12} {Methods(plan).title(method)}"))
    with closing(open_pool(base, objective, shared)) as pool:
        together = pool.capacity
    seconds = objective.seconds(base, shared)
    searches = len(plan.methods) * plan.seeds
    click.echo(f"{searches} searches of {plan.budget:g} {plan.cost} each, {together} trainings at a time")
    click.echo(f"{searches * plan.finals} finals")
    if seconds is not None or plan.cost == "seconds":
        total = duration(plan, seconds or 0.0, together)
        click.echo(
            f"about {clock(total)} in all: trainings by three steps timed here, and {BESIDES} s a search besides"
        )
    if plan.seeds < FEWEST:
        click.echo(_too_few(plan))


def duration(plan: Plan, seconds: float, together: int) -> float:
    """About how long a comparison takes.

    Args:
        seconds: of one training.
        together: trainings at the same time. The generations of a search wait for one another, searches too.
    """
    finals = seconds * -(-len(plan.methods) * plan.finals // together)
    if plan.cost == "seconds":
        search = len(plan.methods) * plan.budget / together
    else:
        search = seconds * sum(_rounds(plan, method, together) for method in plan.methods)
    return plan.seeds * (search + finals + BESIDES * len(plan.methods))


def _rounds(plan: Plan, method: str, together: int) -> int:
    """How many trainings, one after another, last as long as a search of a method."""
    left, rounds = int(plan.budget // epochs(plan.base)), 0
    config = None if method in BASELINES else Methods(plan).configured(method, 0)
    for litter in config.litters if config and config.strategy in SEARCHES else ():
        rounds += -(-min(litter, left) // together)
        left -= min(litter, left)
    return rounds + -(-left // together)


def _too_few(plan: Plan) -> str:
    seeds = f"{plan.seeds} seed{'s' * (plan.seeds > 1)}"
    return f"{seeds} of each method can show no difference: a claim takes at least {FEWEST}, and mostly more"


def again(home: ComparisonDir, plan: Plan, allow_changed: bool) -> None:
    """Go on with a comparison; one that has all it needs has only its report written again."""
    if missing(home, plan):
        check_free(home.path)  # before data are loaded and Ray is started, in vain
        drive(plan, lambda: home, allow_changed)
        return
    found = comparison(home)
    for path in report.write(found, home):
        click.echo(path_shown(path))
    click.echo(printable(report.verdict(found)))


def _run(
    plan: Plan, place: Callable[[], ComparisonDir], signals: Signals, kept: ExitStack, allow_changed: bool
) -> ComparisonDir:
    """
    Args:
        kept: gets the hold on the folder, which lasts until the report is written.
    """
    base = plan.base
    objective = resolve(base.objective)
    shared = objective.prepare(base)
    with closing(open_pool(base, objective, shared, signals.check)) as pool:
        signals.listen()  # again: Ray installs a handler of its own when it starts
        signals.check()
        home = place()
        home.make()
        kept.callback(StudyLock(home.path).release)
        plan = plans.current(plan, home)
        _introduce(home, plan, pool.capacity)
        if pool.dashboard:
            say_dashboard(pool.dashboard)
        runner = Runner(home, plan, pool, shared, signals.check, _say, allow_changed)
        try:
            runner.run()
        except GaoptError as error:
            _say_how(home, error)
            raise
    return home


def _say_how(home: ComparisonDir, error: GaoptError) -> None:
    """Bad input says itself what to do; and without its plan there is nothing to go on with."""
    if not isinstance(error, BadInput) and os.path.isfile(home.plan):
        click.echo(f"stopped; go on with: gaopt compare {path_shown(shlex.quote(home.handle))}", err=True)


def _report(found: Comparison, home: ComparisonDir) -> None:
    """
    Raises:
        Unwritable: the report has no room. What it is made of is in the journals.
    """
    try:
        report.write(found, home)
    except Unwritable as error:
        click.echo(f"all is run; write its report with: gaopt compare {path_shown(shlex.quote(home.handle))}", err=True)
        raise Unwritable(f"the report is not written: {error}") from error


def _say(line: str) -> None:
    click.echo(printable(line), err=True)


def _introduce(home: ComparisonDir, plan: Plan, together: int) -> None:
    seeds = f"{plan.seeds} seed{'s' * (plan.seeds > 1)} each"
    searches = f"{len(plan.methods)} methods, {seeds}, {plan.budget:g} {plan.cost} a search"
    what = f"{len(plan.studies)} studies" if plan.studies else searches
    click.echo(
        f"comparison {path_shown(home.name)}: {what}, {together} at a time, results in {path_shown(home.path)}",
        err=True,
    )
    if plan.seeds < FEWEST:
        click.echo(_too_few(plan), err=True)
