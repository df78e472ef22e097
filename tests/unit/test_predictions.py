"""What the best model makes of the test images, from its probabilities to the report."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gaopt.journal.events import Data, Opened
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.image import predictions
from gaopt.report import model, study
from gaopt.report.predictions import wilson
from resnet.data import Images, Split
from tests.conftest import ROOT
from tests.unit.test_export import mixed, written


def measured(home: StudyDir, classes: tuple[str, ...], each: int = 4, size: int = 8) -> np.ndarray:
    """A study whose best model takes the first image of each class for the next class; its probabilities."""
    count = len(classes)
    labels = np.repeat(np.arange(count), each).astype(np.int64)
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), size, size, 3), np.uint8)
    split = Split(pixels, labels, tuple(f"{classes[label]}/{n}.png" for n, label in enumerate(labels)))
    images = Images(split, split, split, classes, (0.5,) * 3, (0.2,) * 3, "photos", "digest")
    found = np.full((len(labels), count), 0.1 / count, np.float32)
    taken = np.where(np.arange(len(labels)) % each, labels, (labels + 1) % count)
    found[np.arange(len(labels)), taken] += np.linspace(0.5, 0.9, len(labels), dtype=np.float32)
    opened, *others = mixed()
    assert isinstance(opened, Opened)
    written(home, [replace(opened, data=Data("photos", classes, images.counts)), *others])
    predictions.write(home, 0, found, images)
    return found


def shown(home: StudyDir) -> list[str]:
    """The titles of the sections on the model."""
    with Journal(home.journal) as journal:
        return [section.title for section in model.sections(History(journal), home) if not section.empty]


def test_the_table_has_every_image_and_what_it_was_taken_for(tmp_path: Path) -> None:
    home = StudyDir(tmp_path)
    found = measured(home, ("ü", "b", "c"))
    rows = list(csv.DictReader(home.predictions.read_text("utf-8").splitlines()))
    assert [row["image"] for row in rows][::4] == ["ü/0.png", "b/4.png", "c/8.png"]
    assert [(row["label"], row["predicted"]) for row in rows][:2] == [("ü", "b"), ("ü", "ü")]
    assert float(rows[0]["probability"]) == pytest.approx(found[0, 1], abs=1e-6)
    assert float(rows[0]["probability_of_label"]) == pytest.approx(found[0, 0], abs=1e-6)
    assert float(rows[0]["margin"]) == pytest.approx(found[0, 1] - found[0, 0], abs=1e-6)
    shown = json.loads(home.examples.read_text())
    assert [each["row"] for each in shown["worst"]] == [8, 4, 0]  # wrong, the most probable first
    assert [each["row"] for each in shown["doubtful"]][:3] == [1, 2, 3]
    assert len(shown["doubtful"]) == 9


def test_the_report_shows_mistakes_accuracies_and_hard_images(tmp_path: Path) -> None:
    home = StudyDir(tmp_path)
    measured(home, ("a", "b", "<c>"), each=4, size=100)
    with Journal(home.journal) as journal:
        study.write(History(journal), home)
    page, text = home.report.read_text("utf-8"), home.markdown.read_text("utf-8")
    for title in ("Confusion matrix", "Most confident mistakes", "Least certain", "Use the model"):
        assert f"<h2>{title}</h2>" in page
    low, high = wilson(3, 4)
    assert f"| a | 4 | 3 | 75.00 % | {100 * low:.1f} … {100 * high:.1f} % |" in text
    assert "| a | b | 1 | 25.00 % |" in text
    assert model.PYTHON in text
    assert model.PYTHON in (ROOT / "docs" / "models.md").read_text("utf-8"), "one program for the report and the manual"
    assert page.count('href="data:image/png') == 1 + 3 + 9
    assert (home.path / "figures" / "worst.svg").is_file()


def test_intervals_are_wilsons() -> None:
    newcombe = {(81, 263): (0.255272, 0.366219), (0, 10): (0.0, 0.277533), (10, 10): (0.722467, 1.0)}
    for (right, count), interval in newcombe.items():
        assert wilson(right, count) == pytest.approx(interval, abs=2e-5)


def test_of_many_classes_the_pairs_are_told_and_no_matrix_drawn(tmp_path: Path) -> None:
    home = StudyDir(tmp_path)
    measured(home, tuple(f"c{n}" for n in range(120)), each=2)
    found = shown(home)
    assert "Confusion matrix" not in found
    assert {"Most confused", "Accuracy of each class, the lowest first"} <= set(found)


def test_what_is_not_of_the_best_model_or_is_torn_is_not_shown(tmp_path: Path) -> None:
    home = StudyDir(tmp_path)
    measured(home, ("a", "b"))
    assert shown(home)
    whole = home.examples.read_text()
    for torn in (
        whole[:50],
        "[]",
        "{}",
        whole.replace('"individual": 0', '"individual": 7'),
        whole.replace('"row": 0', '"row": 99'),
    ):
        home.examples.write_text(torn)
        assert not shown(home)
    home.examples.write_text(whole)
    home.predictions.write_text(home.predictions.read_text().replace("a,b", "a,strange"))
    assert not shown(home)
    home.predictions.unlink()
    assert not shown(home)
