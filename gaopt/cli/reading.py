"""The verbs that only read a study: status, list, report."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from gaopt.cli.arguments import STUDY, STUDY_OR_COMPARISON
from gaopt.cli.group import cli
from gaopt.errors import BadInput
from gaopt.journal.paths import ComparisonDir
from gaopt.printable import printable, printable_lines


@cli.command()
@click.argument("study", type=STUDY_OR_COMPARISON)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--follow", is_flag=True, help="Stay, and renew the page until the search ends.")
def status(study: str, as_json: bool, follow: bool) -> None:
    """Where a study or a comparison is: from any shell, while it runs or afterwards."""
    from gaopt.cli import compared as comparison
    from gaopt.compare.progress import Compared, compared
    from gaopt.journal.studies import find_comparison, find_study
    from gaopt.screen.console import console, page
    from gaopt.study.progress import Progress, look

    home, screen = find_comparison(study) or find_study(study), console()

    def now() -> Progress | Compared:
        return compared(home) if isinstance(home, ComparisonDir) else look(home)

    def drawn(found: Progress | Compared) -> Any:
        width = screen.width
        return comparison.page(found, width) if isinstance(found, Compared) else page(found, time.time(), width)

    if as_json:
        click.echo(json.dumps(now().plain()))
    elif follow:
        from gaopt.cli.live import follow as follow_page  # with all that a driver needs: half of the time to start

        follow_page(now, drawn, screen)
    else:
        screen.print(drawn(now()))


@cli.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """All studies and comparisons in results/ (or GAOPT_RESULTS)."""
    from gaopt.cli import compared as comparison
    from gaopt.compare.progress import Compared, compared
    from gaopt.journal.studies import comparisons, studies
    from gaopt.screen.console import console, line, overview
    from gaopt.study.progress import look

    plain: list[dict[str, Any]] = []
    lines: list[tuple[str, ...]] = []
    for home in (*studies(), *comparisons()):
        try:
            now = compared(home) if isinstance(home, ComparisonDir) else look(home)
            lines.append(comparison.line(now) if isinstance(now, Compared) else line(now))  # also where JSON is wanted:
            plain.append(now.plain())  # what cannot be shown is told as what cannot be read
        except BadInput as error:
            click.echo(f"gaopt: {printable_lines(str(error))}", err=True)
        except Exception as error:  # one study of many, that may be a stranger's
            said = f"{home.path} cannot be read: {type(error).__name__}: {error}"
            click.echo(f"gaopt: {printable(said[:500])}", err=True)
    if as_json:
        click.echo(json.dumps(plain))
    else:
        screen = console()
        screen.print(overview(lines, screen.width))


@cli.command()
@click.argument("study", type=STUDY)
@click.option("--interactive", is_flag=True, help="Also the service's page as one file, interactive.html.")
def report(study: str, interactive: bool) -> None:
    """Write a study's tables and report again, also while it runs."""
    from gaopt.journal.studies import find_study
    from gaopt.report.study import write
    from gaopt.study.progress import current

    home = find_study(study)
    history, holds = current(home)
    paths = write(history, home)
    if interactive:
        from gaopt.serve.frozen import study_page

        home.write(home.interactive, study_page(home, history, holds))
        paths.append(home.interactive)
    for path in paths:
        click.echo(printable(path))
