"""CIFAR-10 and CIFAR-100 in the batches of their authors (Krizhevsky, 2009): pickles, read without trusting them."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import pickletools
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from resnet.decode import fitted
from resnet.split import DataError, Source, Split
from resnet.trees import Parts, Tree


@dataclass(frozen=True, eq=False)
class Release:
    """A data set as its authors published it: an archive of one folder, with pickles of images and one of names.

    Attributes:
        title: its name for people.
        folder: the name of the folder.
        archive: the name of the archive.
        archive_md5: the archive's MD5.
        md5: of each file its MD5, the training batches first.
        test: the file of test images.
        meta: the file of class names.
        labels: the key of the labels in a batch.
        names: the key of the class names in the meta file.
        classes: the class names; a label is an index.
        largest: bytes of the largest file that is read; the real ones have about half of it.
        torchvision: the class in torchvision.datasets that knows the address.
    """

    title: str
    folder: str
    archive: str
    archive_md5: str
    md5: dict[str, str]
    test: str
    meta: str
    labels: str
    names: str
    classes: tuple[str, ...]
    largest: int
    torchvision: str


# The sums are as published, and as torchvision checks them.
CIFAR10 = Release(
    title="CIFAR-10",
    folder="cifar-10-batches-py",
    archive="cifar-10-python.tar.gz",
    archive_md5="c58f30108f718f92721af3b95e74349a",
    md5={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
    test="test_batch",
    meta="batches.meta",
    labels="labels",
    names="label_names",
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    largest=2**26,
    torchvision="CIFAR10",
)

FINE = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
    castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
    elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
    man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
    pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
    skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
    tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
"""The classes of CIFAR-100; its twenty coarse ones are not read."""

CIFAR100 = Release(
    title="CIFAR-100",
    folder="cifar-100-python",
    archive="cifar-100-python.tar.gz",
    archive_md5="eb9058c3a382ffc7106e4002c42a8d85",
    md5={
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
        "meta": "7973b15100ade9c7d40fb424638fde48",
    },
    test="test",
    meta="meta",
    labels="fine_labels",
    names="fine_label_names",
    classes=tuple(FINE.split()),
    largest=2**28,
    torchvision="CIFAR100",
)

STEPS = 2**20
"""Of the largest pickle that is read; the training images of CIFAR-100, with their names, have about 200,000."""
PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
"""The steps that keep an object at a place."""

SETS = {"cifar10": CIFAR10, "cifar100": CIFAR100}
"""By the name that a data spec gives them."""


def fetch(release: Release, cache: Path) -> Path:
    """The archive in the cache, fetched by torchvision, with its checksum, if it is not there yet.

    Raises:
        DataError: it cannot be fetched.
    """
    archive = cache / release.archive
    if archive.is_file():
        return archive
    from torchvision import datasets
    from torchvision.datasets.utils import download_url

    url = getattr(datasets, release.torchvision).url
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache) as folder:
            download_url(url, folder, release.archive, release.archive_md5)
            os.replace(Path(folder, release.archive), archive)
    except (OSError, RuntimeError, HTTPException) as error:
        raise DataError(
            f"{release.title} could not be fetched from {url} ({error}): give its archive or folder with --data PATH"
        ) from error
    return archive


def find(release: Release, tree: Tree) -> Parts | None:
    """The folder inside a tree that holds the batches; None where there is no batch at all.

    Raises:
        DataError: some are missing.
    """
    batches = release.md5.keys() - {release.meta}
    found = sorted(parts for parts in tree.listing.files if parts[-1] in batches)
    if not found:
        return None
    folder = found[0][:-1]
    for name in release.md5:
        if not tree.listing.files.get((*folder, name)):
            raise DataError(
                f"{tree.where((*folder, name))} is missing: {release.title} has the files {', '.join(release.md5)}"
            )
    return folder


def read(release: Release, tree: Tree, folder: Parts, size: int) -> Source:
    """The 50,000 training and 10,000 test images, or what takes their place: uint8 (n, size, size, 3).

    Raises:
        DataError: a file holds anything but arrays of bytes, lists, numbers and names.
    """
    raw = _files(release, tree, folder)
    genuine = all(hashlib.md5(raw[name], usedforsecurity=False).hexdigest() == md5 for name, md5 in release.md5.items())
    where = {name: tree.where((*folder, name)) for name in release.md5}
    content = {name: _load(raw.pop(name), where[name]) for name in release.md5}
    classes = content.pop(release.meta).get(release.names)
    if not (isinstance(classes, list) and len(classes) >= 2 and all(_is_name(name) for name in classes)):
        raise DataError(f"{where[release.meta]} holds no list of class names")
    splits = {name: _batch(batch, release.labels, len(classes), size, where[name]) for name, batch in content.items()}
    test = splits.pop(release.test)
    train = Split(*(np.concatenate([getattr(s, key) for s in splits.values()]) for key in ("images", "labels")))
    form, folders = "batches" if genuine else "unverified batches", {"train": "training images", "test": "test images"}
    return Source(train, None, test, tuple(classes), form, folders)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and len(name) <= 255


def _files(release: Release, tree: Tree, folder: Parts) -> dict[str, bytes]:
    wanted = {(*folder, name): name for name in release.md5}
    for parts in wanted:
        size = tree.listing.files[parts] or 0
        if size > release.largest:
            raise DataError(f"{tree.where(parts)} has {size} bytes: at most {release.largest} are read")
    with closing(tree.read(wanted)) as files:
        return {wanted[parts]: contents() for parts, contents in files}


def _batch(batch: dict[str, Any], key: str, classes: int, size: int, where: str) -> Split:
    """One batch: rows of 3072 bytes, the red plane first, and under a key the labels."""
    data, labels = batch.get("data"), batch.get(key)
    data = data.array() if isinstance(data, _Array) else None
    if data is None or data.ndim != 2 or data.shape[1] != 3072:
        raise DataError(f"{where} holds no images: an array of bytes (n, 3072) is wanted")
    known = range(classes)
    if not (isinstance(labels, list) and len(labels) == len(data) and all(label in known for label in labels)):
        raise DataError(f"{where} holds no {key}: a list of {len(data)} numbers from 0 to {classes - 1} is wanted")
    images = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Split(fitted(np.ascontiguousarray(images), size), np.array(labels, np.int64))


def _load(raw: bytes, where: str) -> dict[str, Any]:
    try:
        _check_claims(raw)
        content = _Plain(io.BytesIO(raw), encoding="latin1").load()
    except Exception as error:  # a pickle can be broken in nearly any way
        said = " ".join(f"{error!s:.200}".split()) or type(error).__name__
        raise DataError(f"{where} is not read: {said}: a batch holds arrays and lists only") from error
    if not isinstance(content, dict):
        raise DataError(f"{where} holds a {type(content).__name__}: a batch is a dictionary")
    return content


def _check_claims(raw: bytes) -> None:
    """The unpickler takes memory for whatever length or place a pickle names, and for each of its steps.

    Raises:
        Exception: a length goes beyond the pickle, or there are more steps than a batch has.
    """
    for step, (code, argument, _) in enumerate(pickletools.genops(raw)):
        if step >= STEPS or (code.name in PUTS and not 0 <= int(argument or 0) < STEPS):
            raise pickle.UnpicklingError(f"it has more than {STEPS} steps")


class _Array:
    """Stands for a numpy array in a pickle: numpy's own way of restoring one trusts what it is given."""

    state: tuple[Any, ...] = ()

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def array(self) -> np.ndarray | None:
        """The array if it is one of bytes in C order, else None."""
        match self.state:
            case (_, tuple(shape), _Dtype(code="u1"), False | 0, bytes() | str() as raw):
                return _shaped(raw.encode("latin1") if isinstance(raw, str) else raw, shape)
        return None


def _shaped(raw: bytes, shape: tuple[Any, ...]) -> np.ndarray | None:
    array = np.frombuffer(raw, np.uint8)
    try:
        return array.reshape(shape)
    except (TypeError, ValueError, OverflowError):
        return None


class _Dtype:
    """Stands for a numpy dtype in a pickle."""

    def __init__(self, code: str = "", *_: object) -> None:
        self.code = code

    def __setstate__(self, state: object) -> None:
        pass


STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
}


class _Plain(pickle.Unpickler):
    """Loads containers, strings and numbers; the names that numpy needs become stand-ins; nothing else is called."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not allowed") from None
