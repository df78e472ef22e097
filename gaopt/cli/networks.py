"""The verb that shows the networks: nets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from gaopt.cli.group import cli

if TYPE_CHECKING:
    from rich.table import Table

    from gaopt.objectives.image.nets import Analysis

GIB = 2**30
WIDE = 96  # columns from which there is room for the activations of each stage
LEGEND = """
FLOPs: multiply-adds of convolutions and linear layers for one image; under
1×1 with a bottleneck's stride there, as in the paper, else on its 3×3, as in
torchvision. Memory: of a training step with Adam in float32.
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
        table = _table("network", "layers", "parameters\n10⁶", "paper", "FLOPs\n10⁹", "1×1", "paper", "memory\nGiB")
        table.title = f"{case.size} px, {case.classes} classes, batch {case.batch}"
        for each in same:
            paper, strides = each.published, each.by_stride
            table.add_row(
                each.spec.name,
                str(each.layers),
                f"{each.parameters / 1e6:.2f}",
                f"{paper.parameters:g}" if paper and paper.parameters else "",
                f"{strides.get('3x3', each.multiply_adds) / 1e9:.3f}",
                f"{strides['1x1'] / 1e9:.3f}" if strides else "",
                f"{paper.multiply_adds:g}" if paper and paper.multiply_adds else "",
                f"{each.memory().total / GIB:.2f}",
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
    places = {"3x3": ", stride on the 3×3 as in torchvision", "1x1": ", stride on the 1×1 as in the paper", "": ""}
    for stride, count in (found.by_stride or {"": found.multiply_adds}).items():
        own = " (this one)" if stride == found.spec.stride else ""
        yield f"FLOPs       {count / 1e9:.3f} ×10⁹{places[stride]}{own}"
    memory, sgd = found.memory("adam"), found.memory("sgd").total
    yield (
        f"memory      {_bytes(memory.total)} for a step at batch {case.batch} with Adam, {_bytes(sgd)} with SGD:\n"
        f"  {', '.join(f'{name} {_bytes(count)}' for name, count in asdict(memory).items())}"
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
