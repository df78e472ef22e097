"""Image folders: ROOT/train/<class>/… with valid and test beside it, or ROOT/<class>/…, on disk or in an archive."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from resnet.decode import LARGEST, decode, strict, suffixes
from resnet.split import DataError, Source, Split
from resnet.trees import Parts, Tree

SPLITS = {
    "train": ("train", "training", "seg_train"),
    "valid": ("valid", "val", "validation", "dev"),
    "test": ("test", "testing", "seg_test"),
}
NAMES = {name: split for split, names in SPLITS.items() for name in names}
"""What a folder holds by its name, in any case."""

LONGEST = 255
"""Bytes of a class name, as file systems have it; archives can hold longer ones."""


@dataclass(frozen=True)
class Plan:
    """Which file goes where.

    Attributes:
        splits: by "train", "valid" and "test": each image file with its class, sorted by name.
        folders: of the splits; empty for the root of the tree.
        unused: the image files in none of them.
    """

    classes: tuple[str, ...]
    splits: dict[str, list[tuple[Parts, int]]]
    folders: dict[str, str]
    unused: list[str]


def read(tree: Tree, size: int) -> Source:
    """All images of a tree in RGB: uint8 (n, size, size, 3), in the order of their names.

    Raises:
        DataError: the layout does not hold, or an image cannot be read; with its path.
    """
    plan = plan_of(tree)
    splits = {
        name: Split(np.empty((len(files), size, size, 3), np.uint8), np.array([label for _, label in files], np.int64))
        for name, files in plan.splits.items()
    }
    slots = {
        parts: splits[name].images[index]
        for name, files in plan.splits.items()
        for index, (parts, _) in enumerate(files)
    }
    form = "/".join(sorted(_decode_into(slots, tree)))
    warnings = (_unused(plan.unused),) if plan.unused else ()
    return Source(splits["train"], splits.get("valid"), splits.get("test"), plan.classes, form, plan.folders, warnings)


def _unused(files: list[str]) -> str:
    many = "1 image is" if len(files) == 1 else f"{len(files)} images are"
    return f"{many} in no class folder of a split, and not used: {files[0]}" + ", …" * (len(files) > 1)


def plan_of(tree: Tree) -> Plan:
    """The classes and splits of a tree, by the names of its folders.

    Raises:
        DataError: fewer than two classes, an empty or an unknown one or one whose name is no text, a file that is no
            regular file.
    """
    folders = _split_folders(tree)
    classes = tuple(_children(tree, folders["train"]))
    if len(classes) < 2:
        found = f"only the class {classes[0]!r}" if classes else "no class"
        raise DataError(f"{tree.where(folders['train'])} holds {found}: two folders of images at least are wanted")
    for name in classes:
        if name != name.encode("utf-8", "replace").decode():  # it is to be written down, as text
            raise DataError(f"{tree.where(folders['train'])} holds {os.fsencode(name)!r}, which is no UTF-8: rename it")
        if len(name.encode()) > LONGEST:
            raise DataError(
                f"{tree.where(folders['train'])} holds the class {name[:80]!r}…: a name has {LONGEST} bytes"
            )
    _check_alike(tree, folders["train"], classes)
    images = sorted(parts for parts in tree.listing.files if PurePath(parts[-1]).suffix.lower() in suffixes())
    splits = {name: _labelled(tree, folder, classes, images) for name, folder in folders.items()}
    used = {parts for files in splits.values() for parts, _ in files}
    unused = ["/".join(parts) for parts in images if parts not in used]
    return Plan(classes, splits, {name: "/".join(folder) for name, folder in folders.items()}, unused)


def _check_alike(tree: Tree, folder: Parts, classes: Collection[str]) -> None:
    """Whether what looks like classes holds the classes: splits under names that are not known, say."""
    depth = len(folder)
    below = [parts[depth:] for parts in tree.listing.folders if len(parts) > depth and parts[:depth] == folder]
    for level in range(1, max(map(len, below), default=0)):
        inside = [{parts[level] for parts in below if parts[0] == name and len(parts) > level} for name in classes]
        common = set.intersection(*inside)
        if not common or len(set.union(*inside)) == 1:
            continue
        raise DataError(
            f"{tree.where(folder)} holds {_list(classes)}, each with {_list(sorted(common))} in it, and it is"
            " unclear which are the classes: must be train, valid and test, each with a folder of images for each class"
        )


def _children(tree: Tree, folder: Parts) -> list[str]:
    return sorted(parts[-1] for parts in tree.listing.folders if parts[:-1] == folder)


def _root(tree: Tree) -> Parts:
    """Down through single folders, as archives have one round their contents."""
    root: Parts = ()
    while len(names := _children(tree, root)) == 1:
        below = (*root, names[0])
        if names[0].lower() in NAMES or not _children(tree, below):
            break
        root = below
    return root


def _split_folders(tree: Tree) -> dict[str, Parts]:
    """The folder of each split that there is; of "train" at least."""
    root = _root(tree)
    named = [name for name in _children(tree, root) if name.lower() in NAMES]
    # One folder of that name without folders in it may as well be a class.
    if not any(_children(tree, (*root, name)) for name in named) and len({NAMES[n.lower()] for n in named}) < 2:
        return {"train": root}
    found: dict[str, Parts] = {}
    for name in named:
        split, folder = NAMES[name.lower()], (*root, name)
        if split in found:
            raise DataError(f"{tree.where(root)} holds both {found[split][-1]!r} and {name!r}: one of them is wanted")
        if not _children(tree, folder):
            raise DataError(f"{tree.where(folder)} holds no class folders: a folder of images for each class is wanted")
        inner = _children(tree, folder)
        found[split] = (*folder, *inner) if [NAMES.get(each.lower()) for each in inner] == [split] else folder
    if "train" not in found:
        wanted = f"a folder {', '.join(SPLITS['train'])} is wanted"
        raise DataError(f"{tree.where(root)} holds {', '.join(named)} but no train: {wanted}")
    return found


def _labelled(
    tree: Tree, folder: Parts, classes: tuple[str, ...], images: Collection[Parts]
) -> list[tuple[Parts, int]]:
    """The images of one split with their classes."""
    labels = {name: label for label, name in enumerate(classes)}
    depth, present = len(folder), _children(tree, folder)
    for name in present:
        if name not in labels:
            raise DataError(
                f"{tree.where((*folder, name))} is a class that train does not have: known: {_list(classes)}"
            )
    inside = [parts for parts in images if parts[:depth] == folder and len(parts) > depth + 1]
    filled = {parts[depth] for parts in inside}
    for name in present:
        if name not in filled:
            raise DataError(f"the class folder {tree.where((*folder, name))} holds no image: one at least is wanted")
    for parts in inside:
        _check_file(tree, parts)
    return [(parts, labels[parts[depth]]) for parts in inside]


def _list(names: Collection[str]) -> str:
    return ", ".join(list(names)[:10]) + (", …" if len(names) > 10 else "")


def _check_file(tree: Tree, parts: Parts) -> None:
    size = tree.listing.files[parts]
    if size is None:
        raise DataError(f"{tree.where(parts)} is a dead link or no regular file: an image is wanted")
    if size > LARGEST:
        raise DataError(f"{tree.where(parts)} has {size} bytes: an image may have {LARGEST}")


WAITING = 2 * LARGEST
"""Bytes of files that have been read and not decoded."""

Job = tuple[np.ndarray, str, Callable[[], bytes]]
"""Where the pixels go, the name for a message, and the file."""


def _decode_into(slots: Mapping[Parts, np.ndarray], tree: Tree) -> set[str]:
    """Every file of the tree into its slot (size, size, 3); which formats there were."""
    workers, forms = min(16, os.cpu_count() or 1), set()
    running: deque[tuple[Future[set[str]], int]] = deque()
    waiting = 0
    with strict(), ThreadPoolExecutor(workers) as pool, closing(_batches(slots, tree)) as batches:
        for jobs, size in batches:
            running.append((pool.submit(_decode_jobs, jobs), size))
            waiting += size
            while len(running) > 2 * workers or waiting > WAITING:
                future, size = running.popleft()
                forms |= future.result()
                waiting -= size
        for future, _ in running:
            forms |= future.result()
    return forms


def _batches(slots: Mapping[Parts, np.ndarray], tree: Tree) -> Generator[tuple[list[Job], int], None, None]:
    """Jobs in lists of 64 or 4 MiB with their bytes: handing over single ones costs as much as decoding them."""
    jobs: list[Job] = []
    size = 0
    with closing(tree.read(slots)) as files:
        for parts, contents in files:
            jobs.append((slots[parts], tree.where(parts), contents))
            size += tree.listing.files[parts] or 0
            if len(jobs) == 64 or size >= 2**22:
                yield jobs, size
                jobs, size = [], 0
    yield jobs, size


def _decode_jobs(jobs: list[Job]) -> set[str]:
    forms = set()
    for slot, where, contents in jobs:
        slot[:], form = decode(contents(), len(slot), 3, where)
        forms.add(form)
    return forms
