"""Data sets as other libraries have them: torchvision's by name, those of Hugging Face's `datasets` from disk."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from resnet.decode import pixels, strict
from resnet.folders import NAMES
from resnet.split import DataError, Source, Split, few, numbered
from resnet.tables import COLUMNS

LARGEST = 64
"""The side of the squares in pixels, where nothing is said: that of the first image, and no more than this."""

Item = Callable[[int], tuple[Any, Any]]  # from an index to PIL's image and its label

# torchvision.

TORCHVISION = "torchvision:"
"""What the name of such a set begins with."""
KNOWN = (
    *("Caltech101", "Caltech256", "CIFAR10", "CIFAR100", "Country211", "DTD", "EuroSAT", "FashionMNIST", "FER2013"),
    *("FGVCAircraft", "Flowers102", "Food101", "GTSRB", "ImageNet", "Imagenette", "KMNIST", "MNIST", "OxfordIIITPet"),
    *("PCAM", "RenderedSST2", "SEMEION", "StanfordCars", "STL10", "SUN397", "SVHN", "USPS"),
)
"""Those of torchvision's sets that have one class an image."""
SPLITS = {"train": ("train", "trainval"), "valid": ("val", "valid"), "test": ("test",)}


def torchvision_folder(name: str, path: str, cache: Path) -> Path:
    """Where a set lies: at a path that was given, else in the cache, fetched if it is not there."""
    if path:
        return Path(os.path.expanduser(path))
    if not (place := cache / "torchvision" / name).is_dir():
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=place.parent) as folder:
                torchvision_splits(name, Path(folder, name), download=True)
                os.replace(Path(folder, name), place)
        except (OSError, RuntimeError, HTTPException, TypeError) as error:
            said = " ".join(str(error).split())
            way = "give the folder that torchvision has it in as data.path"
            raise DataError(f"{name} of torchvision could not be fetched ({said:.200}): {way}") from error
    return place


def torchvision_splits(name: str, root: Path, **options: bool) -> dict[str, Any]:
    """The data sets of torchvision by split, whichever there are; what torchvision raises where there is none."""
    from torchvision import datasets

    kind = getattr(datasets, name)
    asked = inspect.signature(kind).parameters
    if "train" in asked:
        return {split: kind(str(root), train=split == "train", **options) for split in ("train", "test")}
    if "split" not in asked:
        return {"train": kind(str(root), **options)}
    found: dict[str, Any] = {}
    for split, names in SPLITS.items():
        for each in names:
            try:
                found.setdefault(split, kind(str(root), split=each, **options))
            except ValueError as error:  # it has no split of that name
                refused = error
    if "train" not in found:
        raise RuntimeError(refused)
    return found


def read_torchvision(name: str, root: Path, size: int) -> Source:
    """A set that is on disk; grey where its images are."""
    try:
        sets = torchvision_splits(name, root)
    except Exception as error:  # of missing and of broken files: each set has its own
        raise DataError(
            f"{root} does not hold {name} as torchvision keeps it: {' '.join(str(error).split())}"
        ) from error
    known = getattr(sets["train"], "classes", None) or getattr(sets["train"], "categories", None)
    classes = known and [", ".join(each) if isinstance(each, tuple) else each for each in known]  # ImageNet's synonyms
    items = {split: (each.__getitem__, len(each)) for split, each in sets.items()}
    return _source(items, classes, size, "torchvision", {split: f"{split} of {name}" for split in sets})


# Hugging Face.


def is_saved(path: Path) -> bool:
    """Whether a folder is what `save_to_disk` of `datasets` writes."""
    return any((path / name).is_file() for name in ("dataset_dict.json", "state.json"))


def read_saved(path: Path, size: int) -> Source:
    """A set that was saved to disk: its column of images, and its column of classes."""
    try:
        import datasets
    except ImportError:
        raise DataError(f"{path} is a data set of Hugging Face: pip install 'gaopt[datasets]' reads it") from None
    try:
        found = datasets.load_from_disk(str(path))
    except Exception as error:  # of missing and of broken files
        raise DataError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    sets: dict[str, Any] = {}
    for name, each in (found if isinstance(found, Mapping) else {"train": found}).items():
        if split := NAMES.get(name.lower()):
            sets[split] = each
    if "train" not in sets:
        raise DataError(f"{path} holds {few(list(found))} but no train: it is wanted")
    features = sets["train"].features
    image = next((name for name, kind in features.items() if isinstance(kind, datasets.Image)), None)
    named = [name for name, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    label = next(iter([*named, *(name for name in features if name.lower() in COLUMNS["label"])]), None)
    if image is None or label is None:
        what = "images (datasets.Image)" if image is None else "classes (datasets.ClassLabel)"
        raise DataError(f"{path} has the columns {few(list(features), 9)}: one of {what} is wanted")
    warnings = []
    for split in [split for split in ("valid", "test") if split in sets and _unlabelled(sets[split][label])]:
        warnings.append(f"the {split} images of {path.name} have no classes, and are not used")
        del sets[split]

    items = {split: (_item(each, image, label), len(each)) for split, each in sets.items()}
    where = {split: f"{split} of {path.name}" for split in sets}
    return _source(items, features[label].names if named else None, size, "datasets", where, tuple(warnings))


def _item(rows: Any, image: str, label: str) -> Item:
    def item(index: int) -> tuple[Any, Any]:
        row = rows[index]
        return row[image], row[label]

    return item


def _unlabelled(labels: Sequence[Any]) -> bool:
    return all(label in (None, -1) for label in labels)


# Both.


def _source(
    items: Mapping[str, tuple[Item, int]],
    classes: Sequence[str] | None,
    size: int,
    form: str,
    folders: dict[str, str],
    warnings: tuple[str, ...] = (),
) -> Source:
    first, _ = items["train"][0](0)
    side, channels = size or min(LARGEST, *first.size), 1 if first.mode in ("1", "L") else 3
    found = {split: _drawn(split, *each, side, channels) for split, each in items.items()}
    names = tuple(map(str, classes or sorted({label for _, labels in found.values() for label in labels})))
    index = {name: label for label, name in enumerate(names)}

    def number(label: Any) -> int:
        found = index.get(str(label)) if isinstance(label, str) or not classes else int(label)
        if found is None or not 0 <= found < len(names):
            raise DataError(f"a label is {label!r}: must be one of {few(names)}")
        return found

    splits = {
        split: Split(images, np.array([*map(number, labels)], np.int64), numbered(split, len(labels)))
        for split, (images, labels) in found.items()
    }
    return Source(splits["train"], splits.get("valid"), splits.get("test"), names, form, folders, warnings)


def _drawn(split: str, item: Item, count: int, size: int, channels: int) -> tuple[np.ndarray, list[Any]]:
    """Images (count, size, size, channels) and labels."""
    images = np.empty((count, size, size, channels), np.uint8)

    def draw(index: int) -> Any:
        try:
            image, label = item(index)
            images[index] = pixels(image, size, channels)
        except Exception as error:  # a decoder fed with a broken file raises nearly anything
            raise DataError(f"{split}/{index} is a broken image: {error}") from error
        return label

    with strict(), ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        return images, list(pool.map(draw, range(count)))
