"""Tables of images: a CSV or Parquet file with a path and a label in each row, and a split if it says one."""

from __future__ import annotations

import csv
import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from resnet.folders import NAMES, SPLITS, decode_into
from resnet.split import DataError, Source, Split, few
from resnet.trees import Folder, Parts

SUFFIXES = (".csv", ".tsv", ".parquet")
COLUMNS = {
    "path": ("path", "file_path", "filepath", "image_path", "file", "file_name", "filename", "image", "name"),
    "label": ("label", "labels", "class", "class_name", "target", "category"),
    "split": ("split", "set", "subset", "is_valid"),
}
"""Names of the columns in any case, the first that is there: Kaggle's, fastai's, those of Hugging Face's folders."""
IS_VALID = {"true": "valid", "1": "valid", "false": "train", "0": "train"}  # fastai's column of that name


@dataclass(frozen=True)
class Row:
    """An image in a table."""

    where: str  # "labels.csv, line 7"
    path: str  # as written: absolute, or from the table's folder
    label: str
    split: str  # "train", "valid" or "test"


@dataclass(frozen=True)
class Table:
    """A table on disk, and the files that it names. Everything may raise a DataError that names the row."""

    path: Path

    @cached_property
    def rows(self) -> dict[str, Row]:
        """By path."""
        found: dict[str, Row] = {}
        for row in self._read():
            if not os.path.isfile(self.folder.where((row.path,))):
                raise DataError(f"{row.where}: there is no file {self.folder.where((row.path,))}")
            if (known := found.setdefault(row.path, row)) is not row:
                raise DataError(f"{row.where}: {row.path} is named before, in {known.where}: one row is wanted")
        if not found:
            raise DataError(f"{self.path} holds no row: an image in each is wanted")
        return found

    @property
    def folder(self) -> Folder:
        return Folder(self.path.parent)

    def digest(self) -> str:
        """Of the table's contents, and of the sizes and times of change of all files."""
        digest = hashlib.sha256(f"{self.path.resolve()}".encode("utf-8", "surrogateescape"))
        for row in self.rows.values():
            status = os.stat(self.folder.where((row.path,)))
            facts = (row.path, row.label, row.split, status.st_size, status.st_mtime_ns)
            digest.update(f"\n{facts}".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def read(self, size: int) -> Source:
        """All images in RGB, uint8 (n, size, size, 3), in the order of the rows."""
        split = [row for row in self.rows.values() if row.split == "train"]
        classes = tuple(sorted({row.label for row in split}))
        if len(classes) < 2:
            raise DataError(f"the training images of {self.path} are of {few(classes) or 'no class'}: two are wanted")
        index = {name: label for label, name in enumerate(classes)}
        splits: dict[str, Split] = {}
        slots: dict[Parts, np.ndarray] = {}
        for name in SPLITS:
            rows = [row for row in self.rows.values() if row.split == name]
            for row in rows:
                if row.label not in index:
                    raise DataError(f"{row.where}: no training image is of {row.label!r}: known: {few(classes)}")
            pixels = np.empty((len(rows), size, size, 3), np.uint8)
            labels = np.array([index[row.label] for row in rows], np.int64)
            if rows:
                splits[name] = Split(pixels, labels, tuple(row.path for row in rows))
            slots |= {(row.path,): pixel for row, pixel in zip(rows, pixels, strict=True)}
        form = decode_into(slots, self.folder)
        where = {name: f"{self.path.name}, {name}" if len(splits) > 1 else "" for name in splits}
        return Source(splits["train"], splits.get("valid"), splits.get("test"), classes, form, where)

    def _read(self) -> list[Row]:
        try:
            if self.path.suffix.lower() == ".parquet":
                return self._rows_of(*_parquet(self.path))
            with open(self.path, encoding="utf-8-sig", newline="") as file:
                delimiter = max(",;\t", key=file.readline().count)
                file.seek(0)
                reader = csv.reader(file, delimiter=delimiter, strict=True)
                head = next(reader, [])
                cells = [(f"line {reader.line_num}", row) for row in reader if row]
        except DataError:
            raise
        except (OSError, ValueError, csv.Error) as error:  # also of what is no UTF-8, no Parquet
            raise DataError(f"{self.path} cannot be read: {error}") from error
        return self._rows_of(head, cells)

    def _rows_of(self, head: list[str], cells: list[tuple[str, list[str]]]) -> list[Row]:
        names = [name.strip().lower() for name in head]
        places = {kind: [names.index(name) for name in known if name in names] for kind, known in COLUMNS.items()}
        for kind in ("path", "label"):
            if not places[kind]:
                known = f"one named {kind} is wanted (or {', '.join(COLUMNS[kind][1:])})"
                raise DataError(f"{self.path} has the columns {few(head, 9) or 'of an empty file'}: {known}")
        found = []
        for where, row in cells:
            said = f"{self.path}, {where}"
            if len(row) != len(head):
                raise DataError(f"{said} has {len(row)} cells: must have {len(head)}, as the head does")
            path, label = (row[places[kind][0]].strip() for kind in ("path", "label"))
            if not path or not label:
                raise DataError(f"{said} has no {'label' if path else 'path'}: every row must have one")
            found.append(Row(said, path, label, self._split(row, places["split"], said)))
        return found

    def _split(self, row: list[str], places: list[int], where: str) -> str:
        if not places:
            return "train"
        told = row[places[0]].strip()
        if (split := {**NAMES, **IS_VALID}.get(told.lower())) is None:
            raise DataError(f"{where}: the split is {told!r}: must be train, valid or test")
        return split


def _parquet(path: Path) -> tuple[list[str], list[tuple[str, list[str]]]]:
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise DataError(f"{path} is read by pyarrow, which is not installed: pip install pyarrow") from None
    rows = frame.astype(object).where(frame.notna(), "").astype(str).to_numpy().tolist()
    return [str(name) for name in frame.columns], [(f"row {number}", row) for number, row in enumerate(rows, 1)]
