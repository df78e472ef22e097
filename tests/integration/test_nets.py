"""Every network is built and trained; the parts do what their equations say."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet import weights
from resnet.net import Unit, build
from resnet.spec import FAMILIES, NAMES, ORDERS, UNITS, Family, NetSpec

pytestmark = pytest.mark.usefixtures("one_thread")
SLOW = ("1202", "1001", "152", "vgg")  # a second or more each
SCALES = [(0.0, 1.0), (0.5, 1.0), (0.5, 0.5)]  # table 1 of He et al. 2016
JOINS: list[dict[str, Any]] = [
    *({"join": join} for join in ("add", "exclusive_gate", "shortcut_gate", "conv", "dropout")),
    *({"join": "scale", "scale": scale} for scale in SCALES),
]


def losses(net: nn.Module, size: int, steps: int) -> list[float]:
    """Of a few steps of SGD on two images."""
    torch.manual_seed(0)
    kind = next(net.parameters()).dtype
    images, labels = torch.randn(2, 3, size, size, dtype=kind), torch.tensor([0, 1])
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    found = []
    for _ in range(steps):
        loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        found.append(loss.item())
    return found


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * any(part in name for part in SLOW)) for name in NAMES]
)
def test_every_network_is_built_and_trains(name: str) -> None:
    torch.manual_seed(0)
    net = build(NetSpec(name), classes=4)
    if name == "plain1202":  # batch norms without shortcuts blow gradients up layer by layer, here to 1e93
        net = net.double()
    cifar = name in FAMILIES and FAMILIES[name].stem == "cifar"
    (loss,) = losses(net, 8 if cifar else 32, steps=1)
    assert math.isfinite(loss)
    for which, parameter in net.named_parameters():
        assert parameter.grad is not None, which
        assert parameter.grad.isfinite().all(), which


@pytest.fixture(params=UNITS)
def tiny(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a network of three units: one as the stem leaves it, one that changes the size, one that does not."""
    family = Family(request.param, (1, 2), (4, 8), "cifar", "A")
    monkeypatch.setitem(FAMILIES, "tiny", family)
    monkeypatch.setattr("resnet.spec.NAMES", (*NAMES, "tiny"))
    return "tiny"


def test_every_order_shortcut_and_join_trains(tiny: str) -> None:
    for order in ORDERS:
        forms: list[dict[str, Any]] = [{"shortcut": shortcut} for shortcut in ("none", "A", "B", "C")]
        for form in forms + JOINS:
            net = build(NetSpec(tiny, order=order, **form))
            assert all(map(math.isfinite, losses(net, 8, steps=2)))


def shaken(net: nn.Module) -> nn.Module:
    """With batch norms that do something, as after a training."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
            nn.init.uniform_(module.weight, 0.5, 1)
            nn.init.normal_(module.bias, std=0.1)
    return net.eval()


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_outputs_are_torchvision_s_with_its_weights(name: str) -> None:
    from torchvision import models

    torch.manual_seed(0)
    theirs = shaken(models.get_model(name, num_classes=1000))
    ours = build(NetSpec(name), classes=1000).eval()
    ours.load_state_dict(weights.renamed(theirs.state_dict()))
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        assert (ours(images) - theirs(images)).abs().max() == 0


def units(net: nn.Module) -> list[Unit]:
    return [module for module in net.modules() if isinstance(module, Unit)]


def test_with_zero_gamma_a_fresh_unit_is_its_shortcut(tiny: str) -> None:
    assert all(unit.branch[-1].weight.all() for unit in units(build(NetSpec(tiny, zero_gamma=False))))  # type: ignore[operator]
    for shortcut in ["A", "B", "C"]:
        for order in ["original", "relu_only"]:
            for unit in units(build(NetSpec(tiny, order=order, shortcut=shortcut))):
                x = torch.randn(2, next(m for m in unit.branch if isinstance(m, nn.Conv2d)).in_channels, 8, 8)
                h = unit.shortcut(unit.shared(x))
                assert torch.equal(unit(x), h.relu() if order == "original" else h)


DEAD_OTHERWISE = [
    {"shortcut": "none"},
    *({"order": order} for order in ("preact", "bn_after", "relu_before")),
    {"shortcut": "none", "order": "relu_only"},
    {"join": "exclusive_gate", "gate_bias": 0.0},
]


def test_zero_gamma_stops_no_signal(tiny: str) -> None:
    for keys in DEAD_OTHERWISE:
        torch.manual_seed(0)
        net = build(NetSpec(tiny, zero_gamma=True, **keys))
        losses(net, 8, steps=1)
        for unit in units(net):
            for module in unit.branch:
                assert not isinstance(module, nn.BatchNorm2d) or module.weight.detach().any()
        stem = net.get_submodule("stem.conv1").weight
        assert isinstance(stem, Tensor)
        assert stem.grad is not None
        assert stem.grad.any()
