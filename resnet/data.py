"""Data sets as uint8 arrays: scikit-learn's digits, CIFAR-10 and -100, torchvision's, and images of one's own."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from resnet import cifar, folders, libraries, tables
from resnet.decode import fitted
from resnet.fields import check_path
from resnet.split import DataError, Source, Split, divide, few, numbered, together
from resnet.trees import Tree, open_tree

__all__ = ["DataError", "DataSpec", "Images", "Split", "joined", "load"]

SIZES = {"digits": 8, "cifar10": 32, "cifar100": 32, "folder": 64}
"""The side of the images in pixels where the spec names none."""
UNEVEN = 3.0  # times as many images as the other classes have on average, from which a class is said to prevail
NAMES = {"train": "training", "valid": "validation", "test": "test"}  # the splits, and how people call them


@dataclass(frozen=True)
class DataSpec:
    """Which images, and how they are split: the keys of [data] in docs/config.md, which says what each is."""

    name: str = "digits"
    path: str = ""
    size: Annotated[int, Ge(0), Le(1024)] = 0
    valid: Annotated[float, Gt(0), Lt(1)] = 0.2
    test: Annotated[float, Gt(0), Lt(1)] = 0.2
    limit: Annotated[int, Ge(0)] = 0
    seed: Annotated[int, Ge(0), Lt(2**32)] = 0

    def __post_init__(self) -> None:
        check_path("path", self.path)
        named = self.name.removeprefix(libraries.TORCHVISION)
        if self.name not in SIZES and (named == self.name or named not in libraries.KNOWN):
            near = get_close_matches(self.name, [*SIZES, *map(libraries.TORCHVISION.__add__, libraries.KNOWN)], 3)
            known = f"did you mean {', '.join(near)}?" if near else f"must be {', '.join(SIZES)} or torchvision:NAME"
            raise ValueError(f"name is {self.name!r}: {known}")
        if self.valid + self.test >= 1:
            raise ValueError(f"valid + test is {self.valid + self.test:g}: must be under 1")


@dataclass(frozen=True, eq=False)
class Images:
    """A data set, split."""

    train: Split
    valid: Split
    test: Split
    classes: tuple[str, ...]  # a label is an index
    mean: tuple[float, ...]  # of each channel of the training images, in 0 … 1
    std: tuple[float, ...]  # the same; 1 where it would be 0
    name: str  # "digits", "CIFAR-10", "CIFAR-10 (JPEG copy)", CIFAR-100 alike, "MNIST", or that of a folder or file
    digest: str  # BLAKE2b of the classes and of all three splits: 32 hexadecimal digits
    origins: dict[str, str] = field(default_factory=dict)  # where each split comes from, in words
    warnings: tuple[str, ...] = ()  # sentences on what is amiss

    @property
    def splits(self) -> dict[str, Split]:
        return {"train": self.train, "valid": self.valid, "test": self.test}

    @property
    def counts(self) -> dict[str, tuple[int, ...]]:
        """How many images of each class are in each split."""
        classes = len(self.classes)
        return {name: tuple(np.bincount(s.labels, minlength=classes).tolist()) for name, s in self.splits.items()}


def load(spec: DataSpec, cache: Path | None = None) -> Images:
    """The images that a spec asks for, or a DataError. The same spec on the same files gives the same bytes.

    Decoded sets are kept in `cache`, and CIFAR-10 and CIFAR-100 fetched to it; by default see `default_cache`.
    """
    cache = cache or default_cache()
    size = spec.size or SIZES.get(spec.name, 0)
    if spec.name == "digits":
        source, name = _digits(spec.path, size), "digits"
    elif spec.name in cifar.SETS:
        source, name = _cifar(spec.name, spec.path, size, cache)
    elif spec.name == "folder":
        source, name = _own(spec, cache)
    else:
        name = spec.name.removeprefix(libraries.TORCHVISION)
        root = libraries.torchvision_folder(name, spec.path, cache)
        tree = open_tree(root)
        source = _kept(tree, spec.name, size, cache, lambda: libraries.read_torchvision(name, root, size))
    splits = divide(source, spec.valid, spec.test, spec.seed, spec.limit)
    found = _images(splits, source.classes, name, _origins(source, spec, name))
    return replace(found, warnings=(*source.warnings, *_warnings(found)))


def _images(splits: dict[str, Split], classes: tuple[str, ...], name: str, origins: dict[str, str]) -> Images:
    train, valid, test = (splits[each] for each in NAMES)
    mean, std = statistics(train.images)
    return Images(train, valid, test, classes, mean, std, name, _digest(classes, (train, valid, test)), origins)


def _origins(source: Source, spec: DataSpec, name: str) -> dict[str, str]:
    train = source.folders.get("train") or name
    aside = {"valid": f"{100 * spec.valid:g} % of {train}", "test": f"{100 * spec.test:g} % of {train}"}
    return {"train": train} | aside | {split: folder for split, folder in source.folders.items() if folder}


def joined(images: Images) -> Images:
    """The same with the validation images added to the training images, to be measured on the test images alone."""
    train = together((images.train, images.valid))
    origins = images.origins | {"train": "train and valid together"}
    found = _images(images.splits | {"train": train}, images.classes, images.name, origins)
    return replace(found, warnings=images.warnings)


def _digits(path: str, size: int) -> Source:
    """Alpaydin and Kaynak, *Optical recognition of handwritten digits*, 1998: the test set, as scikit-learn has it."""
    if path:
        raise DataError(f'path is {path!r}: must be empty with the digits; name = "folder" takes images')
    from sklearn.datasets import load_digits

    digits = load_digits()
    # Its grey values are counts of 0 … 16.
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    train = Split(fitted(images, size), digits.target.astype(np.int64), numbered("digits", len(images)))
    return Source(train, None, None, tuple(str(name) for name in digits.target_names), "batches")


def _cifar(key: str, path: str, size: int, cache: Path) -> tuple[Source, str]:
    """CIFAR-10 or CIFAR-100 in any form, and the name that says which."""
    release = cifar.SETS[key]
    place = Path(os.path.expanduser(path)) if path else cifar.fetch(release, cache)
    # Not the parent as a whole: it may hold every data set of its owner.
    inner = place / release.folder
    tree = open_tree(inner if inner.is_dir() else place)
    source = _kept(tree, key, size, cache, lambda: _batches_or_folders(release, tree, size))
    if odd := sorted(set(source.classes) ^ set(release.classes)):
        found = f"{place} is not {release.title}: only one of the two has the classes {few(odd)}"
        raise DataError(f'{found}; name = "folder" takes any classes')
    return source, release.title if source.form == "batches" else f"{release.title} ({source.form} copy)"


def _batches_or_folders(release: cifar.Release, tree: Tree, size: int) -> Source:
    folder = cifar.find(release, tree)
    return folders.read(tree, size) if folder is None else cifar.read(release, tree, folder, size)


def _own(spec: DataSpec, cache: Path) -> tuple[Source, str]:
    """Images of one's own, in any form, and what they are called."""
    if not spec.path:
        raise DataError("path is empty: give a folder, an archive or a table of images by --data or data.path")
    place, size = Path(os.path.expanduser(spec.path)), spec.size or SIZES["folder"]
    if place.suffix.lower() in tables.SUFFIXES and place.is_file():
        table = tables.Table(place)
        return _kept(table, "table", size, cache, lambda: table.read(size)), place.name
    tree = open_tree(place)
    if libraries.is_saved(place):
        source = _kept(tree, "saved", spec.size, cache, lambda: libraries.read_saved(place, spec.size))
    else:
        source = _kept(tree, "folder", size, cache, lambda: folders.read(tree, size))
    name = place.resolve().name.split(".tar")[0]
    return source, name.removesuffix(".tgz").removesuffix(".zip")


