"""What networks cost, against the papers' figures, torchvision's models, and the whole networks at work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from resnet.analysis import PUBLISHED, Case, analyse, usual
from resnet.net import build
from resnet.spec import FAMILIES, NAMES, ORDERS, Family, NetSpec


def whole(spec: NetSpec, classes: int = 1000) -> nn.Sequential:
    with torch.device("meta"):
        return build(spec, classes=classes)


def counted(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def printed(value: float, figure: float) -> bool:
    """Whether a value is rounded to a printed figure."""
    places = len(f"{figure:g}".partition(".")[2])
    return round(value, places) == figure


def test_parameters_are_the_printed_ones_when_rounded() -> None:
    for name in [name for name, row in PUBLISHED.items() if row.parameters]:
        net = whole(NetSpec(name), usual(NetSpec(name)).classes)
        # He et al. 2016 print 10.2 for 1001 layers: that is without batch norms, which are 0.15 more.
        inner = [p.numel() for p in net.parameters() if p.ndim > 1 or not name.endswith("1001")]
        figure = PUBLISHED[name].parameters
        assert figure
        assert printed(sum(inner) / 1e6, figure)


def test_multiply_adds_are_the_papers_within_two_percent() -> None:
    for name, stride, figure in [
        ("resnet18", "3x3", 1.8),
        ("resnet34", "3x3", 3.6),  # 3.66: the paper rounds down, or counts otherwise
        ("plain18", "3x3", 1.8),
        ("plain34", "3x3", 3.6),
        ("resnet50", "1x1", 3.8),
        ("resnet101", "1x1", 7.6),
        ("resnet152", "1x1", 11.3),
        ("resnet50", "3x3", 4.1),  # what torchvision's documentation says of its own
        ("vgg16", "3x3", 15.3),
        ("vgg19", "3x3", 19.6),
    ]:
        found = analyse(NetSpec(name, stride=stride))
        assert found.multiply_adds / 1e9 == pytest.approx(figure, rel=0.02)
        if stride == "1x1":
            assert printed(found.multiply_adds / 1e9, figure) or name == "resnet50"  # 3.858


def full(spec: NetSpec, case: Case, device: str = "meta") -> tuple[int, int, int]:
    """(parameters, multiply-adds, bytes kept by an image) of a whole network at work, without any short cut."""
    with torch.device(device):
        net, images = build(spec, case.channels, case.classes), torch.zeros(2, case.channels, case.size, case.size)
    own = {tensor.untyped_storage()._cdata for tensor in (*net.parameters(), *net.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage().nbytes()
        return tensor

    with FlopCounterMode(display=False) as flops, saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = net(images)
    found = sum(size for storage, size in kept.items() if storage not in own)
    del logits
    return counted(net), flops.get_total_flops() // 4, found // 2


def summed(spec: NetSpec, case: Case) -> tuple[int, int, int]:
    found = analyse(spec, case)
    return found.parameters, found.multiply_adds, sum(stage.activations for stage in found.stages)


def near(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    """The same but for the bytes that halving the stages of two images rounds away."""
    return one[:2] == other[:2] and abs(one[2] - other[2]) < 20


def test_stages_sum_up_to_the_whole_network() -> None:
    for name in ["resnet18", "resnet50", "plain56", "preact110", "preact164", "vgg16_bn", "googlenet"]:
        case = replace(usual(NetSpec(name)), size=32)
        assert near(summed(NetSpec(name), case), full(NetSpec(name), case))


def test_units_after_the_second_cost_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resnet.spec.NAMES", (*NAMES, "four"))
    cases: list[dict[str, Any]] = [{"order": order} for order in ORDERS]
    cases += [{"join": join} for join in ("scale", "exclusive_gate", "shortcut_gate", "conv", "dropout")]
    for unit in ("basic", "bottleneck"):
        monkeypatch.setitem(FAMILIES, "four", Family(unit, (4, 1, 3), (4, 8, 16), "imagenet", "B"))
        for keys in cases:
            spec, case = NetSpec("four", **keys), Case(16, 5, 1)
            assert near(summed(spec, case), full(spec, case))


def test_a_figure_is_published_of_the_paper_s_own_network_alone() -> None:
    for spec, case in [
        (NetSpec("resnet50", shortcut="C"), None),
        (NetSpec("resnet50", stem="cifar"), None),
        (NetSpec("resnet110", join="shortcut_gate"), None),
        (NetSpec("resnet50"), Case(299, 1000)),
        (NetSpec("resnet20"), Case(32, 100)),
        (NetSpec("vgg16_bn"), None),
    ]:
        assert analyse(spec, case).published is None
        assert analyse(replace(NetSpec("resnet50"), stride="1x1"), Case(224, 1000, batch=1)).published
