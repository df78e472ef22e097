"""CIFAR-10 in the batches of its authors (Krizhevsky, 2009): pickles, read without trusting them."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from resnet.decode import fitted
from resnet.split import DataError, Source, Split
from resnet.trees import Parts, Tree

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# As published, and as torchvision checks them.
MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
}
LARGEST = 2**26
"""Bytes of the largest batch that is read; the real ones have half of it."""


def fetch(cache: Path) -> Path:
    """The archive in the cache, fetched by torchvision, with its checksum, if it is not there yet.

    Raises:
        DataError: it cannot be fetched.
    """
    archive = cache / ARCHIVE
    if archive.is_file():
        return archive
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import download_url

    try:
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache) as folder:
            download_url(CIFAR10.url, folder, ARCHIVE, CIFAR10.tgz_md5)
            os.replace(Path(folder, ARCHIVE), archive)
    except (OSError, RuntimeError, HTTPException) as error:
        raise DataError(
            f"CIFAR-10 could not be fetched from {CIFAR10.url} ({error}): give its archive or folder with --data PATH"
        ) from error
    return archive


def find(tree: Tree) -> Parts | None:
    """The folder inside a tree that holds the batches; None where there is no batch at all.

    Raises:
        DataError: some are missing.
    """
    found = sorted(parts for parts in tree.listing.files if parts[-1] in MD5 and parts[-1] != "batches.meta")
    if not found:
        return None
    folder = found[0][:-1]
    for name in MD5:
        if not tree.listing.files.get((*folder, name)):
            raise DataError(f"{tree.where((*folder, name))} is missing: CIFAR-10 has the files {', '.join(MD5)}")
    return folder


def read(tree: Tree, folder: Parts, size: int) -> Source:
    """The 50,000 training and 10,000 test images, or what takes their place: uint8 (n, size, size, 3).

    Raises:
        DataError: a file holds anything but arrays of bytes, lists, numbers and names.
    """
    wanted = {(*folder, name): name for name in MD5}
    for parts in wanted:
        if (tree.listing.files[parts] or 0) > LARGEST:
            raise DataError(f"{tree.where(parts)} has {tree.listing.files[parts]} bytes: at most {LARGEST} are read")
    raw = {wanted[parts]: contents() for parts, contents in tree.read(wanted)}
    genuine = all(hashlib.md5(raw[name], usedforsecurity=False).hexdigest() == md5 for name, md5 in MD5.items())
    content = {name: _load(raw.pop(name), tree.where((*folder, name))) for name in MD5}
    classes = content.pop("batches.meta").get("label_names")
    if not (isinstance(classes, list) and len(classes) >= 2 and all(isinstance(name, str) for name in classes)):
        raise DataError(f"{tree.where((*folder, 'batches.meta'))} holds no list of class names")
    splits = {name: _batch(batch, len(classes), size, tree.where((*folder, name))) for name, batch in content.items()}
    test = splits.pop("test_batch")
    train = Split(*(np.concatenate([getattr(s, key) for s in splits.values()]) for key in ("images", "labels")))
    return Source(train, None, test, tuple(classes), "batches" if genuine else "unverified batches")


def _batch(batch: dict[str, Any], classes: int, size: int, where: str) -> Split:
    """One batch: rows of 3072 bytes, the red plane first."""
    data, labels = batch.get("data"), batch.get("labels")
    data = data.array() if isinstance(data, _Array) else None
    if data is None or data.ndim != 2 or data.shape[1] != 3072:
        raise DataError(f"{where} holds no images: an array of bytes (n, 3072) is wanted")
    known = range(classes)
    if not (isinstance(labels, list) and len(labels) == len(data) and all(label in known for label in labels)):
        raise DataError(f"{where} holds no labels: a list of {len(data)} numbers from 0 to {classes - 1} is wanted")
    images = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Split(fitted(np.ascontiguousarray(images), size), np.array(labels, np.int64))


def _load(raw: bytes, where: str) -> dict[str, Any]:
    try:
        content = _Plain(io.BytesIO(raw), encoding="latin1").load()
    except Exception as error:  # a pickle can be broken in nearly any way
        raise DataError(f"{where} is not read: {error}: a batch holds arrays and lists only") from error
    if not isinstance(content, dict):
        raise DataError(f"{where} holds a {type(content).__name__}: a batch is a dictionary")
    return content


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
