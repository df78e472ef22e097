"""The verbs that measure before a search, or what searches are worth: nets, lr-find, bench."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gaopt.cli.arguments import CONFIG
from gaopt.cli.group import cli
from gaopt.cli.training import DATA, NAME, SEED, SETS, source_of, stem_of
from gaopt.config.tables import changed
from gaopt.errors import BadInput
from gaopt.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

    from gaopt.config import StudyConfig
    from resnet.analysis import Analysis

GIB = 2**30
WIDE = 96  # columns from which there is room for the activations of each stage
LEGEND = """
FLOPs: multiply-adds of convolutions and linear layers for one image, with
a bottleneck's stride on its 3×3, as in torchvision; in the paper it is on the
first 1×1 (--set net.stride=1x1). Memory: of a step with Adam in float32.
Paper: what is printed there."""


@cli.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--size", metavar="PX", help="The side of the images; by default the paper's.")
@click.option("--classes", metavar="N", help="How many classes; by default the paper's.")
@click.option("--batch", metavar="N", help="Images in a step, for its memory; by default the paper's.")
@click.option("--set", "sets", multiple=True, metavar="net.KEY=VALUE", help="Change the networks, as in a config.")
def nets(name: str | None, as_json: bool, sets: tuple[str, ...], **numbers: str | None) -> None:
    """What each network costs. With NAME one of them, stage by stage."""
    from rich.console import Console

    from gaopt.objectives.image.nets import analysed, plain, specs

    chosen, others = specs(name, sets)
    found = [analysed(spec, numbers) for spec in chosen]
    one = len(found) == 1 and not others
    if others:
        click.echo(f"not shown, for they take no such settings: {', '.join(others)}", err=True)
    if as_json:
        click.echo(json.dumps(plain(found[0]) if one else [plain(each) for each in found]))
        return
    console = Console(highlight=False)
    console.print(*(_one(found[0], console.width >= WIDE) if one else _all(found)), sep="\n")


def _all(found: list[Analysis]) -> Iterator[Any]:
    """One line a network, those on the same images together."""
    for case, same in groupby(found, key=lambda each: each.case):
        table = _table("network", "layers", "parameters\n10⁶", "paper", "FLOPs\n10⁹", "paper", "memory\nGiB")
        table.title = f"{case.size} px, {case.classes} classes, batch {case.batch}"
        for each in same:
            paper = each.published
            table.add_row(
                each.spec.name,
                str(each.layers),
                f"{each.parameters / 1e6:.2f}",
                f"{paper.parameters:g}" if paper and paper.parameters else "",
                f"{each.multiply_adds / 1e9:.3f}",
                f"{paper.multiply_adds:g}" if paper and paper.multiply_adds else "",
                f"{each.memory()['total'] / GIB:.2f}",
            )
        yield table
    yield LEGEND


def _one(found: Analysis, wide: bool) -> Iterator[Any]:
    """A network as table 1 of He et al. 2015 has it, and its totals."""
    from gaopt.objectives.image.nets import about

    case, paper = found.case, found.published
    yield f"{found.spec.name}  {case.size}×{case.size} images of {case.channels} channels, {case.classes} classes"
    yield f"{about(found.spec)}\n"
    head = ("stage", "output", "made of", "parameters", "FLOPs\n10⁶", *(["activations\nMiB"] if wide else []))
    table = _table(*head)
    table.columns[2].justify, table.columns[2].no_wrap = "left", False
    for row in found.stages:
        made = (", " if row.name == "fc" else "\n").join(row.made)  # as in the paper
        kept = [f"{row.activations / 2**20:.2f}"] if wide else []
        side = f"{row.size}×{row.size}"
        table.add_row(row.name, side, made, f"{row.parameters:,}", f"{row.multiply_adds / 1e6:,.1f}", *kept)
    yield table
    yield f"\nlayers      {found.layers}\nparameters  {found.parameters:,}"
    yield f"FLOPs       {found.multiply_adds / 1e9:.3f} ×10⁹"
    parts, sgd = found.memory("adam"), found.memory("sgd")["total"]
    adam = parts.pop("total")
    yield (
        f"memory      {_bytes(adam)} for a step at batch {case.batch} with Adam, {_bytes(sgd)} with SGD:\n"
        f"  {', '.join(f'{name} {_bytes(count)}' for name, count in parts.items())}"
    )
    if paper:
        printed = {"parameters": (paper.parameters, "×10⁶"), "FLOPs": (paper.multiply_adds, "×10⁹")}
        figures = [f"{value:g} {unit} {what}" for what, (value, unit) in printed.items() if value]
        yield f"paper       {', '.join(figures)} ({paper.source})"


def _bytes(count: int) -> str:
    return f"{count / GIB:.2f} GiB" if count >= GIB else f"{count / 2**20:.1f} MiB"


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="dim", title_justify="left", padding=(0, 2, 0, 0), pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=True, vertical="bottom")
    return table


@cli.command(name="lr-find")
@click.argument("config", required=False, type=CONFIG)
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
    from gaopt.journal.studies import free_dir

    source = source_of(config, data)
    whole = from_tables(changed(read_toml(source), data, sets, {"study.seed": seed}))
    stem = f"{stem_of(source)}-lr-find"
    free_dir(name, stem)
    found, files = _find(whole, name, stem)
    if as_json:
        click.echo(json.dumps(found))
        return
    options = [*(("--set", each) for each in sets), ("--seed", seed), ("--data", data)]
    words = [word for option, value in options if value is not None for word in (option, value)]
    command = printable(shlex.join(["gaopt", "train", *([config] if config else []), *words]))
    click.echo(f"steep   {found['steep']:<9.2g}where the loss falls fastest, if only for a few steps")
    click.echo(f"valley  {found['valley']:<9.2g}halfway down its fall")
    click.echo(f"use one: {command} {'--lr ' if 'lr' in whole.space else '--set recipe.lr='}{found['valley']:.2g}")
    for path in files:
        click.echo(printable(path))


def _find(config: StudyConfig, name: str | None, stem: str) -> tuple[dict[str, Any], list[Path]]:
    """Make the test, then write its files: a signal before the end leaves nothing."""
    from gaopt.cli.signals import Signals
    from gaopt.errors import ConfigError
    from gaopt.journal.studies import new_dir
    from gaopt.objectives.base import resolve
    from gaopt.objectives.image import Classifier, find_lr

    objective = resolve(config.objective)
    if not isinstance(objective, Classifier):
        raise ConfigError(f"study.objective is {config.objective!r}: lr-find needs 'gaopt.objectives.image:objective'")
    config = objective.check(config)
    with Signals() as signals:
        images = objective.prepare(config)
        click.echo(f"range test: a {printable(config.settings['net']['name'])} on {printable(images.name)}", err=True)
        found = asdict(find_lr(config, images, signals.check))
        from gaopt.report.plots.lr_find import write  # matplotlib: not before there is something to write

        signals.check()
        return found, write(found, config, new_dir(name, stem))


@cli.command(add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure how fast a training and how good the searches are, from a checkout: 'gaopt bench --help'."""
    if not find_spec("benchmarks"):
        raise BadInput("the benchmark is not installed with gaopt: run it from a checkout of the repository")
    from benchmarks.command import bench as measured

    measured.main(arguments, "gaopt bench", standalone_mode=False)
