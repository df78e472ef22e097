"""The verb that hands a study to other tools: export."""

from __future__ import annotations

from pathlib import Path

import click

from gaopt.cli.group import cli
from gaopt.printable import path_shown


@cli.command()
@click.argument("study")
@click.option(
    "--to",
    "name",
    required=True,
    type=click.Choice(["optuna", "tensorboard", "mlflow", "csv"]),
    help="The tool that it is for.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="By default results/STUDY/export/ and the tool."
)
def export(study: str, name: str, out: Path | None) -> None:
    """Write a study down for Optuna, TensorBoard or MLflow, or as tables; also while it runs.

    An earlier export of the same study is replaced whole, anything else is left alone.
    """
    from gaopt.export import FORMATS, read, write
    from gaopt.journal.paths import existing

    home = existing(study)
    found = read(home)
    path = write(found, name, out or home.inside(home.export(name)))
    if found.state != "finished":
        click.echo(f"the study {home.name!r} is not finished ({found.state}): this is what there is of it", err=True)
    click.echo(path_shown(path))
    if opened := FORMATS[name].opened:
        click.echo(f"open it with: {opened.format(path_shown(path))}", err=True)
