"""The verb that shows the networks: nets."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from gaopt.cli.group import cli

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from gaopt.objectives.image.nets import Analysis, Published

GIB = 2**30
WIDE = 96  # columns from which there is room for the activations of each stage


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
    console.print(_one(found[0], console.width) if one else _all(found))


LEGEND = """\
FLOPs: multiply-adds of convolutions and linear layers for one image; under
1×1 with a bottleneck's stride there, as in the paper, else on its 3×3, as in
torchvision. Memory: of a training step with Adam in float32.
Paper: what is printed there."""


def _all(found: list[Analysis]) -> Group:
    """One line a network, those on the same images together under one header."""
    from rich.console import Group
    from rich.text import Text

    parts: list[Any] = [_lines([], header=True)]
    for case, same in groupby(found, key=lambda each: each.case):
        title = f"{case.size} px, {case.classes} classes, batch {case.batch}"
        parts += [Text(title, style="bold"), _lines(list(same)), ""]
    return Group(*parts, Text(LEGEND, style="dim"))


def _lines(found: list[Analysis], header: bool = False) -> Table:
    names = ("network\n", "layers\n", "parameters\n10⁶", "paper\n", "FLOPs\n10⁹", "1×1\n", "paper\n", "memory\nGiB")
    table = _table(*names)
    table.show_header = header
    for column, width in zip(table.columns, (12, 6, 10, 5, 6, 6, 5, 7), strict=True):
        column.min_width = width  # the same in every group, so that they stand in line
    for column in (table.columns[3], table.columns[6]):
        column.style = "dim"
    for each in found:
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
    return table


def _one(found: Analysis, width: int) -> Group:
    """A network as table 1 of He et al. 2015 has it, and its totals."""
    from rich.console import Group
    from rich.text import Text

    from gaopt.objectives.image.nets import about

    case = found.case
    images = f"{case.size}×{case.size} images of {case.channels} channels, {case.classes} classes"
    title = Text.assemble((found.spec.name, "bold"), f"  {images}\n", (about(found.spec), "dim"))
    return Group(title, "", _stages(found, width >= WIDE), "", _totals(found))


def _stages(found: Analysis, wide: bool) -> Table:
    names = ("stage\n", "output\n", "made of\n", "parameters\n", "FLOPs\n10⁶", *(["activations\nMiB"] if wide else []))
    table = _table(*names)
    table.columns[2].justify, table.columns[2].no_wrap = "left", False
    for column in table.columns:
        column.vertical = "bottom"
    for row in found.stages:
        made = (", " if row.name == "fc" else "\n").join(row.made)  # as in the paper
        kept = [f"{row.activations / 2**20:.2f}"] if wide else []
        side = f"{row.size}×{row.size}"
        table.add_row(row.name, side, made, f"{row.parameters:,}", f"{row.multiply_adds / 1e6:,.1f}", *kept)
    return table


def _totals(found: Analysis) -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_row("layers", str(found.layers))
    table.add_row("parameters", f"{found.parameters:,}")
    table.add_row("FLOPs", _flops(found))
    table.add_row("memory", _memory(found))
    if found.published:
        table.add_row("paper", _paper(found.published))
    return table


def _flops(found: Analysis) -> str:
    if not found.by_stride:
        return f"{found.multiply_adds / 1e9:.3f} ×10⁹"
    places = {"3x3": "stride on the 3×3 as in torchvision", "1x1": "stride on the 1×1 as in the paper"}
    return "\n".join(
        f"{count / 1e9:.3f} ×10⁹, {places[stride]}{' (this one)' if stride == found.spec.stride else ''}"
        for stride, count in found.by_stride.items()
    )


def _memory(found: Analysis) -> str:
    memory, batch = found.memory("adam"), found.case.batch
    parts = {"activations": memory.activations, "images": memory.images, "weights": memory.parameters}
    parts |= {"gradients": memory.gradients, "Adam's moments": memory.optimizer}
    return (
        f"{_bytes(memory.total)} for a step at batch {batch} with Adam, {_bytes(found.memory('sgd').total)} with SGD:\n"
        + ", ".join(f"{name} {_bytes(count)}" for name, count in parts.items())
    )


def _bytes(count: int) -> str:
    return f"{count / GIB:.2f} GiB" if count >= GIB else f"{count / 2**20:.1f} MiB"


def _paper(published: Published) -> str:
    figures = []
    if published.parameters:
        figures.append(f"{published.parameters:g} ×10⁶ parameters")
    if published.multiply_adds:
        figures.append(f"{published.multiply_adds:g} ×10⁹ FLOPs")
    return f"{', '.join(figures)} ({published.source})"


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    return table
