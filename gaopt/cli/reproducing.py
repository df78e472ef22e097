"""The verb that holds the papers' experiments against our own trainings: reproduce."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from gaopt.cli.group import cli
from gaopt.cli.training import start, training_options


@cli.command()
@click.argument("experiment", required=False)
@click.option("--small", is_flag=True, help="Scaled down for a CPU, as its table [small] says.")
@click.option("--seeds", metavar="N", help="How often each variant is trained, each time with the next seed.")
@training_options
def reproduce(experiment: str | None, small: bool, seeds: str | None, **options: Any) -> None:
    """Run an experiment of the ResNet papers, or of a TOML file, and write our errors beside the papers'.

    \b
    gaopt reproduce                        the experiments there are
    gaopt reproduce published              the errors that the papers print
    gaopt reproduce degradation --small    plain and residual networks of two depths
    """
    if experiment is None:
        _list(options["as_json"])
    elif experiment == "published":
        _published(options["as_json"])
    else:
        stem, tables = _tables(experiment, small)
        start(tables, stem, {"grid.repeats": seeds}, **options)


def _list(as_json: bool) -> None:
    from gaopt.config import experiments
    from gaopt.config.tables import read_toml

    found = {name: read_toml(path)["experiment"] for name, path in experiments().items()}
    if as_json:
        click.echo(json.dumps({name: {"title": one["title"], "source": one["source"]} for name, one in found.items()}))
        return
    for name, one in found.items():
        click.echo(f"{name:20}{one['title']} ({one['source']}): {len(one['variants'])} trainings a seed")
    click.echo(f"{'published':20}the errors that the papers print")


def _published(as_json: bool) -> None:
    from gaopt.cli.console import console, listed
    from gaopt.papers.published import published

    if as_json:
        click.echo(json.dumps([asdict(each) for each in published()]))
        return
    head, numbers = ("data", "method", "top-1 error %", "top-5", "images", "source"), ("top-1 error %", "top-5")
    rows = [
        (r.data, r.method, r.printed, "" if r.top5 is None else f"{r.top5:.2f}", r.split, r.source) for r in published()
    ]
    console().print(listed(head, rows, numbers))


def _tables(name: str, small: bool) -> tuple[str, dict[str, Any]]:
    """What an experiment's study is called after, and its config; scaled down where it is to be small.

    Raises:
        ConfigError: there is none of this name or path, or it says nothing of how to scale it down.
    """
    from gaopt.config import experiments
    from gaopt.config.tables import merged, read_toml
    from gaopt.errors import ConfigError, nearest

    known = experiments()
    if name not in known and not os.path.isfile(name):
        raise ConfigError(f"there is no experiment {name!r}: {nearest(name, [*known, 'published'])}")
    path = known.get(name, Path(name))
    tables = read_toml(path)
    less = tables.pop("small", None)
    if "experiment" not in tables:
        raise ConfigError(f"{path} has no table [experiment]: a search is run with 'gaopt run'")
    if not small:
        return path.stem, tables
    if not isinstance(less, dict):
        raise ConfigError(f"{path} has no table [small]: run it without --small")
    return f"{path.stem}-small", merged(tables, less)
