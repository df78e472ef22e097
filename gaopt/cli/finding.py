"""The verb that looks for a learning rate before a training: lr-find."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gaopt.cli.group import cli
from gaopt.cli.training import DATA, NAME, SEED, SETS, changed, source_of, stem_of
from gaopt.printable import path_shown

if TYPE_CHECKING:
    from gaopt.config import StudyConfig


@cli.command(name="lr-find")
@click.argument("config", required=False)
@SETS
@SEED
@DATA
@NAME
@click.option("--json", "as_json", is_flag=True, help="Print the suggestions and the curve as JSON.")
def lr_find(
    config: str | None, sets: tuple[str, ...], seed: str | None, data: str | None, name: str | None, as_json: bool
) -> None:
    """Suggest a learning rate: train a few steps while it grows, and see where the loss falls.

    CONFIG is a preset or a TOML file; 'digits' by default, 'images' with --data alone. This is the range test of
    Smith (2017) as fastai has it: 100 steps from 1e-7 to 10, ended where the loss is four times its least.
    """
    from gaopt.config import from_tables
    from gaopt.config.tables import read_toml
    from gaopt.journal.paths import fresh

    source = source_of(config, data)
    whole = from_tables(changed(read_toml(source), data, sets, {"study.seed": seed}))
    stem = f"{stem_of(source)}-lr-find"
    fresh(name, stem)
    found, files = _find(whole, name, stem)
    if as_json:
        click.echo(json.dumps(found))
        return
    options = [*(("--set", each) for each in sets), ("--seed", seed), ("--data", data)]
    words = [word for option, value in options if value is not None for word in (option, value)]
    command = path_shown(shlex.join(["gaopt", "train", *([config] if config else []), *words]))
    click.echo(f"steep   {found['steep']:<9.2g}where the loss falls fastest, if only for a few steps")
    click.echo(f"valley  {found['valley']:<9.2g}halfway down its fall")
    click.echo(f"use one: {command} {'--lr ' if 'lr' in whole.space else '--set recipe.lr='}{found['valley']:.2g}")
    for path in files:
        click.echo(path_shown(path))


def _find(config: StudyConfig, name: str | None, stem: str) -> tuple[dict[str, Any], list[Path]]:
    """Make the test, then write its files: a signal before the end leaves nothing."""
    from gaopt.cli.signals import Signals
    from gaopt.errors import ConfigError
    from gaopt.journal.paths import claim
    from gaopt.objectives.base import resolve
    from gaopt.objectives.image import Classifier, find_lr

    objective = resolve(config.objective)
    if not isinstance(objective, Classifier):
        raise ConfigError(f"study.objective is {config.objective!r}: lr-find needs 'gaopt.objectives.image:objective'")
    config = objective.check(config)
    with Signals() as signals:
        images = objective.prepare(config)
        click.echo(f"range test: a {path_shown(config.settings['net']['name'])} on {path_shown(images.name)}", err=True)
        found = asdict(find_lr(config, images, signals.check))
        from gaopt.report.plots.lr_find import write  # pandas and matplotlib: not before there is something to write

        signals.check()
        return found, write(found, config, claim(name, stem))
