"""A network from its spec."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet.layers import Unit, norm_act, sequential, stem
from resnet.spec import BORROWED, ORDERS, UNITS, NetSpec


def build(spec: NetSpec, channels: int = 3, classes: int = 10) -> nn.Sequential:
    """An untrained network: images (n, channels, h, w) float to logits (n, classes).

    Weights are drawn from torch's global generator. Pretrained ones are put in by `weights.start`.
    """
    if spec.name in BORROWED:
        net = _borrowed(spec.name, classes, bool(spec.pretrained))
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


class Fit(nn.Module):
    """Images as a borrowed network wants them: three channels, and sides of at least so many pixels."""

    def __init__(self, smallest: int) -> None:
        super().__init__()
        self.smallest = smallest

    def forward(self, images: Tensor) -> Tensor:
        images = images.expand(-1, 3, -1, -1)
        if images.shape[-1] >= self.smallest:
            return images
        return F.interpolate(images, size=(self.smallest, self.smallest), mode="bilinear", align_corners=False)


def _borrowed(name: str, classes: int, pretrained: bool) -> nn.Sequential:
    """A network that torchvision builds. GoogLeNet and Inception come without their auxiliary classifiers.

    Args:
        pretrained: torchvision's weights are to come in. Those of GoogLeNet and Inception are of images in −1 … 1.
    """
    from torchvision import models

    row = BORROWED[name]
    options: dict[str, Any] = {} if name.startswith("vgg") else {"aux_logits": False, "transform_input": pretrained}
    net = models.get_model(name, weights=None, init_weights=False, **options)
    parent, _, last = row.head.rpartition(".")
    head = net.get_submodule(row.head)
    setattr(net.get_submodule(parent), last, nn.Linear(head.in_features, classes))
    return nn.Sequential(OrderedDict(fit=Fit(row.smallest), net=net))


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


@contextmanager
def usual() -> Iterator[None]:
    """Within it, torch's own defaults: float32, on the CPU, with gradients. The user's process may have set others."""
    dtype, cpu = torch.get_default_dtype(), torch.device("cpu")
    torch.set_default_dtype(torch.float32)
    try:
        # A device that is set costs time at each call of torch.
        with torch.enable_grad(), nullcontext() if torch.get_default_device() == cpu else cpu:
            yield
    finally:
        torch.set_default_dtype(dtype)
