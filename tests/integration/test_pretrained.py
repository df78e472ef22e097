"""Starting from torchvision's weights: from a file, or fetched; never from code."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from torch import Tensor, nn

from resnet import weights
from resnet.net import build
from resnet.spec import BORROWED, NetSpec
from resnet.weights import WeightsError
from tests.conftest import Live

Tensors = dict[str, Tensor]
WRITERS: dict[str, Callable[[Path, Tensors], None]] = {
    "safetensors": lambda path, tensors: weights.write(path, tensors, {}),
    "torch.save": lambda path, tensors: torch.save(tensors, path),
    "checkpoint": lambda path, tensors: torch.save(
        {"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in tensors.items()}}, path
    ),
}


def torchvision(name: str) -> Tensors:
    """Weights as torchvision publishes them, with random numbers and those auxiliary classifiers that it has."""
    from torchvision import models

    torch.manual_seed(3)
    options: dict[str, Any] = {"init_weights": False} if name in BORROWED else {}
    return dict(models.get_model(name, weights=None, **options).state_dict())


def started(spec: NetSpec, channels: int = 3) -> tuple[nn.Module, Tensors]:
    """A network of five classes after `weights.start`, and its tensors before."""
    torch.manual_seed(4)
    net = build(spec, channels, classes=5)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    weights.start(net, spec)
    return net, before


@pytest.mark.parametrize(
    ("name", "kind"), [("resnet18", "safetensors"), ("resnet18", "checkpoint"), ("googlenet", "torch.save")]
)
def test_a_file_gives_the_trunk_and_the_head_is_new(tmp_path: Path, name: Any, kind: str) -> None:
    theirs = torchvision(name)
    WRITERS[kind](tmp_path / "file", theirs)
    net, before = started(NetSpec(name, pretrained=str(tmp_path / "file")))
    ours = net.state_dict()
    named = weights.renamed(theirs) if name == "resnet18" else {f"net.{key}": each for key, each in theirs.items()}
    head = {"fc.weight", "fc.bias"} if name == "resnet18" else {"net.fc.weight", "net.fc.bias"}
    assert all(torch.equal(ours[key], before[key]) for key in head)
    assert all(torch.equal(ours[key], named[key]) for key in ours.keys() - head)


def test_weights_of_a_study_are_weights_to_start_from(tmp_path: Path) -> None:
    best = build(NetSpec("resnet18"), classes=7).state_dict()
    weights.write(tmp_path / "best.safetensors", best, {"gaopt": "0.2.0"})
    net, _ = started(NetSpec("resnet18", pretrained=str(tmp_path / "best.safetensors")))
    assert torch.equal(net.state_dict()["stage4.1.branch.conv2.weight"], best["stage4.1.branch.conv2.weight"])


def test_a_grey_image_gives_what_three_equal_channels_would(tmp_path: Path) -> None:
    theirs = torchvision("resnet18")
    weights.write(tmp_path / "file", theirs, {})
    spec = NetSpec("resnet18", pretrained=str(tmp_path / "file"))
    grey, colour = started(spec, channels=1)[0], started(spec, channels=3)[0]
    first = grey.state_dict()["stem.conv1.weight"]
    assert torch.equal(first, theirs["conv1.weight"].sum(1, keepdim=True))
    images = torch.randn(2, 1, 16, 16)
    colour.load_state_dict({name: each for name, each in grey.state_dict().items() if "fc" in name}, strict=False)
    with torch.no_grad():
        one, three = grey.eval()(images), colour.eval()(images.expand(-1, 3, -1, -1))
    assert torch.allclose(one, three, rtol=1e-3, atol=1e-3 * one.abs().max().item())


def test_a_wrong_file_is_one_clear_error(tmp_path: Path) -> None:
    for n, (write, said) in enumerate(
        [
            (lambda path: None, "is no file: must be 'imagenet' or a file of weights"),
            (lambda path: path.touch(), "cannot be read safely: must be safetensors, or tensors by torch.save"),
            (lambda path: path.write_bytes(pickle.dumps(Live(path.with_name("ran")))), "cannot be read safely"),
            (lambda path: torch.save({"conv1.weight": Live(path.with_name("ran"))}, path), "cannot be read safely"),
            (lambda path: torch.save({"epochs": 3}, path), "must be tensors by name"),
            (lambda path: torch.save({}, path), "which has no 'stem.conv1.weight' for resnet34"),
            (lambda path: torch.save(torchvision("resnet50"), path), "does not fit resnet34"),
            # Its tensors all fit, and would fill the half of the network.
            (
                lambda path: torch.save(torchvision("resnet18"), path),
                "has no 'stage1.2.branch.conv1.weight' for resnet34",
            ),
        ]
    ):
        (folder := tmp_path / str(n)).mkdir()
        write(folder / "file")
        with pytest.raises(WeightsError) as raised:
            started(NetSpec("resnet34", pretrained=str(folder / "file")))
        sentence = str(raised.value)
        assert said in sentence
        assert str(folder / "file") in sentence
        assert "\n" not in sentence
        assert not (folder / "ran").exists()


def test_imagenet_weights_are_torchvision_s_checked_by_their_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def fetch(url: str, **options: Any) -> Tensors:
        asked.append((url, options))
        return torchvision("resnet18")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", fetch)
    net, before = started(NetSpec("resnet18", pretrained="imagenet"))
    [(url, options)] = asked
    assert "resnet18" in url
    assert options["check_hash"]
    assert options["weights_only"]
    assert torch.equal(net.state_dict()["stem.conv1.weight"], torchvision("resnet18")["conv1.weight"])
    assert torch.equal(net.state_dict()["fc.weight"], before["fc.weight"])


@pytest.mark.parametrize("error", [URLError("no route to host"), RuntimeError('invalid hash value (expected "a")')])
def test_weights_that_cannot_be_fetched_are_one_clear_error(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fetch(url: str, **options: Any) -> Tensors:
        raise error

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", fetch)
    with pytest.raises(WeightsError, match=r"the weights of resnet18 could not be fetched from .*net\.pretrained"):
        started(NetSpec("resnet18", pretrained="imagenet"))
