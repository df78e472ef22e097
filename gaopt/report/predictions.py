"""The predictions of a study's best model on its test images, as the study's folder has them."""

import base64
import csv
import io
import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from gaopt.config.tables import text_of
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir


@dataclass(frozen=True)
class Example:
    """A test image of which a report shows what the model makes."""

    image: str
    label: str
    predicted: str
    probability: float
    pixels: np.ndarray  # uint8 (h, w, 3)


@dataclass(frozen=True)
class Predictions:
    """By image (n,) the indices of its class and of what it was taken for; and the images worth a look."""

    classes: tuple[str, ...]
    channels: int
    labels: np.ndarray
    predicted: np.ndarray
    worst: list[Example]
    doubtful: list[Example]

    @cached_property
    def matrix(self) -> np.ndarray:
        """How many images of each class (row) were taken for each (column)."""
        count = len(self.classes)
        return np.bincount(self.labels * count + self.predicted, minlength=count**2).reshape(count, count)


def read(home: StudyDir, history: History) -> Predictions | None:
    """Those of the best individual; None where there are none, they are another's, or no longer whole."""
    if not (history.best and history.data and home.examples.is_file() and home.predictions.is_file()):
        return None
    classes = history.data.classes
    try:
        shown = json.loads(text_of(home.examples))
        rows = list(csv.DictReader(io.StringIO(text_of(home.predictions))))
        index = {name: number for number, name in enumerate(classes)}
        labels, predicted = (np.array([index[row[key]] for row in rows], int) for key in ("label", "predicted"))
        worst, doubtful = ([_example(rows, each) for each in shown[kind]] for kind in ("worst", "doubtful"))
        mine, channels = shown["individual"] == history.best.id, int(shown["channels"])
    except (OSError, ValueError, KeyError, TypeError, IndexError):  # a study that came from elsewhere may hold anything
        return None
    return Predictions(tuple(classes), channels, labels, predicted, worst, doubtful) if mine else None


def _example(rows: list[dict[str, str]], told: dict[str, Any]) -> Example:
    row = rows[told["row"]]
    with Image.open(io.BytesIO(base64.b64decode(told["picture"]))) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    return Example(row["image"], row["label"], row["predicted"], float(row["probability"]), pixels)


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, *Probable Inference, the Law of Succession, …*, 1927)."""
    share, scale = right / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / scale
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / scale
    return max(0.0, middle - reach), min(1.0, middle + reach)
