"""Which network: a name, and a row of plain data behind it. No torch here.

Two papers are cited throughout: [1] He et al., *Deep Residual Learning for Image Recognition*, 2015, and
[2] He et al., *Identity Mappings in Deep Residual Networks*, 2016.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt

from resnet.fields import changed, check_path

UNITS: dict[str, tuple[tuple[int, int], ...]] = {
    "basic": ((3, 1), (3, 1)),
    "bottleneck": ((1, 1), (3, 1), (1, 4)),
}
"""The convolutions of a unit: (kernel, outputs as a multiple of the stage's filters). Figure 5 of [1]."""


@dataclass(frozen=True)
class Order:
    """Where a unit normalises and activates. Between two convolutions there is always a batch norm and a ReLU."""

    first: tuple[str, ...]  # before the first convolution
    last: tuple[str, ...]  # after the last convolution
    after: tuple[str, ...]  # after the join with the shortcut


ORDERS: dict[str, Order] = {  # figure 4 of [2]
    "original":    Order((),             ("bn",),        ("relu",)),       # (a), and figure 2 of [1]
    "bn_after":    Order((),             (),             ("bn", "relu")),  # (b)
    "relu_before": Order((),             ("bn", "relu"), ()),              # (c)
    "relu_only":   Order(("relu",),      ("bn",),        ()),              # (d)
    "preact":      Order(("bn", "relu"), (),             ()),              # (e), full pre-activation
}  # fmt: skip


@dataclass(frozen=True)
class Family:
    """What the name of a residual network, or of its plain twin, stands for.

    Section 4.1 of [1] has the shortcuts: where the size changes, "A" pads with zeros (no parameters) and "B" projects
    by a 1×1 convolution; "C" projects everywhere; "none" makes the net plain.
    """

    unit: str  # a row of `UNITS`
    units: tuple[int, ...]  # how many in each stage; each stage after the first halves the image
    filters: tuple[int, ...]  # of the 3×3 convolutions in each stage
    stem: str  # "imagenet" (7×7 with stride 2, then a 3×3 max-pool with stride 2) or "cifar" (3×3 with stride 1)
    shortcut: str
    order: str = "original"  # a row of `ORDERS`

    @property
    def layers(self) -> int:
        """Weighted layers as the papers count them: the stem, the units' convolutions, the classifier."""
        return 2 + sum(self.units) * len(UNITS[self.unit])


def _imagenet(unit: str, *units: int, shortcut: str = "B") -> Family:
    """A column of table 1 of [1]."""
    return Family(unit, units, (64, 128, 256, 512), "imagenet", shortcut)


def _cifar(layers: int, shortcut: str = "A", order: str = "original") -> Family:
    """Section 4.2 of [1]: 6n + 2 layers."""
    return Family("basic", ((layers - 2) // 6,) * 3, (16, 32, 64), "cifar", shortcut, order)


def _cifar_bottleneck(layers: int, order: str = "original") -> Family:
    """Section 4.1 of [2]: 9n + 2 layers. Its authors' code (resnet-1k-layers) projects where the size changes."""
    return Family("bottleneck", ((layers - 2) // 9,) * 3, (16, 32, 64), "cifar", "B", order)


FAMILIES: dict[str, Family] = {
    "resnet18":  _imagenet("basic", 2, 2, 2, 2),
    "resnet34":  _imagenet("basic", 3, 4, 6, 3),
    "resnet50":  _imagenet("bottleneck", 3, 4, 6, 3),
    "resnet101": _imagenet("bottleneck", 3, 4, 23, 3),
    "resnet152": _imagenet("bottleneck", 3, 8, 36, 3),
    "plain18":   _imagenet("basic", 2, 2, 2, 2, shortcut="none"),
    "plain34":   _imagenet("basic", 3, 4, 6, 3, shortcut="none"),
    **{f"resnet{n}": _cifar(n) for n in (20, 32, 44, 56, 110, 1202)},
    **{f"plain{n}":  _cifar(n, "none") for n in (20, 32, 44, 56, 110, 1202)},
    **{f"preact{n}": _cifar(n, order="preact") for n in (20, 32, 44, 56, 110, 1202)},
    **{f"resnet{n}": _cifar_bottleneck(n) for n in (164, 1001)},
    **{f"preact{n}": _cifar_bottleneck(n, "preact") for n in (164, 1001)},
}  # fmt: skip


@dataclass(frozen=True)
class Borrowed:
    """A network that torchvision builds."""

    layers: int  # weighted ones, as its authors count them
    smallest: int  # side of its images in pixels; smaller ones are enlarged first
    head: str  # the name of its last layer, which is made anew for the classes at hand
    paper: str


_VGG = "Simonyan and Zisserman, 2014"

BORROWED: dict[str, Borrowed] = {
    "vgg16":        Borrowed(16, 32, "classifier.6", _VGG),
    "vgg16_bn":     Borrowed(16, 32, "classifier.6", _VGG),
    "vgg19":        Borrowed(19, 32, "classifier.6", _VGG),
    "vgg19_bn":     Borrowed(19, 32, "classifier.6", _VGG),
    "googlenet":    Borrowed(22, 32, "fc", "Szegedy et al., *Going Deeper with Convolutions*, 2014"),
    "inception_v3": Borrowed(48, 75, "fc", "Szegedy et al., *Rethinking the Inception Architecture*, 2015"),
}  # fmt: skip

NAMES = (*FAMILIES, *BORROWED)
PRETRAINED = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", *BORROWED)
"""Networks whose weights torchvision has."""
LIBRARIES = ("timm", "torchvision")
"""Whose networks a name can ask for, as "timm:convnext_atto"; `zoo` knows which those are."""
FORM = ("stem", "shortcut", "order", "join", "width", "units", "stride")
"""The keys of a `NetSpec` that give a residual network another form than its name says."""


@dataclass(frozen=True)
class NetSpec:
    """A network, as a config names it. Most keys are for residual networks alone, two rates for those of a library.

    Its fields are the keys of [net] in docs/config.md, which says what each is. For their sources see `Family`; `join`
    is figure 2 of [2], `stride` "1x1" that of [1], `init` He et al. (2015) or Glorot and Bengio (2010).
    `zero_gamma` does nothing where it would stop the signal: no batch norm ends the branch, or no shortcut is added.
    """

    name: str = "resnet50"
    stem: Literal["", "imagenet", "cifar"] = ""
    shortcut: Literal["", "none", "A", "B", "C"] = ""
    order: Literal["", "original", "bn_after", "relu_before", "relu_only", "preact"] = ""
    join: Literal["add", "scale", "exclusive_gate", "shortcut_gate", "conv", "dropout"] = "add"
    scale: tuple[Annotated[float, Ge(-10), Le(10)], Annotated[float, Ge(-10), Le(10)]] = (0.5, 0.5)
    gate_bias: Annotated[float, Ge(-100), Le(100)] = -6.0
    width: Annotated[float, Gt(0), Le(100)] = 1.0
    units: Annotated[int, Ge(0), Le(1000)] = 0
    stride: Literal["3x3", "1x1"] = "3x3"
    init: Literal["he", "xavier"] = "he"
    zero_gamma: bool = True
    pretrained: str = ""
    drop_rate: Annotated[float, Ge(-1), Lt(1)] = -1.0
    drop_path_rate: Annotated[float, Ge(-1), Lt(1)] = -1.0

    def __post_init__(self) -> None:
        check_path("pretrained", self.pretrained)
        for key in ("drop_rate", "drop_path_rate"):
            if -1 < (rate := getattr(self, key)) < 0:
                raise ValueError(f"{key} is {rate}: must be 0 or more, or -1 for the network's own")
        if self.library:
            self._check_untouched(self.name, (*FORM, "init"), f"is built by {self.library}")
            return
        if self.name not in NAMES:
            close = get_close_matches(self.name, NAMES, n=1)
            known = f"known: {', '.join(NAMES)}, and timm:NAME and torchvision:NAME for theirs"
            hint = f"did you mean {close[0]!r}?" if close else known
            raise ValueError(f"name is {self.name!r}, which is no network: {hint}")
        self._check_untouched(self.name, ("drop_rate", "drop_path_rate"), "takes none")
        if self.name in BORROWED:
            self._check_untouched(self.name, FORM, "has no such units")
        elif self.family.shortcut == "none":
            self._check_untouched("a plain net", ("join",), "has nothing to join")
        if not self.pretrained:
            return
        if self.name not in PRETRAINED:
            known = ", ".join(PRETRAINED)
            raise ValueError(f"pretrained is {self.pretrained!r}, but torchvision has no {self.name}: it has {known}")
        self._check_untouched("pretrained weights", FORM, "are of torchvision's own form")

    def _check_untouched(self, what: str, keys: tuple[str, ...], why: str) -> None:
        for key in keys:
            if (value := getattr(self, key)) != (default := getattr(NetSpec, key)):
                raise ValueError(f"{key} is {value!r} with {what}, which {why}: must be {default!r}")

    @property
    def library(self) -> str:
        """Which of `LIBRARIES` builds it; "" for the networks of this package."""
        library, colon, _ = self.name.partition(":")
        return library if colon and library in LIBRARIES else ""

    @property
    def family(self) -> Family:
        """The row of `FAMILIES` with this spec's changes; a KeyError for any other network."""
        row = FAMILIES[self.name]
        return replace(
            row,
            units=(self.units,) * len(row.units) if self.units else row.units,
            filters=tuple(max(1, round(filters * self.width)) for filters in row.filters),
            stem=self.stem or row.stem,
            shortcut=self.shortcut or row.shortcut,
            order=self.order or row.order,
        )

    def with_genes(self, genes: Mapping[str, Any]) -> NetSpec:
        """The same network with some fields replaced, as `changed` does."""
        return changed(self, genes, "net", never=("pretrained",))

    @property
    def layers(self) -> int:
        """Weighted layers on the longest path; a KeyError for a network of a library."""
        return BORROWED[self.name].layers if self.name in BORROWED else self.family.layers
