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

import numpy as np

from resnet.split import Source, Split

SPLITS = ("train", "valid", "test")
BROKEN = (OSError, EOFError, KeyError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What reading a missing, cut or altered file raises; zipfile checks the sum of each array."""


def default() -> Path:
    """$XDG_CACHE_HOME/gaopt, or ~/.cache/gaopt."""
    return Path(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")) / "gaopt"


def cached(folder: Path, key: str, make: Callable[[], Source]) -> Source:
    """The data set kept under a key, or made and kept. A file that is broken is made anew.

    Where the folder cannot be written, nothing is kept.
    """
    path = folder / f"{key}.npz"
    with suppress(*BROKEN):
        return _read(path)
    source = make()
    with suppress(OSError):
        _write(path, source)
    return source


def _read(path: Path) -> Source:
    # Opened here, since np.load leaves a cut file open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        train, valid, test = (
            Split(arrays[f"{name}_images"], arrays[f"{name}_labels"]) if f"{name}_images" in arrays else None
            for name in SPLITS
        )
        classes, form, folders, warnings = json.loads(str(arrays["about"]))
    if train is None:
        raise KeyError("train")
    return Source(train, valid, test, tuple(classes), form, folders, tuple(warnings))


def _write(path: Path, source: Source) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    about = json.dumps([source.classes, source.form, source.folders, source.warnings])
    arrays = {"about": np.array(about)}
    for name in SPLITS:
        if split := getattr(source, name):
            arrays |= {f"{name}_images": split.images, f"{name}_labels": split.labels}
    with NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        try:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
