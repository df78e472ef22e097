"""The parts of a residual network: stems, units, shortcuts. Parameters are named as torchvision names them."""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the size at stride 1, without bias: a batch norm follows each."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


def stem(kind: str, channels: int, filters: int) -> OrderedDict[str, nn.Module]:
    """The layers before the first stage: (n, channels, h, w) to (n, filters, h/4, w/4), or (…, h, w) for "cifar"."""
    if kind == "cifar":
        return OrderedDict(conv1=conv(channels, filters, 3), bn1=nn.BatchNorm2d(filters), relu=nn.ReLU(inplace=True))
    return OrderedDict(
        conv1=conv(channels, filters, 7, 2),
        bn1=nn.BatchNorm2d(filters),
        relu=nn.ReLU(inplace=True),
        maxpool=nn.MaxPool2d(3, 2, 1),
    )


class Pad(nn.Module):
    """Shortcut A: every stride-th pixel, new channels filled with zeros."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.extra, self.stride = outputs - inputs, stride

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))


def shortcut(option: str, inputs: int, outputs: int, stride: int) -> nn.Module | None:
    """What a unit adds its branch to; None for the identity, where the size stays."""
    if stride == 1 and inputs == outputs:
        return None
    if option == "A":
        return Pad(inputs, outputs, stride)
    return nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class Basic(nn.Module):
    """Two 3×3 convolutions and a shortcut: figure 5, left, of the paper."""

    expansion = 1

    def __init__(self, inputs: int, filters: int, stride: int, option: str) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, filters, 3, stride), nn.BatchNorm2d(filters)
        self.conv2, self.bn2 = conv(filters, filters, 3), nn.BatchNorm2d(filters)
        self.downsample = shortcut(option, inputs, filters, stride)

    @property
    def gamma(self) -> nn.Parameter:
        """The scale of the last batch norm: at zero the unit is its shortcut."""
        return self.bn2.weight

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y, inplace=True)


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions and a shortcut: figure 5, right.

    The stride is on the 3×3, as in torchvision; the paper has it on the first 1×1.
    """

    expansion = 4

    def __init__(self, inputs: int, filters: int, stride: int, option: str) -> None:
        super().__init__()
        outputs = filters * self.expansion
        self.conv1, self.bn1 = conv(inputs, filters, 1), nn.BatchNorm2d(filters)
        self.conv2, self.bn2 = conv(filters, filters, 3, stride), nn.BatchNorm2d(filters)
        self.conv3, self.bn3 = conv(filters, outputs, 1), nn.BatchNorm2d(outputs)
        self.downsample = shortcut(option, inputs, outputs, stride)

    @property
    def gamma(self) -> nn.Parameter:
        """The scale of the last batch norm: at zero the unit is its shortcut."""
        return self.bn3.weight

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y, inplace=True)


UNITS: dict[str, type[Basic] | type[Bottleneck]] = {"basic": Basic, "bottleneck": Bottleneck}
