"""The verbs that use what a study found: finish, export, predict."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import click

from gaopt.cli.arguments import STUDY
from gaopt.cli.group import cli
from gaopt.printable import printable, printable_lines

TOOLS = ("optuna", "tensorboard", "mlflow", "csv", "onnx", "torch")
FILE = click.Path(path_type=Path)


@cli.command()
@click.argument("study", type=STUDY)
@click.option("--seeds", type=click.IntRange(1, 1000), help="How many trainings; 3 by default.")
@click.option("--ensemble", is_flag=True, help="Use all of them, by the mean of their probabilities.")
@click.option("--allow-changed", is_flag=True, help="Go on also where code or data changed since.")
def finish(study: str, seeds: int | None, ensemble: bool, allow_changed: bool) -> None:
    """Train the best setting again on training and validation images, and measure it on the test images.

    The same command goes on after an interruption. From then on predict and export use the first of these models, for
    the best one on the test images would be chosen by them. With --ensemble they use all.
    """
    from gaopt.cli.finishing import drive
    from gaopt.journal.studies import find_study

    drive(find_study(study), seeds, ensemble, allow_changed)


@cli.command()
@click.argument("study", type=STUDY)
@click.option("--to", "name", required=True, type=click.Choice(TOOLS), help="A tool, or a format of the model.")
@click.option("--out", type=FILE, metavar="FOLDER", help="By default results/STUDY/export/ and the tool.")
def export(study: str, name: str, out: Path | None) -> None:
    """Write a study for Optuna, TensorBoard or MLflow or as a table, also while it runs; or write its model.

    onnx and torch are the model as one file, from pixels to probabilities, checked against the model itself. An earlier
    export of the same study is replaced whole, anything else is left alone.
    """
    from gaopt.export import FORMATS, read, write
    from gaopt.journal.studies import find_study

    home = find_study(study)
    found = read(home)
    path = write(found, name, out or home.inside(home.export(name)))
    if found.state != "finished":
        click.echo(f"the study {home.name!r} is not finished ({found.state}): this is what there is of it", err=True)
    click.echo(printable(path))
    if opened := FORMATS[name].opened:
        click.echo(f"open it with: {opened.format(printable(path))}", err=True)


@cli.command()
@click.argument("study", type=STUDY)
@click.argument("images", nargs=-1, required=True, type=FILE, metavar="FILE|FOLDER|GLOB…")
@click.option("--csv", "table", type=FILE, metavar="FILE", help="Write a table: path, class, probability, …")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--tta", is_flag=True, help="Average over mirrored and shifted copies, of the kinds trained with.")
def predict(study: str, images: tuple[Path, ...], table: Path | None, as_json: bool, tta: bool) -> None:
    """Print the five most probable classes of each image, by the study's model; of a folder, of all images in it."""
    from gaopt.errors import DataError
    from gaopt.journal.atomic_write import replace_file
    from gaopt.journal.studies import find_study
    from gaopt.objectives.image import predict as classify

    answers, bad, terminal = [], False, sys.stdout.isatty()
    for path, answer in classify(find_study(study), images, tta=tta):
        if isinstance(answer, DataError):
            click.echo(f"gaopt: {printable_lines(str(answer))}", err=True)
            bad = True
        elif as_json or table or terminal:
            answers.append((path, answer))
        else:
            click.echo(f"{printable(path)}: {_said(answer)}")
    if answers and as_json:
        click.echo(json.dumps([{"image": str(path), "classes": answer} for path, answer in answers]))
    if answers and table:
        replace_file(table, _table(answers))
    if answers and not (as_json or table):
        from gaopt.screen.console import console, listed

        rows = [(str(path), answer[0][0], f"{answer[0][1]:.4f}", _said(answer[1:3])) for path, answer in answers]
        console().print(listed(("image", "class", "probability", "then"), rows, ("probability",)))
    if bad:
        click.get_current_context().exit(2)


def _said(answer: Sequence[tuple[str, float]]) -> str:
    return "  ".join(f"{printable(name)} {value:.4f}" for name, value in answer)


def _table(answers: Sequence[tuple[Path, Sequence[tuple[str, float]]]]) -> str:
    """As CSV: path, class, probability, class_2, probability_2, …"""
    most = max((len(answer) for _, answer in answers), default=1)
    further = [f"{name}_{rank}" for rank in range(2, most + 1) for name in ("class", "probability")]
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["path", "class", "probability", *further])
    for path, answer in answers:
        writer.writerow([printable(path), *(cell for name, value in answer for cell in (name, f"{value:.6f}"))])
    return out.getvalue()
