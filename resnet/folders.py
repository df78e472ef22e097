"""Image folders: ROOT/train/<class>/… with valid and test beside it, or ROOT/<class>/…, on disk or in an archive."""

import os
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import PurePath

import numpy as np

from resnet.decode import decode, strict, suffixes
from resnet.split import DataError, Source, Split, few
from resnet.trees import Parts, Tree

SPLITS = {
    "train": ("train", "training", "seg_train"),
    "valid": ("valid", "val", "validation", "dev"),
    "test": ("test", "testing", "seg_test"),
}
NAMES = {name: split for split, names in SPLITS.items() for name in names}
"""What a folder holds by its name, in any case."""


def read(tree: Tree, size: int) -> Source:
    """All images of a tree in RGB: uint8 (n, size, size, 3), in the order of their paths; or a DataError."""
    folders, images = _split_folders(tree), images_in(tree)
    classes = _classes(tree, folders["train"])
    splits: dict[str, Split] = {}
    slots: dict[Parts, np.ndarray] = {}
    for name, folder in folders.items():
        files = _labelled(tree, folder, classes, images)
        pixels = np.empty((len(files), size, size, 3), np.uint8)
        names = tuple(map("/".join, files))
        splits[name] = Split(pixels, np.array(list(files.values()), np.int64), names)
        slots |= zip(files, pixels, strict=True)
    form = decode_into(slots, tree)
    where = {name: "/".join(folder) for name, folder in folders.items()}
    warnings: tuple[str, ...] = ()
    if unused := ["/".join(parts) for parts in images if parts not in slots]:
        many = "1 image is" if len(unused) == 1 else f"{len(unused)} images are"
        warnings = (f"{many} in no class folder of a split, and not used: {few(unused, 1)}",)
    return Source(splits["train"], splits.get("valid"), splits.get("test"), classes, form, where, warnings)


def images_in(tree: Tree) -> list[Parts]:
    """The image files of a tree, known by their endings, sorted by path."""
    return sorted(parts for parts in tree.listing.files if PurePath(parts[-1]).suffix.lower() in suffixes())


def _classes(tree: Tree, folder: Parts) -> tuple[str, ...]:
    """The classes that a folder holds. Fewer than two are refused, and what may be splits under names not known."""
    where, classes = tree.where(folder), tuple(tree.listing.children(folder))
    if len(classes) < 2:
        found = f"only the class {classes[0]!r}" if classes else "no class"
        raise DataError(f"{where} holds {found}: two folders of images at least are wanted")
    for name in classes:
        if name != name.encode("utf-8", "replace").decode():  # reports are text
            raise DataError(f"{where} holds {os.fsencode(name)!r}, which is no UTF-8: rename it")
    inside = [set(tree.listing.children(_inner(tree, (*folder, name)))) for name in classes]
    common = set.intersection(*inside)
    if common and len(set.union(*inside)) > 1:
        found = f"{where} holds {few(classes)}, each with {few(sorted(common))} in it, and it is unclear which are the"
        raise DataError(f"{found} classes: must be train, valid and test, each with a folder for each class")
    return classes


def _inner(tree: Tree, folder: Parts) -> Parts:
    """Down through single folders, as archives have one round their contents."""
    children = tree.listing.children
    while len(names := children(folder)) == 1 and names[0].lower() not in NAMES and children((*folder, *names)):
        folder = (*folder, *names)
    return folder


def _split_folders(tree: Tree) -> dict[str, Parts]:
    """The folder of each split that there is; of "train" at least."""
    root, children = _inner(tree, ()), tree.listing.children
    named = [name for name in children(root) if name.lower() in NAMES]
    # One folder of that name without folders in it may as well be a class.
    if not any(children((*root, name)) for name in named) and len({NAMES[n.lower()] for n in named}) < 2:
        return {"train": root}
    found: dict[str, Parts] = {}
    for name in named:
        split, folder = NAMES[name.lower()], (*root, name)
        if split in found:
            raise DataError(f"{tree.where(root)} holds both {found[split][-1]!r} and {name!r}: one of them is wanted")
        if not (inner := children(folder)):
            raise DataError(f"{tree.where(folder)} holds no class folders: a folder of images for each class is wanted")
        found[split] = (*folder, *inner) if [NAMES.get(each.lower()) for each in inner] == [split] else folder
    if "train" not in found:
        wanted = f"a folder {', '.join(SPLITS['train'])} is wanted"
        raise DataError(f"{tree.where(root)} holds {', '.join(named)} but no train: {wanted}")
    return found


def _labelled(tree: Tree, folder: Parts, classes: tuple[str, ...], images: Collection[Parts]) -> dict[Parts, int]:
    depth = len(folder)
    inside = [parts for parts in images if parts[:depth] == folder and len(parts) > depth + 1]
    filled = {parts[depth] for parts in inside}
    for name in tree.listing.children(folder):
        if name not in classes:
            known = f"known: {few(classes)}"
            raise DataError(f"{tree.where((*folder, name))} is a class that train does not have: {known}")
        if name not in filled:
            raise DataError(f"the class folder {tree.where((*folder, name))} holds no image: one at least is wanted")
    for parts in inside:
        if not tree.listing.files[parts]:
            raise DataError(f"{tree.where(parts)} is a dead link or no regular file: an image is wanted")
    labels = {name: label for label, name in enumerate(classes)}
    return {parts: labels[parts[depth]] for parts in inside}


BATCH = 64  # files that are read before they are decoded: enough for all threads, and photographs have 5 MB each


def decode_into(slots: Mapping[Parts, np.ndarray], tree: Tree) -> str:
    """Every file of the tree into its slot (size, size, 3); which formats there were, "JPEG/PNG" for two."""

    def decoded(parts: Parts, contents: Callable[[], bytes]) -> str:
        slot = slots[parts]
        slot[:], form = decode(contents(), len(slot), 3, tree.where(parts))
        return form

    forms, files = set(), tree.read(slots)
    with strict(), ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        while batch := list(islice(files, BATCH)):
            forms |= set(pool.map(decoded, *zip(*batch, strict=True)))
    return "/".join(sorted(forms))
