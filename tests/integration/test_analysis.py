"""What networks cost, against the papers' figures, torchvision's models, and the whole networks at work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from resnet.analysis import PUBLISHED, Analysis, Case, analyse, usual
from resnet.net import build
from resnet.spec import FAMILIES, NAMES, ORDERS, Family, NetSpec


def whole(spec: NetSpec, classes: int = 1000) -> nn.Sequential:
    with torch.device("meta"):
        return build(spec, classes=classes)


def counted(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_borrowed_networks_are_torchvision_s_without_auxiliary_classifiers(name: str) -> None:
    from torchvision import models

    with torch.device("meta"):
        theirs = models.get_model(name, weights=None, init_weights=False, aux_logits=True)
    auxiliary = sum(counted(each) for part, each in theirs.named_children() if part.lower().startswith("aux"))
    assert auxiliary
    assert counted(whole(NetSpec(name))) == counted(theirs) - auxiliary


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


def rows(found: Analysis) -> list[tuple[str, int, str]]:
    return [(stage.name, stage.size, " | ".join(stage.made)) for stage in found.stages]


def test_stages_are_the_rows_of_table_1() -> None:
    assert rows(analyse(NetSpec("resnet152"))) == [
        ("conv1", 112, "7×7, 64, stride 2"),
        ("conv2_x", 56, "3×3 max pool, stride 2 | [1×1, 64; 3×3, 64; 1×1, 256] × 3"),
        ("conv3_x", 28, "[1×1, 128; 3×3, 128; 1×1, 512] × 8"),
        ("conv4_x", 14, "[1×1, 256; 3×3, 256; 1×1, 1024] × 36"),
        ("conv5_x", 7, "[1×1, 512; 3×3, 512; 1×1, 2048] × 3"),
        ("fc", 1, "average pool | 1000-d fc"),
    ]
    assert rows(analyse(NetSpec("preact110"))) == [
        ("conv1", 32, "3×3, 16"),
        ("conv2_x", 32, "[3×3, 16; 3×3, 16] × 18"),
        ("conv3_x", 16, "[3×3, 32; 3×3, 32] × 18"),
        ("conv4_x", 8, "[3×3, 64; 3×3, 64] × 18"),
        ("fc", 1, "batch norm, ReLU | average pool | 10-d fc"),
    ]


def test_a_stage_costs_what_one_counts_by_hand() -> None:
    first, second, *_, last = analyse(NetSpec("resnet34")).stages
    assert first.multiply_adds == 112 * 112 * 64 * 7 * 7 * 3
    assert second.multiply_adds == 3 * 2 * 56 * 56 * 64 * 64 * 9
    assert second.parameters == 3 * 2 * (64 * 64 * 9 + 2 * 64)
    assert (last.parameters, last.multiply_adds) == (512 * 1000 + 1000, 512 * 1000)
    memory = analyse(NetSpec("resnet34"), Case(32, 10, batch=64)).memory("adam")
    assert memory["images"] == 4 * 64 * 3 * 32 * 32
    assert memory["total"] == memory["activations"] + memory["images"] + 4 * memory["parameters"]
    # The convolution's output, and the batch norm's own, which the ReLU gives on, in float32; the images.
    assert first.activations == pytest.approx(4 * (2 * 112 * 112 * 64 + 3 * 224 * 224), rel=1e-3)


def test_stages_of_borrowed_networks_are_their_own_blocks() -> None:
    vgg = rows(analyse(NetSpec("vgg16_bn")))
    assert vgg[0] == ("conv1_x", 224, "[3×3, 64] × 2")
    assert vgg[4] == ("conv5_x", 14, "2×2 max pool, stride 2 | [3×3, 512] × 3")
    assert vgg[5] == ("fc", 1, "2×2 max pool, stride 2 | average pool to 7×7 | [4096-d fc] × 2 | 1000-d fc")
    google = {name: (size, made) for name, size, made in rows(analyse(NetSpec("googlenet")))}
    assert google["inception4e"] == (14, "6 convolutions")
    assert google["fc"] == (1, "average pool | 1000-d fc")


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


@pytest.mark.parametrize("name", ["resnet18", "preact20", "googlenet"])
def test_what_is_kept_is_what_a_real_step_keeps(name: str) -> None:
    case = Case(32, 10)
    assert near(summed(NetSpec(name), case), full(NetSpec(name), case, "cpu"))


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
