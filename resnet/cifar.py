"""CIFAR-10 and CIFAR-100 in the batches of their authors (Krizhevsky, 2009), with the checksums of torchvision.

Every function may raise a DataError: nothing can be fetched, or a file is missing or not the one that was published.
"""

import hashlib
import os
import pickle
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from resnet.decode import fitted
from resnet.split import DataError, Source, Split, numbered, together
from resnet.trees import Parts, Tree


@dataclass(frozen=True)
class Release:
    """A data set as its authors published it: an archive of one folder, with pickles of images."""

    title: str
    folder: str
    classes: tuple[str, ...]  # a label is an index

    @property
    def known(self) -> Any:
        """What torchvision knows of it: the address, the names of its files and their MD5."""
        from torchvision import datasets

        return getattr(datasets, self.title.replace("-", ""))


TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
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

SETS = {
    "cifar10": Release("CIFAR-10", "cifar-10-batches-py", TEN),
    "cifar100": Release("CIFAR-100", "cifar-100-python", tuple(FINE.split())),
}
"""By the name that a data spec gives them."""


def fetch(release: Release, cache: Path) -> Path:
    """The archive in the cache, fetched by torchvision, with its checksum, if it is not there yet."""
    known = release.known
    archive = cache / known.filename
    if archive.is_file():
        return archive
    from torchvision.datasets.utils import download_url

    try:
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache) as folder:
            download_url(known.url, folder, known.filename, known.tgz_md5)
            os.replace(Path(folder, known.filename), archive)
    except (OSError, RuntimeError, HTTPException) as error:
        way = "give its archive or folder with --data PATH"
        raise DataError(f"{release.title} could not be fetched from {known.url} ({error}): {way}") from error
    return archive


def find(release: Release, tree: Tree) -> Parts | None:
    """The folder inside a tree that holds the batches; None where there is no batch at all."""
    batches = [name for name, _ in release.known.train_list + release.known.test_list]
    found = sorted(parts for parts in tree.listing.files if parts[-1] in batches)
    if not found:
        return None
    folder = found[0][:-1]
    for name in batches:
        if not tree.listing.files.get((*folder, name)):
            where = tree.where((*folder, name))
            raise DataError(f"{where} is missing: {release.title} has the files {', '.join(batches)}")
    return folder


def read(release: Release, tree: Tree, folder: Parts, size: int) -> Source:
    """The 50,000 training and 10,000 test images: uint8 (n, size, size, 3)."""
    known = release.known
    published = {(*folder, name): md5 for name, md5 in known.train_list + known.test_list}
    splits: dict[str, Split] = {}
    for parts, contents in tree.read(published):
        raw = contents()
        if hashlib.md5(raw, usedforsecurity=False).hexdigest() != published[parts]:
            found = f"{tree.where(parts)} is not the file that {release.title} was published with, its MD5 is another"
            raise DataError(f'{found}: give {known.filename} as it was, or images in folders with name = "folder"')
        splits[parts[-1]] = _split(parts[-1], pickle.loads(raw, encoding="latin1"), size)
    whole = together([splits[name] for name, _ in known.train_list])
    folders = {"train": "training images", "test": "test images"}
    return Source(whole, None, splits[known.test_list[0][0]], release.classes, "batches", folders)


def _split(name: str, batch: dict[str, Any], size: int) -> Split:
    """One batch: rows of 3072 bytes, the red plane first, and the labels, of CIFAR-100 the fine ones."""
    images = batch["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    labels = batch["labels" if "labels" in batch else "fine_labels"]
    names = numbered(name, len(labels))
    return Split(fitted(np.ascontiguousarray(images), size), np.array(labels, np.int64), names)
