"""Networks of timm and torchvision by name: built, begun from weights, trained, resumed."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gaopt.journal.paths import StudyDir
from resnet import weights
from resnet.analysis import analyse
from resnet.data import DataSpec, Images, load
from resnet.groups import grouped, levels
from resnet.net import build, check_library, heads, outline
from resnet.recipe import RECIPES, Recipe
from resnet.spec import NetSpec
from resnet.train import train
from resnet.zoo import LibraryError, seen, wanted
from tests.integration.test_cli import invoke

RESNET = NetSpec("timm:test_resnet")
TORCHVISION = (
    *(
        "alexnet",
        "convnext_tiny",
        "densenet121",
        "efficientnet_b0",
        "googlenet",
        "inception_v3",
        "maxvit_t",
        "mnasnet0_5",
    ),
    *("mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_0"),
    *("swin_t", "vgg11", "vit_b_32"),
)
TIMM = (
    *("convnext_atto", "deit_tiny_distilled_patch16_224", "densenet121"),
    *("edgenext_xx_small", "efficientnet_b0", "eva02_tiny_patch14_224", "fastvit_t8", "ghostnet_050", "hgnet_tiny"),
    *("inception_v3", "levit_128s", "maxvit_nano_rw_256", "mixer_s32_224", "mobilenetv3_small_050", "mobilevit_xxs"),
    *("nfnet_l0", "poolformer_s12", "regnetx_002", "repvit_m0_9", "resnet18", "swin_tiny_patch4_window7_224", "vgg11"),
    *("vit_tiny_patch16_224.augreg_in21k",),
)


@pytest.fixture
def timm() -> Any:
    return pytest.importorskip("timm", reason="timm is an extra")


@cache
def digits(size: int = 24) -> Images:
    return load(DataSpec("digits", size=size, limit=100))


@pytest.mark.parametrize("name", [*(f"timm:{name}" for name in TIMM), *(f"torchvision:{name}" for name in TORCHVISION)])
def test_every_family_takes_its_own_size_and_has_a_head_for_the_classes(name: str) -> None:
    if name.startswith("timm:"):
        pytest.importorskip("timm", reason="timm is an extra")
    spec = NetSpec(name)
    check_library(spec, wanted(spec).size, 3, 7)
    net = outline(spec, 1, 7)
    own = net.state_dict()
    assert all(any(key.startswith(head) for key in own) for head in heads(net, spec))
    assert {p.shape[0] for key, p in own.items() if key.startswith(heads(net, spec)) and p.ndim > 0} >= {7}
    assert sum(map(len, levels(net))) == len(list(net.parameters()))


def test_what_a_library_lacks_is_one_sentence(timm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for spec, said in (
        (NetSpec("timm:convnext_ato"), "timm has no such network: did you mean 'timm:convnext_atto'?"),
        (NetSpec("timm:test_resnet.foo"), "test_resnet has no weights 'foo': known: r160_in1k"),
        (NetSpec("torchvision:resnet19"), "torchvision has no such network: did you mean 'torchvision:resnet18'?"),
        (NetSpec("timm:qwen3_vit_88m_enc"), "which is no network for classification"),
        (NetSpec("timm:vgg11", drop_path_rate=0.1), "timm:vgg11 takes no drop_path_rate"),
        (NetSpec("torchvision:resnet18", drop_rate=0.1), "torchvision:resnet18 takes no drop_rate"),
        (NetSpec("timm:inception_v3"), "takes no images of 24 pixels"),
    ):
        with pytest.raises(LibraryError, match=said.replace("?", r"\?")):
            check_library(spec, 24, 3, 10)
    wanted.cache_clear()
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(LibraryError, match=r"pip install 'gaopt\[timm\]'"):
        wanted(RESNET)


def test_keys_of_residual_networks_and_of_libraries_do_not_mix() -> None:
    for keys, said in (
        ({"name": "timm:resnet18", "width": 2.0}, "width is 2.0 with timm:resnet18"),
        ({"name": "torchvision:vgg16", "init": "xavier"}, "built by torchvision"),
        ({"name": "resnet18", "drop_rate": 0.1}, "drop_rate is 0.1 with resnet18, which takes none"),
        ({"name": "timm:resnet18", "drop_rate": -0.5}, "must be 0 or more, or -1"),
        ({"name": "tim:resnet18"}, "which is no network"),
    ):
        with pytest.raises(ValueError, match=said):
            NetSpec(**keys)


@pytest.mark.parametrize("name", ["timm:test_resnet", "timm:test_vit", "torchvision:mobilenet_v3_small"])
def test_it_trains_resumes_bit_identically_and_its_weights_are_read_again(name: str, tmp_path: Path) -> None:
    if name.startswith("timm:"):
        pytest.importorskip("timm", reason="timm is an extra")
    spec, path = NetSpec(name, drop_rate=0.1), tmp_path / "checkpoint.safetensors"
    recipe = replace(RECIPES["fine_tune"], epochs=3, batch=50, checkpoint=0.0, layer_decay=0.9)
    whole = train(spec, recipe, digits())

    def killed(last: int, epoch: int, *_: Any) -> None:
        if epoch == last:
            raise KeyboardInterrupt

    for last in (2, 3):  # what is gone on from is the end of the frozen epoch, then that of the next
        with pytest.raises(KeyboardInterrupt):
            train(spec, recipe, digits(), report=partial(killed, last), checkpoint=path)
    notes: list[str] = []
    again = train(spec, recipe, digits(), checkpoint=path, note=notes.append)
    assert notes == []
    one, other = whole.net.state_dict(), again.net.state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert again.metrics == whole.metrics
    weights.write(tmp_path / "best.safetensors", one, {})
    net = build(spec, 1, 10)
    net.load_state_dict((weights.read(tmp_path / "best.safetensors") or ({}, {}))[0])
    images = torch.rand(2, 1, 24, 24)
    with torch.inference_mode():
        assert torch.allclose(net.eval()(images), whole.net.eval()(images), atol=1e-4)


def test_weights_of_a_file_or_of_the_hub_give_all_but_the_head(
    timm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    theirs = timm.create_model("test_resnet").state_dict()
    torch.save(theirs, tmp_path / "theirs.pt")
    ours = build(replace(RESNET, name="timm:test_resnet"), 3, 4).state_dict()  # as a study leaves them
    weights.write(tmp_path / "best.safetensors", ours, {})
    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", lambda *_, **__: theirs)
    given = {
        str(tmp_path / "theirs.pt"): {f"net.{name}": each for name, each in theirs.items()},
        str(tmp_path / "best.safetensors"): ours,
        "imagenet": {f"net.{name}": each for name, each in theirs.items()},
    }
    for pretrained, tensors in given.items():
        spec = replace(RESNET, pretrained=pretrained)
        net = build(spec, 1, 10)
        head = net.state_dict()["net.fc.weight"].clone()
        weights.start(net, spec)
        found = net.state_dict()
        assert torch.equal(found["net.fc.weight"], head)
        assert all(torch.equal(found[name], tensors[name]) for name in found if not name.startswith("net.fc."))


def test_without_a_connection_weights_are_one_sentence_at_once(timm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def head(self, *_: Any, **__: Any) -> None:
            raise OSError("no route to host")

    monkeypatch.setattr("huggingface_hub.get_session", Closed)
    monkeypatch.setenv("HF_HOME", "/nonexistent")
    spec = NetSpec("timm:test_vit", pretrained="imagenet")
    with pytest.raises(
        weights.WeightsError, match=r"could not be fetched .*does not answer: no route to host.*net\.pre"
    ):
        weights.start(build(spec, 3, 10), spec)


def test_images_are_normalised_as_the_weights_want_them(timm: Any) -> None:
    own = wanted(NetSpec("timm:test_vit", pretrained="imagenet"))
    assert (own.size, own.fixed, own.mean) == (160, True, (0.5, 0.5, 0.5))
    assert seen(digits(), NetSpec("timm:test_vit")) is digits()
    shown = seen(digits(), NetSpec("torchvision:resnet18", pretrained="imagenet"))
    assert shown.mean == pytest.approx((0.449,), abs=1e-3)
    assert shown.std == pytest.approx((0.226,), abs=1e-3)


def test_the_costs_of_a_library_s_network_are_those_that_are_published() -> None:
    found = analyse(NetSpec("torchvision:resnet50"))
    assert found.parameters == 25_557_032
    assert found.multiply_adds / 1e9 == pytest.approx(4.089, abs=2e-3)
    own = analyse(NetSpec("resnet50"))
    assert found.memory()["total"] == pytest.approx(own.memory()["total"], rel=0.01)
    assert [stage.name for stage in found.stages] == ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc"]


def test_rates_fall_from_the_head_to_the_images() -> None:
    spec = NetSpec("resnet20")
    net = build(spec)
    names = {p: name for name, p in net.named_parameters()}
    assert [(group.decays, group.scale, group.frozen) for group in grouped(net, heads(net, spec), Recipe())] == [
        *((True, 1.0, 1.0), (False, 1.0, 1.0))
    ]
    recipe = replace(RECIPES["fine_tune"], lr_mult=1024.0)
    found = {
        names[p]: group for group, ps in grouped(net, heads(net, spec), recipe).items() for p in ps
    }  # ten blocks before the head
    scales = [found[name].scale for name in ("fc.weight", "stage3.2.branch.conv1.weight", "stem.conv1.weight")]
    assert scales == pytest.approx([1, 1 / 2, 1 / 1024])
    assert [found[name].frozen for name in ("fc.bias", "stem.bn1.weight", "stem.conv1.weight")] == [1.0, 0.1, 0.0]
    decayed = grouped(net, heads(net, spec), Recipe(layer_decay=0.5))
    assert sorted({group.scale for group in decayed}) == [0.5**power for power in range(10, -1, -1)]


def test_a_study_of_own_images_is_predicted_as_it_was_measured(
    timm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    grey = load(DataSpec("digits")).train
    for label in (0, 1):
        (folder := tmp_path / "photos" / f"d{label}").mkdir(parents=True)
        for number, image in enumerate(grey.images[grey.labels == label][:12]):
            Image.fromarray(np.tile(image, (1, 1, 3))).resize((20, 24)).save(folder / f"{number}.png")
    torch.manual_seed(1)
    torch.save(timm.create_model("test_resnet").state_dict(), "theirs.pt")
    given = "train finetune --data photos --name mine --set pool.kind=inline --set recipe.batch=4"
    given += " --set recipe.epochs=2 --set net.name=timm:test_resnet --set net.pretrained=theirs.pt"
    code, _, err = invoke(capfd, *given.replace("test_resnet", "test_resnett").split())
    assert (code, "did you mean 'timm:test_resnet'?" in err) == (2, True)
    code, _, err = invoke(capfd, *given.replace("theirs.pt", "photos/d0/0.png").split())
    assert (code, "cannot be read safely" in err) == (2, True)
    assert not (tmp_path / "results").exists()
    code, _, err = invoke(capfd, *given.split())
    assert code == 0, err
    home = StudyDir(tmp_path / "results" / "mine")
    about = json.loads(home.best.read_text())
    assert (about["size"], about["mean"], about["std"]) == (160, [0.5] * 3, [0.5] * 3)
    measured = {row["image"]: row for row in csv.DictReader(home.predictions.read_text().splitlines())}
    code, out, _ = invoke(capfd, "predict", "mine", *(f"photos/{name}" for name in measured), "--json")
    assert code == 0
    assert len(measured) == 4
    for answer in json.loads(out):
        (said, probability), *_ = answer["classes"]
        row = measured[answer["image"].removeprefix("photos/")]
        assert (said, f"{probability:.4f}") == (row["predicted"], f"{float(row['probability']):.4f}")
