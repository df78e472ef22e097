"""A network from its spec."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from torch import nn

from resnet import borrowed
from resnet.layers import Unit, norm_act, sequential, stem
from resnet.spec import BORROWED, ORDERS, UNITS, NetSpec


def build(spec: NetSpec, channels: int = 3, classes: int = 10) -> nn.Sequential:
    """An untrained network: images (n, channels, h, w) float to logits (n, classes).

    Weights are drawn from torch's global generator. Pretrained ones are put in by `weights.start`.
    """
    if spec.name in BORROWED:
        net = borrowed.build(spec.name, classes, bool(spec.pretrained))
    else:
        net = _residual(spec, channels, classes)
    if not next(net.parameters()).is_meta:  # where there are no numbers to draw
        _initialise(net, spec)
    return net


def _residual(spec: NetSpec, channels: int, classes: int) -> nn.Sequential:
    family = spec.family
    parts: OrderedDict[str, nn.Module] = OrderedDict(stem=stem(family.stem, channels, family.filters[0]))
    for number, units in enumerate(_stages(spec), 1):
        parts[f"stage{number}"] = nn.Sequential(*units)
    outputs = family.filters[-1] * UNITS[family.unit][-1][1]
    # Units that begin with an activation leave the last one's output without: one more (appendix of [2]).
    parts["tail"] = sequential(norm_act(ORDERS[family.order].first, outputs))
    parts |= OrderedDict(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(outputs, classes))
    return nn.Sequential(parts)


def _stages(spec: NetSpec) -> Iterator[list[Unit]]:
    family = spec.family
    inputs = family.filters[0]
    for stage, (units, filters) in enumerate(zip(family.units, family.filters, strict=True)):
        made = []
        for index in range(units):
            halves = stage > 0 and index == 0
            made.append(Unit(spec, inputs, filters, 2 if halves else 1, leading=stage == index == 0))
            inputs = filters * UNITS[family.unit][-1][1]
        yield made


def _initialise(net: nn.Module, spec: NetSpec) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            if spec.init == "he":  # He et al., *Delving Deep into Rectifiers*, 2015, equation 14
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            else:  # Glorot and Bengio, *Understanding the Difficulty of Training Deep Networks*, 2010, equation 12
                nn.init.xavier_normal_(module.weight)
        elif isinstance(module, Unit) and spec.zero_gamma and _begins_as_shortcut(spec):
            nn.init.zeros_(module.branch[-1].weight)  # type: ignore[arg-type]


def _begins_as_shortcut(spec: NetSpec) -> bool:
    """Whether a unit is its shortcut, and can still learn, when the last layer of its branch gives zeros."""
    family = spec.family
    return spec.join == "add" and family.shortcut != "none" and ORDERS[family.order].last == ("bn",)
