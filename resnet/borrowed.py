"""Networks that torchvision builds: the only door to its models."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from resnet.spec import BORROWED


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


def build(name: str, classes: int, pretrained: bool = False) -> nn.Sequential:
    """Images (n, 1 or 3, h, w) float to logits (n, classes).

    GoogLeNet and Inception come without their auxiliary classifiers.

    Args:
        pretrained: torchvision's weights are to come in. Those of GoogLeNet and Inception are of images in −1 … 1.

    Raises:
        KeyError: the name is not one of `BORROWED`.
    """
    from torchvision import models

    row = BORROWED[name]
    options: dict[str, Any] = {} if name.startswith("vgg") else {"aux_logits": False, "transform_input": pretrained}
    net = models.get_model(name, weights=None, init_weights=False, **options)
    parent, _, last = row.head.rpartition(".")
    head = net.get_submodule(row.head)
    setattr(net.get_submodule(parent), last, nn.Linear(head.in_features, classes))
    return nn.Sequential(OrderedDict(fit=Fit(row.smallest), net=net))
