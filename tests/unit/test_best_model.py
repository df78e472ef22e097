"""The best model of a study, its description or its weights changed: `gaopt predict` says so in one sentence."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from gaopt.journal.paths import StudyDir
from resnet import weights
from resnet.net import build
from resnet.spec import NetSpec
from tests.integration.test_cli import invoke
from tests.unit.test_data_images import saved


@pytest.fixture
def home(results: Path) -> StudyDir:
    home = StudyDir(results / "s")
    home.make()
    home.journal.touch()
    return home


def model(home: StudyDir, **changes: object) -> None:
    """A best model of a net with two classes, and its description with some keys changed."""
    spec = NetSpec("resnet20", width=0.1)
    weights.write(home.weights, build(spec, 3, 2).state_dict(), {})
    known = {"net": asdict(spec), "channels": 3, "size": 8, "classes": ["a", "b"], "mean": [0.5] * 3, "std": [0.2] * 3}
    home.best.write_text(json.dumps(known | changes))


def predicted(path: Path, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    return invoke(capfd, "predict", "s", str(saved(path / "a.png", Image.new("RGB", (9, 9), "red"))), "--json")


def test_a_description_is_checked_before_the_net_is_built(
    home: StudyDir, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model(home)
    code, out, _ = predicted(tmp_path, capfd)
    assert code == 0
    assert {name for name, _ in json.loads(out)[0]["classes"]} == {"a", "b"}
    wrong: list[dict[str, object]] = [
        *({"net": net} for net in ({"name": "resnet20", "width": 1e9}, {"name": "no-such"}, {"nonsense": 1}, 3)),
        *({"channels": 10**12}, {"channels": "3"}, {"size": 10**6}, {"classes": "ab"}, {"classes": []}),
        *({"classes": list(range(10**5))}, {"mean": [0.5]}, {"mean": "x"}, {"std": [0.0, float("nan"), 1.0]}),
    ]
    for changes in wrong:
        model(home, **changes)
        code, _, err = predicted(tmp_path, capfd)
        assert code == 2, (changes, err)
        assert err.startswith("gaopt: ")
