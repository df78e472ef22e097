"""A network from its spec."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from resnet.layers import UNITS, Basic, Bottleneck, stem
from resnet.spec import NetSpec


def build(spec: NetSpec, channels: int = 3, classes: int = 10) -> nn.Sequential:
    """An untrained network: images (n, channels, h, w) float to logits (n, classes).

    Weights follow He et al., *Delving Deep into Rectifiers*, 2015; draw them from torch's global generator.
    """
    family = spec.family
    unit = UNITS[family.unit]
    parts: OrderedDict[str, nn.Module] = stem(family.stem, channels, family.filters[0])
    inputs = family.filters[0]
    for number, (units, filters) in enumerate(zip(family.units, family.filters, strict=True), 1):
        stage = []
        for index in range(units):
            stride = 2 if number > 1 and index == 0 else 1
            stage.append(unit(inputs, filters, stride, family.shortcut))
            inputs = filters * unit.expansion
        parts[f"layer{number}"] = nn.Sequential(*stage)
    parts |= OrderedDict(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(inputs, classes))
    net = nn.Sequential(parts)
    _initialise(net, spec.zero_gamma)
    return net


def _initialise(net: nn.Module, zero_gamma: bool) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif zero_gamma and isinstance(module, Basic | Bottleneck):
            nn.init.zeros_(module.gamma)
