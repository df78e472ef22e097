"""One run of `gaopt finish` with all that a person sees around it."""

import shlex

import click

from gaopt.cli.live import watcher
from gaopt.cli.run import opened, say, written
from gaopt.cli.signals import Signals
from gaopt.errors import BadInput, GaoptError
from gaopt.journal.paths import StudyDir
from gaopt.printable import printable
from gaopt.report.format import plural
from gaopt.report.model import finished_words
from gaopt.report.study import write
from gaopt.study import finish
from gaopt.study.prepare import prepare


def drive(home: StudyDir, seeds: int | None, ensemble: bool, allow_changed: bool) -> None:
    """Train what is missing, say what came of it, and write the study's report again."""
    config = finish.configured(home, seeds, allow_changed)
    command = f"gaopt finish {shlex.quote(home.handle)}"
    if finish.missing(home, config):
        ready = prepare(config)
        with Signals() as signals, opened(ready.config, ready.objective, lambda: ready.shared, signals) as pool:
            trainings = plural(ready.config.trainings, "training")
            say(f"{home.name} is finished by {trainings}, {pool.capacity} at a time, results in {home.final.path}")
            try:
                with watcher(f"{home.name}, finished", False, signals, pool) as watch:
                    finish.train(home, ready.config, pool, watch, signals.check, allow_changed)
            except GaoptError as error:
                if not isinstance(error, BadInput):
                    say(f"stopped; go on with: {command}")
                raise
    history = finish.conclude(home, ensemble)
    for line in finished_words(history, home):
        click.echo(printable(line))
    with written(command):
        write(history, home)
    click.echo(f"report: {printable(home.report)}")