def _kept(tree: Tree | tables.Table, name: str, size: int, cache: Path, read: Callable[[], Source]) -> Source:
    """What is read, decoded once: kept in a file that is written whole, or not at all."""
    import PIL

    # Another Pillow may decode to other pixels; the 5 is the form of the kept file.
    key = hashlib.sha256(f"5 {PIL.__version__} {name} {size} {tree.digest()}".encode()).hexdigest()
    path = cache / f"{key[:32]}.npz"
    with suppress(Exception):  # what a missing, cut or altered file raises; zipfile checks the sum of each array
        return _kept_in(path)
    source = read()
    with suppress(OSError):
        _keep(path, source)
    return source


def default_cache() -> Path:
    """$XDG_CACHE_HOME/gaopt, or ~/.cache/gaopt."""
    return Path(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")) / "gaopt"


def _kept_in(path: Path) -> Source:
    # Opened here, since np.load leaves a cut file open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        there = [name for name in NAMES if f"{name}_images" in arrays]
        classes, form, folders, warnings, names = json.loads(str(arrays["about"]))
        splits = {name: Split(arrays[f"{name}_images"], arrays[f"{name}_labels"], tuple(names[name])) for name in there}
    train, valid, test = splits["train"], splits.get("valid"), splits.get("test")
    return Source(train, valid, test, tuple(classes), form, folders, tuple(warnings))


def _keep(path: Path, source: Source) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    splits = {name: split for name in NAMES if (split := getattr(source, name))}
    names = {name: split.names for name, split in splits.items()}
    about = [source.classes, source.form, source.folders, source.warnings, names]
    arrays = {"about": np.array(json.dumps(about))}
    for name, split in splits.items():
        arrays |= {f"{name}_images": split.images, f"{name}_labels": split.labels}
    with TemporaryDirectory(dir=path.parent) as folder:
        np.savez(made := Path(folder, path.name), **arrays)  # type: ignore[arg-type]
        os.replace(made, path)


def _warnings(data: Images) -> Iterator[str]:
    """Phrases for images that are in two splits, classes that a split lacks, and a class that prevails."""
    pixels = {split: [hash(image.tobytes()) for image in found.images] for split, found in data.splits.items()}
    for split, other in (("valid", "train"), ("test", "train"), ("test", "valid")):
        known = set(pixels[other])
        if twice := sum(each in known for each in pixels[split]):
            yield f"of {len(pixels[split])} {NAMES[split]} images {twice} can be found among the {NAMES[other]} images"
    for split, counts in data.counts.items():
        if missing := [name for name, count in zip(data.classes, counts, strict=True) if not count]:
            yield f"no {NAMES[split]} image is of {few(missing)}: {len(missing)} of {len(counts)} classes"
    counts = data.counts["train"]
    most = max(counts)
    if most * (len(counts) - 1) >= UNEVEN * (sum(counts) - most):
        name = data.classes[counts.index(most)]
        yield f"the classes are uneven: {100 * most / sum(counts):.1f} % of the training images are of {name}"


def statistics(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of each channel of uint8 (n, h, w, c), in 0 … 1, from exact sums of whole numbers."""
    channels, count = images.shape[3], images[..., 0].size
    rows = images.reshape(len(images), -1)
    some = np.array_split(rows, 1 + len(rows) // 1000)  # squares take four times the room
    squares = sum(np.square(each, dtype=np.uint32).sum(0, dtype=np.uint64) for each in some)
    sums = rows.sum(0, dtype=np.uint64), squares
    first, second = (each.reshape(-1, channels).sum(0).tolist() for each in sums)
    mean = tuple(s / count / 255 for s in first)
    std = tuple((q * count - s * s) ** 0.5 / count / 255 for s, q in zip(first, second, strict=True))
    return mean, tuple(value or 1.0 for value in std)


def _digest(classes: tuple[str, ...], splits: tuple[Split, ...]) -> str:
    digest = hashlib.blake2b("\0".join(classes).encode("utf-8", "surrogateescape"), digest_size=16)
    for split in splits:
        digest.update(f"\0{split.images.shape}".encode())
        digest.update(np.ascontiguousarray(split.images).data)
        digest.update(split.labels.astype("<i8").data)
    return digest.hexdigest()
