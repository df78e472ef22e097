"""Decoded data sets kept on disk: one file each, written whole or not at all."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from resnet.split import Source, Split

SPLITS = ("train", "valid", "test")


def default() -> Path:
    """$XDG_CACHE_HOME/gaopt, or ~/.cache/gaopt."""
    return Path(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")) / "gaopt"


def cached(folder: Path, key: str, make: Callable[[], Source]) -> Source:
    """The data set kept under a key, or made and kept. A file that is broken is made anew.

    Where the folder cannot be written, nothing is kept.
    """
    path = folder / f"{key}.npz"
    kept = _read(path)
    if kept is not None:
        return kept
    source = make()
    with suppress(OSError):
        _write(path, source)
    return source


def _read(path: Path) -> Source | None:
    try:
        # Opened here, since np.load leaves a cut file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            splits = [_split(arrays[f"{name}_images"], arrays[f"{name}_labels"]) for name in SPLITS]
            classes, form = tuple(json.loads(arrays["classes"].tobytes())), str(arrays["form"])
            folders, warnings = json.loads(arrays["found"].tobytes())
    # What a missing, cut or altered file raises; zipfile checks the sum of each array.
    except (OSError, EOFError, KeyError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        return None
    return Source(splits[0], splits[1], splits[2], classes, form, folders, tuple(warnings)) if splits[0] else None


def _split(images: np.ndarray, labels: np.ndarray) -> Split | None:
    return Split(images, labels) if len(labels) else None


def _write(path: Path, source: Source) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    none = Split(np.empty((0, 0, 0, 0), np.uint8), np.empty(0, np.int64))
    splits = {name: getattr(source, name) or none for name in SPLITS}
    # Not as arrays of texts, where each is as long as the longest.
    texts = {"classes": source.classes, "found": (source.folders, source.warnings)}
    arrays: dict[str, Any] = {key: np.frombuffer(json.dumps(each).encode(), np.uint8) for key, each in texts.items()}
    arrays["form"] = np.array(source.form)
    arrays |= {f"{name}_images": split.images for name, split in splits.items()}
    arrays |= {f"{name}_labels": split.labels for name, split in splits.items()}
    with NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        try:
            np.savez(file, **arrays)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
