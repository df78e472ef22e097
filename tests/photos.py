"""A folder of image files and a table of them, as a person has them: scikit-learn's digits."""

import csv
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits


def labelled(root: Path, count: int = 300, classes: int = 10, splits: tuple[str, ...] = ()) -> Path:
    """ROOT/labels.csv and its PNG files; a column of splits, which come in turn, where there are any."""
    digits = load_digits()
    chosen = [n for n, label in enumerate(digits.target) if label < classes][:count]
    (root / "photos").mkdir(parents=True)
    with (root / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", *(["split"] if splits else [])])
        for n, index in enumerate(chosen):
            path = f"photos/{index:04}.png"
            Image.fromarray((digits.images[index] * 15.9375).astype("uint8")).save(root / path)
            names = digits.target_names[digits.target[index]]
            table.writerow([path, names, *([splits[n % len(splits)]] if splits else [])])
    return root / "labels.csv"
