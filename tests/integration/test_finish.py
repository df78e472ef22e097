"""From a table of photos to a model that runs without gaopt: search, finish, export, predict."""

import csv
import json
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from gaopt.errors import Stopped, StudyError
from gaopt.execution import pool as open_pool
from gaopt.journal.events import Event, Scored
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.report.model import PYTHON
from gaopt.study import finish
from gaopt.study.loop import go_on, ignore
from gaopt.study.prepare import prepare
from resnet import weights
from tests.conftest import ROOT, toy
from tests.integration.test_cli import gaopt, invoke

NET = ("net.name=resnet20", "net.width=0.5", "recipe.epochs=4", "recipe.lr=0.01", "data.size=16")
SETS = [part for each in (*NET, "pool.kind=inline") for part in ("--set", each)]

ALONE = """
import csv, sys
sys.modules.update(dict.fromkeys(["torch", "gaopt", "resnet", "fastai", "onnx"]))  # cannot be imported
{program}
for path in sys.argv[1:]:
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    pixels = np.asarray(ImageOps.fit(image, (side, side), Image.Resampling.BILINEAR))[None]
    print(classes[session.run(None, {{"images": pixels}})[0][0].argmax()])
"""


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 digits as PNGs with a table of them, and a small search of theirs, in results/."""
    folder = tmp_path_factory.mktemp("digits")
    digits, rows = load_digits(), [["path", "label"]]
    for n, (image, label) in enumerate(zip(digits.images[:300], digits.target[:300], strict=True)):
        picture = Image.fromarray((image * 15.9).astype(np.uint8)).convert("RGB")
        picture.resize((20, 16)).save(folder / f"{n:03}.png")
        rows.append([f"{n:03}.png", f"digit {label}"])
    with (folder / "labels.csv").open("w", newline="") as table:
        csv.writer(table).writerows(rows)
    given = ["--data", str(folder / "labels.csv"), "--name", "mine", *SETS, "--pop", "2", "--generations", "1"]
    done = gaopt("run", "quick", *given, GAOPT_RESULTS=str(folder / "results"))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def home(searched: Path, results: Path) -> StudyDir:
    """A copy of the search, to be finished."""
    shutil.copytree(searched / "results" / "mine", results / "mine")
    return StudyDir(results / "mine")


@pytest.mark.smoke
def test_a_finished_model_runs_by_onnxruntime_alone_and_gives_the_same_classes(
    home: StudyDir, searched: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = invoke(capfd, "finish", "mine", "--seeds", "2", "--ensemble")
    assert code == 0, err
    told = json.loads(home.final.finished.read_text())
    outputs = [weights.read(home.final.model(n).outputs) for n in told["models"]]
    assert outputs[0]
    assert outputs[1]
    labels = outputs[0][0]["labels"]
    for each, accuracy in zip(outputs, told["scores"], strict=True):
        assert each
        assert float((each[0]["probabilities"].argmax(1) == labels).float().mean()) == pytest.approx(accuracy)
    mean = (outputs[0][0]["probabilities"] + outputs[1][0]["probabilities"]) / 2
    assert told["ensemble"] == pytest.approx(float((mean.argmax(1) == labels).float().mean()))
    assert f"{np.std(told['scores'], ddof=1):.2%}".replace("%", " %") in out
    text = home.markdown.read_text("utf-8")
    assert "## Finished: trained again" in text
    assert "use the ensemble of 2 trainings on training and validation images" in text

    assert invoke(capfd, "export", "mine", "--to", "onnx")[0] == 0
    shutil.copy(home.export("onnx") / "model.onnx", tmp_path)
    shutil.copy(searched / "000.png", tmp_path / "photo.jpg")
    photos = sorted(searched.glob("*.png"))
    for document in (home.markdown, ROOT / "docs" / "models.md"):
        assert PYTHON in document.read_text("utf-8")
    alone = [sys.executable, "-I", "-c", ALONE.format(program=PYTHON), *map(str, photos)]
    done = subprocess.run(alone, capture_output=True, text=True, cwd=tmp_path, check=True)
    first, *classes = done.stdout.splitlines()
    assert first.startswith(classes[0])
    assert invoke(capfd, "predict", "mine", str(searched / "*.png"), "--csv", str(tmp_path / "found.csv"))[0] == 0
    rows = list(csv.DictReader((tmp_path / "found.csv").read_text().splitlines()))
    assert [row["path"] for row in rows] == [str(path) for path in photos]
    assert [row["class"] for row in rows] == classes
    assert len(set(classes)) > 2


def test_finishing_goes_on_where_it_was_stopped_and_to_more_seeds(
    home: StudyDir, capfd: pytest.CaptureFixture[str]
) -> None:
    def stop() -> None:
        if scored:
            raise Stopped(2)

    def watch(history: History, event: Event) -> None:
        scored.extend([event] if isinstance(event, Scored) else [])

    scored: list[Event] = []
    ready = prepare(finish.configured(home, 2))
    with closing(open_pool(ready.config, ready.objective, lambda: ready.shared)) as pool, pytest.raises(Stopped):
        finish.train(home, ready.config, pool, watch, stop)
    first = home.final.model(0)
    assert first.weights.is_file()
    assert not home.final.model(1).path.exists()
    written = first.weights.stat().st_mtime_ns, first.weights.read_bytes()
    assert invoke(capfd, "predict", "mine", "gone.png")[0] == 2  # by the search's model: it is not finished yet

    assert invoke(capfd, "finish", "mine")[0] == 0
    assert (first.weights.stat().st_mtime_ns, first.weights.read_bytes()) == written
    assert home.final.model(1).weights.read_bytes() != written[1]
    assert invoke(capfd, "finish", "mine", "--seeds", "3")[0] == 0
    assert json.loads(home.final.finished.read_text())["models"] == [0, 1, 2]
    assert not list((home.final.path / "work").glob("*"))
    code, _, err = invoke(capfd, "finish", "mine", "--seeds", "1")
    assert (code, err) == (2, "gaopt: --seeds is 1: 3 trainings were begun already\n")
    first.weights.write_bytes(b"torn")
    code, _, err = invoke(capfd, "predict", "mine", "gone.png")
    assert code == 2
    assert re.search(r"best.safetensors is torn or altered: remove \S+/final and finish again\n", err)


def test_what_cannot_be_finished_is_said_in_a_sentence(
    home: StudyDir, results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from gaopt.study.loop import run

    run(toy(population=3, generations=1), results / "toy")
    code, _, err = invoke(capfd, "finish", "toy")
    assert (code, err.count("\n")) == (2, 1)
    assert "trains gaopt.objectives.toy:valley, which leaves no model" in err
    ready = prepare(finish.configured(home, 1))
    other = SimpleNamespace(made_of={"data": "another digest"})
    with pytest.raises(StudyError, match="was searched with other data"):
        finish.train(home, ready.config, other, ignore, go_on)  # type: ignore[arg-type]
    assert not home.final.path.exists()
