"""Units that are computed again in the backward pass: the same numbers, less memory."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from resnet.net import build, recomputed
from resnet.recipe import RECIPES
from resnet.spec import NetSpec
from resnet.train import train
from tests.integration.test_train import RECIPE, SPEC, digits, same, state

SPECS = {
    "original": NetSpec("resnet20"),
    "pre-activation": NetSpec("preact20"),
    "ReLU last": NetSpec("resnet20", order="relu_before"),
    "dropout": NetSpec("resnet20", join="dropout"),
    "gates and projections": NetSpec("preact20", join="exclusive_gate", shortcut="C"),
    "plain": NetSpec("plain20"),
}


def stepped(spec: NetSpec, again: bool, autocast: bool = False) -> dict[str, Tensor]:
    """The loss, gradients and buffers after three steps from one seed, and what the generator draws then."""
    torch.manual_seed(0)
    net = build(spec, channels=1)
    net = recomputed(net) if again else net
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = nn.functional.cross_entropy(net(torch.randn(8, 1, 8, 8)), torch.arange(8))
        loss.backward()
        optimizer.step()
    gradients = {f"gradient of {name}": p.grad for name, p in net.named_parameters() if p.grad is not None}
    return {**gradients, **dict(net.named_buffers()), "loss": loss.detach(), "drawn": torch.rand(3)}


def test_loss_gradients_and_statistics_are_the_same_to_the_last_bit() -> None:
    for spec in SPECS.values():
        without, again = stepped(spec, False), stepped(spec, True)
        assert without.keys() == again.keys()
        assert [name for name in without if not torch.equal(without[name], again[name])] == []
        assert {int(value) for name, value in again.items() if name.endswith("num_batches_tracked")} == {3}


def test_the_precision_is_the_same_too() -> None:
    assert same(stepped(SPEC, False, autocast=True), stepped(SPEC, True, autocast=True))


def test_a_training_ends_with_the_same_weights() -> None:
    recipe = replace(RECIPE, crop=1)
    without, again = (train(SPEC, replace(recipe, recompute=value), digits()) for value in (False, True))
    assert same(state(without), state(again))
    assert without.metrics == again.metrics


def kept(net: nn.Module, images: Tensor) -> int:
    """Bytes that a forward pass keeps for the backward pass, parameters aside."""
    seen: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            seen.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = net(images)
    assert output.requires_grad
    return sum({s._cdata: s.nbytes() for s in (tensor.untyped_storage() for tensor in seen)}.values())


@pytest.mark.slow
def test_1202_layers_keep_a_quarter() -> None:
    """On the device that has shapes and no numbers: with all kept it is 12 GB for the paper's batch."""
    with torch.device("meta"):
        images = torch.empty(RECIPES["paper"].batch, 3, 32, 32)
        net = build(NetSpec("resnet1202"))
        without, again = kept(net, images), kept(recomputed(net), images)
    assert 11e9 < without < 13e9
    assert again < 3.2e9
