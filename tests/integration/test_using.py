"""A study's model at work: exported to files that need no gaopt, and on files, folders and globs."""

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

from gaopt.journal.paths import StudyDir
from gaopt.objectives.image import predict, use
from resnet import weights
from resnet.decode import read_image
from resnet.net import build
from resnet.spec import NetSpec
from tests.integration.test_cli import invoke
from tests.unit.test_export import mixed, written

NETS = [NetSpec("resnet20", width=0.2), NetSpec("googlenet")]


def with_model(home: StudyDir, spec: NetSpec = NETS[0], **changes: Any) -> StudyDir:
    """A study whose best model has just been initialised."""
    torch.manual_seed(1)
    weights.write(home.weights, build(spec, 3, 3).state_dict(), {})
    told = {"net": asdict(spec), "channels": 3, "size": 32, "classes": ["a", "b", "ü"], "mean": [0.4, 0.5, 0.6]}
    home.best.write_text(json.dumps(told | {"std": [0.2] * 3, "individual": 0} | changes))
    return home


@pytest.fixture
def home(results: Path) -> StudyDir:
    return with_model(written(StudyDir(results / "mine"), mixed()))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Seventy images, more than are read at once, in two folders; and one that is none."""
    draw = np.random.default_rng(0)
    for n in range(70):
        path = tmp_path / "photos" / ("b" if n % 2 else "a") / f"{n:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (32, 40, 3), np.uint8)).save(path)
    (tmp_path / "photos/a/10.png").write_bytes(b"none")
    return tmp_path / "photos"


@pytest.mark.parametrize("spec", NETS, ids=lambda spec: spec.name)
def test_onnx_has_pixels_in_and_probabilities_out_as_the_model_gives_them(
    spec: NetSpec, home: StudyDir, photos: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with_model(home, spec)
    code, out, _ = invoke(capfd, "export", "mine", "--to", "onnx")
    assert (code, out.strip()) == (0, str(home.export("onnx") / "model.onnx"))
    session = onnxruntime.InferenceSession(out.strip())
    told = json.loads((home.export("onnx") / "model.json").read_text())
    kept = session.get_modelmeta().custom_metadata_map
    assert json.loads(kept["classes"]) == told["classes"] == ["a", "b", "ü"]
    paths = sorted((photos / "b").glob("*.png"))
    pixels = np.stack([read_image(path, told["size"], told["channels"]) for path in paths])
    (found,) = session.run(["probabilities"], {"images": pixels})
    for (_, answer), row in zip(predict(home, [photos / "b"], top=3), found, strict=True):
        assert not isinstance(answer, Exception)
        assert [name for name, _ in answer] == [told["classes"][n] for n in np.argsort(-row)]
        assert [p for _, p in answer] == pytest.approx(sorted(row, reverse=True), abs=1e-5)


def test_a_program_of_torch_has_its_classes_with_it(home: StudyDir, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "export", "mine", "--to", "torch")
    assert code == 0
    told = {"model.json": ""}
    net = torch.export.load(out.strip(), extra_files=told).module()
    assert json.loads(told["model.json"])["classes"] == ["a", "b", "ü"]
    images = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(net(images), use.used(home).net(images))


def test_an_export_that_computes_something_else_is_refused_and_nothing_is_left(
    home: StudyDir, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(*given: Any, **named: Any) -> Any:
        proto = exported(*given, **named).model_proto
        for each in proto.graph.initializer:
            if len(each.dims) == 2:  # the last layer
                each.CopyFrom(onnx.numpy_helper.from_array(2 * onnx.numpy_helper.to_array(each), each.name))
        return SimpleNamespace(model_proto=proto)

    exported = torch.onnx.export
    monkeypatch.setattr(torch.onnx, "export", other)
    code, out, err = invoke(capfd, "export", "mine", "--to", "onnx")
    assert (code, out) == (2, "")
    assert "the probabilities by onnxruntime are" in err
    assert not home.export("onnx").exists()


def test_what_cannot_be_exported_is_said_in_a_sentence(
    home: StudyDir, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deciding(torch.nn.Module):
        """One whose layers depend on what it sees."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.mean((2, 3)) if images.sum() > 0 else images.amax((2, 3))

    known, _ = use.best(home)
    with monkeypatch.context() as patch:
        patch.setattr("gaopt.export.find_spec", lambda package: None if package == "onnxscript" else sys)
        code, _, err = invoke(capfd, "export", "mine", "--to", "onnx")
    assert (code, err.count("\n")) == (2, 1)
    assert "onnxscript is not installed, and this export needs it: pip install 'gaopt[onnx]'" in err
    with monkeypatch.context() as patch:
        patch.setattr(use, "best", lambda home: (known, Deciding()))
        code, _, err = invoke(capfd, "export", "mine", "--to", "torch")
    assert code == 2
    assert err.splitlines()[-1].startswith("gaopt: the network resnet20 cannot be exported by torch: ")
    home.weights.unlink()
    code, _, err = invoke(capfd, "export", "mine", "--to", "torch")
    assert (code, err.count("\n")) == (2, 1)
    assert "has no best model" in err


def test_files_folders_and_globs_come_as_a_table(
    home: StudyDir, photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "found.csv"
    given = [str(photos / "a" / "00.png"), str(photos / "*" / "1?.png"), str(photos), str(photos / "*.gif")]
    code, out, err = invoke(capfd, "predict", "mine", *given, "--csv", str(table))
    assert (code, out, err.count("\n")) == (2, "", 3)  # the file that is none twice, and the glob that finds none
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    inside = sorted(path for path in photos.rglob("*.png") if path.name != "10.png")
    found = [photos / "a" / "00.png", *(path for path in inside if path.name[0] == "1"), *inside]
    assert [row["path"] for row in rows] == [str(path) for path in found]
    head = "path class probability class_2 probability_2 class_3 probability_3"
    assert list(rows[0]) == head.split()
    assert sum(float(rows[0][name]) for name in rows[0] if name.startswith("probability")) == pytest.approx(1, abs=1e-4)


def test_images_are_augmented_as_they_were_in_training(
    home: StudyDir, photos: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = invoke(capfd, "predict", "mine", str(photos / "b"), "--tta")
    assert (code, err.count("\n")) == (2, 1)
    assert "trained without flips and crops" in err
    image = photos / "b" / "01.png"
    mirrored = photos / "mirrored.png"
    Image.fromarray(np.asarray(Image.open(image).resize((32, 32)))).save(image)
    Image.fromarray(np.asarray(Image.open(image))[:, ::-1]).save(mirrored)
    with_model(home, flip=True)
    plain, tta = ([dict(a) for _, a in predict(home, [image, mirrored], tta=tta)] for tta in (False, True))  # type: ignore[arg-type]
    for name in ("a", "b", "ü"):
        assert plain[0][name] != plain[1][name]
        assert tta[0][name] == pytest.approx((plain[0][name] + plain[1][name]) / 2, abs=1e-6)
    with_model(home, flip=True, crop=4)
    net = use.used(home).net
    batch = torch.randn(2, 3, 32, 32)
    views = list(net.views(batch))
    assert len(views) == 10
    assert torch.equal(views[0], batch)
    assert torch.equal(views[2][:, :, 2:, 2:], batch[:, :, :-2, :-2])
    assert torch.equal(views[3], views[2].flip(-1))
