"""The form in which a network is trained is the plain one, up to rounding."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from resnet.net import Unit
from resnet.recipe import Recipe
from resnet.spec import NetSpec
from resnet.step import placed

CPU = torch.device("cpu")


@pytest.mark.parametrize("side", [1, 2, 5])  # the second unit sees half of it: one pixel
@pytest.mark.parametrize("spec", [NetSpec("resnet20"), NetSpec("resnet50"), NetSpec("resnet50", stride="3x3")])
def test_the_form_of_a_step_gives_the_plain_outputs_and_gradients(spec: NetSpec, side: int) -> None:
    torch.manual_seed(0)
    outputs = 8 * (4 if spec.name == "resnet50" else 1)
    plain = nn.Sequential(Unit(spec, 8, 8, 1, leading=True), Unit(spec, outputs, 8, 2, leading=False)).double()
    formed = placed(copy.deepcopy(plain), Recipe(), CPU)
    images = torch.randn(8, 8, side, side, dtype=torch.double)
    found, same = plain(images), formed(images)
    torch.testing.assert_close(same, found)
    for each in (found, same):
        each.square().sum().backward()
    for a, b in zip(plain.parameters(), formed.parameters(), strict=True):
        torch.testing.assert_close(b.grad, a.grad)


def test_other_convolutions_are_left_as_they_are() -> None:
    torch.manual_seed(0)
    odd = nn.Sequential(
        nn.Conv2d(4, 4, 3, padding=1, groups=2),
        nn.Conv2d(4, 4, 2),
        nn.Conv2d(4, 4, 1, padding=1),
        nn.Conv2d(4, 2, 3, padding=2),
    )
    images = torch.randn(2, 4, 2, 2)
    torch.testing.assert_close(placed(copy.deepcopy(odd), Recipe(), CPU)(images), odd(images))
