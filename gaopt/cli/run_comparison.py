"""One run of a comparison with all that a person sees around it. What is for people goes to stderr."""

import os
import shlex
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache, partial

import click

from gaopt.cli.run import open_pool, opened, say, say_dashboard, written
from gaopt.cli.signals import Signals
from gaopt.compare.methods import Methods
from gaopt.compare.plan import Plan
from gaopt.compare.read import comparison
from gaopt.compare.run import Runner, missing
from gaopt.compare.statistics import FEWEST
from gaopt.errors import BadInput, GaoptError
from gaopt.journal.lock import StudyLock, check_free
from gaopt.journal.paths import ComparisonDir
from gaopt.objectives.base import epochs, resolve
from gaopt.printable import printable
from gaopt.report.comparison import report
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.format import plural
from gaopt.serve.frozen import comparison_page
from gaopt.study.progress import clock

BESIDES = 8
"""Seconds that a search takes besides its trainings, on two cores: beginning workers, a range test, Ray Tune's loop,
what a model expects, its share of the report."""


def drive(plan: Plan, place: Callable[[], ComparisonDir], allow_changed: bool = False) -> None:
    """Run what a comparison is missing, and write its report; `place` gives its folder, as for a study."""
    base = plan.base
    objective = resolve(base.objective)
    shared = cache(partial(objective.prepare, base))
    with Signals() as signals, ExitStack() as kept, opened(base, objective, shared, signals) as pool:
        home = place()
        home.make()
        kept.callback(StudyLock(home.path).release)  # held until the report is written
        _introduce(home, plan, pool.capacity)
        say_dashboard(base, pool)
        try:
            Runner(home, plan, pool, shared(), signals.check, say, allow_changed).run()
        except GaoptError as error:
            # Bad input says itself what to do; and without its plan there is nothing to go on with.
            if not isinstance(error, BadInput) and os.path.isfile(home.plan):
                say(f"stopped; go on with: gaopt compare {shlex.quote(home.handle)}")
            raise
        _conclude(home)
        signals.check()


def again(home: ComparisonDir, plan: Plan, allow_changed: bool) -> None:
    """Go on with a comparison; one that has all it needs has only its report written again."""
    if missing(home, plan):
        check_free(home.path)  # before data are loaded and Ray is started, in vain
        drive(plan, lambda: home, allow_changed)
    else:
        _conclude(home)


def _conclude(home: ComparisonDir) -> None:
    found = comparison(home)
    click.echo(printable(Evidence(found).verdict))
    with written(f"gaopt compare {shlex.quote(home.handle)}"):
        report.write(found, home)
        home.write(home.interactive, comparison_page(found))
    click.echo(f"report: {printable(home.report)}")
    click.echo(f"the same to look closer: {printable(home.interactive)}")


def outline(plan: Plan) -> None:
    """Say what a comparison would do, and about how long it would take, and do nothing."""
    base = plan.base
    objective = resolve(base.objective)
    shared = cache(partial(objective.prepare, base))
    for method in plan.methods:
        click.echo(printable(f"{method:<12} {Methods(plan).title(method)}"))
    with closing(open_pool(base, objective, shared)) as pool:
        together = pool.capacity
    seconds = objective.seconds(base, shared())
    searches = len(plan.methods) * plan.seeds
    click.echo(f"{searches} searches of {plan.budget:g} {plan.cost} each, {together} trainings at a time")
    click.echo(f"{searches * plan.finals} finals")
    if seconds is not None or plan.cost == "seconds":
        total = clock(duration(plan, seconds or 0.0, together))
        click.echo(f"about {total} in all: trainings by three steps timed here, and {BESIDES} s a search besides")
    if plan.seeds < FEWEST:
        click.echo(_too_few(plan))


def duration(plan: Plan, seconds: float, together: int) -> float:
    """About how long a comparison takes, by the seconds of one training and how many are trained together.

    The generations of a search wait for one another, searches too.
    """
    base, methods = plan.base, len(plan.methods)
    search = plan.budget / together
    if plan.cost == "epochs":  # as long as the config's own search, for its share of the budget
        search = seconds * base.rounds(together) * plan.budget / (epochs(base) * sum(base.litters))
    finals = seconds * -(-methods * plan.finals // together)
    return plan.seeds * (methods * (search + BESIDES) + finals)


def _too_few(plan: Plan) -> str:
    seeds = plural(plan.seeds, "seed")
    return f"{seeds} of each method can show no difference: a claim takes at least {FEWEST}, and mostly more"


def _introduce(home: ComparisonDir, plan: Plan, together: int) -> None:
    seeds = plural(plan.seeds, "seed")
    what = f"{len(plan.methods)} methods, {seeds} each, {plan.budget:g} {plan.cost} a search"
    if plan.studies:
        what = f"{len(plan.studies)} studies"
    say(f"comparison {home.name}: {what}, {together} at a time, results in {home.path}")
    if plan.seeds < FEWEST:
        say(_too_few(plan))
