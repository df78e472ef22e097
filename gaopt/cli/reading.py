"""The verbs that only read a study: status, list, report, predict."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from gaopt.cli.group import cli
from gaopt.errors import BadInput
from gaopt.printable import path_shown, printable, printable_lines


@cli.command()
@click.argument("study")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--follow", is_flag=True, help="Stay, and renew the page until the search ends.")
def status(study: str, as_json: bool, follow: bool) -> None:
    """Where a study is: from any shell, while it runs or afterwards."""
    from rich.console import Console

    from gaopt.hold import held
    from gaopt.home import existing
    from gaopt.journal import Journal
    from gaopt.progress import look
    from gaopt.screen import follow as follow_page
    from gaopt.screen import page

    home = existing(study)
    if as_json:
        click.echo(json.dumps(look(home).plain()))
    elif follow:
        with Journal(home.journal) as journal:
            follow_page(home.name, journal, lambda: held(home.path))
    else:
        console = Console()
        console.print(page(look(home), time.time(), console.width))


@cli.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """All studies in results/ (or GAOPT_RESULTS)."""
    from rich.console import Console

    from gaopt.home import studies
    from gaopt.progress import look
    from gaopt.screen import overview

    found = []
    for home in studies():
        try:
            now = look(home)
            overview([now])  # what cannot be shown is told as what cannot be read
            found.append(now)
        except BadInput as error:
            click.echo(f"gaopt: {printable_lines(str(error))}", err=True)
        except Exception as error:  # one study of many, that may be a stranger's
            said = f"{home.path} cannot be read: {type(error).__name__}: {error}"
            click.echo(f"gaopt: {printable(said[:500])}", err=True)
    if as_json:
        click.echo(json.dumps([each.plain() for each in found]))
    else:
        Console().print(overview(found))


@cli.command()
@click.argument("study")
def report(study: str) -> None:
    """Write a study's tables and report again, also while it runs."""
    from gaopt.history import History
    from gaopt.home import existing
    from gaopt.journal import Journal
    from gaopt.report import write

    home = existing(study)
    with Journal(home.journal) as journal:
        for path in write(History(journal), home):
            click.echo(path_shown(path))


@cli.command()
@click.argument("study")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def predict(study: str, images: tuple[Path, ...], as_json: bool) -> None:
    """The five most probable classes of each image, by the study's best model. Of a folder, of all images in it."""
    from gaopt.errors import DataError
    from gaopt.home import existing
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
