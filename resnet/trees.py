"""Files in a folder or in a tar archive, listed and read in the same way. Nothing is ever extracted."""

from __future__ import annotations

import hashlib
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

from resnet.split import DataError

Parts = tuple[str, ...]
"""A path inside a tree, in parts."""

BROKEN = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError)
"""What reading a broken archive raises."""


@dataclass(frozen=True)
class Listing:
    """What a tree holds; hidden files and folders are left out.

    Attributes:
        files: the bytes of each regular file; None for a dead link, a device or a link inside an archive.
    """

    files: dict[Parts, int | None] = field(default_factory=dict)
    folders: set[Parts] = field(default_factory=set)

    def add_folder(self, parts: Parts) -> None:
        """This folder and all above it."""
        self.folders.update(parts[:depth] for depth in range(1, len(parts) + 1))


class Tree(Protocol):
    """A folder or an archive. Every method may raise a DataError that names the path."""

    @property
    def path(self) -> Path: ...

    @property
    def listing(self) -> Listing: ...

    def digest(self) -> str:
        """Changes when the contents do, as far as this is cheap to tell."""

    def where(self, parts: Parts) -> str:
        """The name of a file for a message."""

    def read(self, wanted: Collection[Parts]) -> Iterator[tuple[Parts, Callable[[], bytes]]]:
        """The wanted files in the quickest order; what can wait for another thread is in the call."""


def open_tree(path: Path) -> Tree:
    """The tree at a path.

    Raises:
        DataError: nothing is there, or neither a folder nor a tar archive.
    """
    try:
        if not path.exists():
            raise DataError(f"{path} does not exist: a folder or a tar archive of images is wanted")
        if path.is_dir():
            return Folder(path)
        tarred = path.is_file() and tarfile.is_tarfile(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except BROKEN as error:
        raise DataError(f"{path} is a broken archive: {error}") from error
    if not tarred:
        raise DataError(f"{path} is neither a folder nor a tar archive: one of them is wanted")
    return Archive(path)


@dataclass(frozen=True)
class Folder:
    """A folder on disk. Links are followed, but not in a circle."""

    path: Path

    @cached_property
    def _found(self) -> tuple[Listing, list[str]]:
        listing, facts = Listing(), [f"folder {self.path.resolve()}"]
        try:
            for entry, parts in _walk(self.path, (), frozenset()):
                if entry.is_dir():
                    listing.add_folder(parts)
                    facts.append(f"{parts}")
                    continue
                status = entry.stat() if entry.is_file() else None
                listing.files[parts] = status.st_size if status else None
                facts.append(f"{parts} {status and (status.st_size, status.st_mtime_ns)}")
        except OSError as error:
            raise DataError(f"{error.filename or self.path} cannot be read: {error.strerror}") from error
        return listing, facts

    @property
    def listing(self) -> Listing:
        return self._found[0]

    def digest(self) -> str:
        """Of the path and of all names, sizes and times of change."""
        return hashlib.sha256("\n".join(self._found[1]).encode("utf-8", "surrogateescape")).hexdigest()

    def where(self, parts: Parts) -> str:
        return str(self.path.joinpath(*parts))

    def read(self, wanted: Collection[Parts]) -> Iterator[tuple[Parts, Callable[[], bytes]]]:
        for parts in sorted(wanted):
            yield parts, partial(_read_file, self.path.joinpath(*parts))


def _walk(folder: Path, parts: Parts, above: frozenset[str]) -> Iterator[tuple[os.DirEntry[str], Parts]]:
    real = os.path.realpath(folder)
    if real in above:
        raise DataError(f"{folder} is a link back to {real}, which it lies in: remove the link")
    with os.scandir(folder) as entries:
        visible = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    for entry in visible:
        yield entry, (*parts, entry.name)
        if entry.is_dir():
            yield from _walk(folder / entry.name, (*parts, entry.name), above | {real})


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


@dataclass(frozen=True)
class Archive:
    """A tar archive, compressed or not, read as a stream."""

    path: Path

    @cached_property
    def _members(self) -> dict[Parts, tarfile.TarInfo]:
        try:
            with tarfile.open(self.path) as tar:
                members = {_inside(self.path, member.name): member for member in tar}
                _check_end(tar)
        except BROKEN as error:
            raise DataError(f"{self.path} is a broken archive: {error}") from error
        return {p: m for p, m in members.items() if p and not any(part.startswith(".") for part in p)}

    @cached_property
    def listing(self) -> Listing:
        listing = Listing()
        for parts, member in self._members.items():
            if not member.isdir():
                listing.files[parts] = member.size if member.isreg() else None
            listing.add_folder(parts if member.isdir() else parts[:-1])
        return listing

    def digest(self) -> str:
        """Of the contents."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def where(self, parts: Parts) -> str:
        return f"{self.path}: {'/'.join(parts)}" if parts else str(self.path)

    def read(self, wanted: Collection[Parts]) -> Iterator[tuple[Parts, Callable[[], bytes]]]:
        # In the order of the archive: going back in a compressed one means starting again.
        order = sorted(wanted, key=lambda parts: self._members[parts].offset_data)
        with tarfile.open(self.path) as tar:
            for parts in order:
                yield parts, partial(bytes, self._extract(tar, parts))

    def _extract(self, tar: tarfile.TarFile, parts: Parts) -> bytes:
        try:
            file = tar.extractfile(self._members[parts])
            return file.read() if file else b""
        except BROKEN as error:
            raise DataError(f"{self.where(parts)} cannot be read, the archive is broken: {error}") from error


def _inside(archive: Path, name: str) -> Parts:
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts or name.startswith("/"):
        raise DataError(f"{archive} holds a member {name!r}, which lies outside of it: not a data set")
    return parts


def _check_end(tar: tarfile.TarFile) -> None:
    # At a damaged header the iteration ends as at the end of the archive, and images would be missing unnoticed.
    if tar.fileobj:
        tar.fileobj.seek(tar.offset)
        if tar.fileobj.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise tarfile.ReadError(f"damaged header at byte {tar.offset}")
