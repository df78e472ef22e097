"""The verbs that only read a study: status, list, report, predict."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gaopt.cli.group import cli
from gaopt.errors import BadInput
from gaopt.printable import path_shown, printable, printable_lines

if TYPE_CHECKING:
    from gaopt.journal.paths import ComparisonDir


@cli.command()
@click.argument("study")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--follow", is_flag=True, help="Stay, and renew the page until the search ends.")
def status(study: str, as_json: bool, follow: bool) -> None:
    """Where a study or a comparison is: from any shell, while it runs or afterwards."""
    from gaopt.cli.console import console, page
    from gaopt.cli.live import follow as follow_page
    from gaopt.journal.journal import Journal
    from gaopt.journal.lock import held
    from gaopt.journal.paths import comparison, existing
    from gaopt.study.progress import look

    if compared := comparison(study):
        _status(compared, as_json, follow)
        return
    home = existing(study)
    if as_json:
        click.echo(json.dumps(look(home).plain()))
    elif follow:
        with Journal(home.journal) as journal:
            follow_page(home.name, journal, lambda: held(home.path))
    else:
        screen = console()
        screen.print(page(look(home), time.time(), screen.width))


def _status(home: ComparisonDir, as_json: bool, follow: bool) -> None:
    """Of a comparison."""
    from rich.live import Live

    from gaopt.cli.compared import compared
    from gaopt.cli.console import console

    screen, now = console(), compared(home)
    if as_json:
        click.echo(json.dumps(now.plain()))
    elif follow:
        with Live(console=screen, auto_refresh=False) as live:
            while now.running:
                live.update(now.page(screen.width), refresh=True)
                time.sleep(1)
                now = compared(home)
            live.update(now.page(screen.width), refresh=True)
    else:
        screen.print(now.page(screen.width))


@cli.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """All studies and comparisons in results/ (or GAOPT_RESULTS)."""
    from gaopt.cli.compared import compared
    from gaopt.cli.console import console, line, overview
    from gaopt.journal.paths import ComparisonDir, comparisons, studies
    from gaopt.study.progress import look

    found: list[tuple[dict[str, Any], tuple[str, ...]]] = []
    for home in (*studies(), *comparisons()):
        try:
            if isinstance(home, ComparisonDir):
                both = compared(home)
                found.append((both.plain(), both.line()))
            else:
                now = look(home)
                found.append((now.plain(), line(now)))  # what cannot be shown is told as what cannot be read
        except BadInput as error:
            click.echo(f"gaopt: {printable_lines(str(error))}", err=True)
        except Exception as error:  # one study of many, that may be a stranger's
            said = f"{home.path} cannot be read: {type(error).__name__}: {error}"
            click.echo(f"gaopt: {printable(said[:500])}", err=True)
    if as_json:
        click.echo(json.dumps([plain for plain, _ in found]))
    else:
        screen = console()
        screen.print(overview([row for _, row in found], screen.width))


@cli.command()
@click.argument("study")
def report(study: str) -> None:
    """Write a study's tables and report again, also while it runs."""
    from gaopt.journal.paths import existing
    from gaopt.report.study import write
    from gaopt.study.progress import current

    home = existing(study)
    for path in write(current(home)[0], home):
        click.echo(path_shown(path))


@cli.command()
@click.argument("study")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def predict(study: str, images: tuple[Path, ...], as_json: bool) -> None:
    """The five most probable classes of each image, by the study's best model. Of a folder, of all images in it."""
    from gaopt.errors import DataError
    from gaopt.journal.paths import existing
    from gaopt.objectives.image import predict as classify

    named, bad = [], False
    for path, answer in classify(existing(study), images):
        if isinstance(answer, DataError):
            click.echo(f"gaopt: {printable_lines(str(answer))}", err=True)
            bad = True
        elif as_json:
            named.append({"image": str(path), "classes": answer})
        else:
            said = "  ".join(f"{printable(name)} {value:.4f}" for name, value in answer)
            click.echo(f"{path_shown(path)}: {said}")
    if named:
        click.echo(json.dumps(named))
    if bad:
        click.get_current_context().exit(2)
