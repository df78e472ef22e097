"""Which network: a name, and a row of plain data behind it. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal


@dataclass(frozen=True)
class Family:
    """What a name stands for.

    Attributes:
        unit: "basic" (two 3×3 convolutions) or "bottleneck" (1×1, 3×3, 1×1 with four times the filters).
        units: how many units in each stage; each stage after the first halves the image.
        filters: of the 3×3 convolutions in each stage.
        stem: "imagenet" (7×7 with stride 2, then a 3×3 max-pool with stride 2) or "cifar" (3×3 with stride 1).
        shortcut: where the size changes, "A" pads with zeros (no parameters), "B" projects by a 1×1 convolution.
    """

    unit: Literal["basic", "bottleneck"]
    units: tuple[int, ...]
    filters: tuple[int, ...]
    stem: Literal["imagenet", "cifar"]
    shortcut: Literal["A", "B"]


def _imagenet(unit: Literal["basic", "bottleneck"], *units: int) -> Family:
    """A column of table 1 of the paper."""
    return Family(unit, units, (64, 128, 256, 512), "imagenet", "B")


def _cifar(depth: int) -> Family:
    """Section 4.2 of the paper: 6n + 2 layers, and the zero-padding shortcut in all cases."""
    return Family("basic", ((depth - 2) // 6,) * 3, (16, 32, 64), "cifar", "A")


FAMILIES: dict[str, Family] = {
    "resnet18": _imagenet("basic", 2, 2, 2, 2),
    "resnet34": _imagenet("basic", 3, 4, 6, 3),
    "resnet50": _imagenet("bottleneck", 3, 4, 6, 3),
    "resnet101": _imagenet("bottleneck", 3, 4, 23, 3),
    "resnet152": _imagenet("bottleneck", 3, 8, 36, 3),
    **{f"resnet{depth}": _cifar(depth) for depth in (20, 32, 44, 56, 110)},
}


@dataclass(frozen=True)
class NetSpec:
    """A network, as a config names it.

    Attributes:
        name: one of `FAMILIES`.
        stem: "imagenet" or "cifar" in place of the family's own; "" leaves that.
        shortcut: "A" or "B" in place of the family's own; "" leaves that.
        zero_gamma: start the last batch norm of each unit at zero, so that every unit begins as the identity.

    Raises:
        ValueError: there is no such name, with the nearest one.
    """

    name: str = "resnet50"
    stem: Literal["", "imagenet", "cifar"] = ""
    shortcut: Literal["", "A", "B"] = ""
    zero_gamma: bool = True

    def __post_init__(self) -> None:
        if self.name not in FAMILIES:
            close = get_close_matches(self.name, FAMILIES, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(FAMILIES)}"
            raise ValueError(f"name is {self.name!r}, which is no network: {hint}")

    @property
    def family(self) -> Family:
        row = FAMILIES[self.name]
        return Family(row.unit, row.units, row.filters, self.stem or row.stem, self.shortcut or row.shortcut)
