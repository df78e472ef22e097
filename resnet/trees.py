"""Files in a folder or in a tar archive, listed and read in the same way. Nothing is ever extracted."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple, Protocol

from resnet import tar as tars
from resnet.split import DataError

Parts = tuple[str, ...]
"""A path inside a tree, in parts."""

DEEPEST = 100
"""Folders inside one another, the file included; archives can claim, and disks can hold, tens of thousands."""
LONGEST = 4096
"""Bytes of a path in an archive, as Linux has it."""
FOLDERS = 1_000_000
"""In one archive: a short header can name a hundred new ones."""


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
        while parts and parts not in self.folders:
            self.folders.add(parts)
            parts = parts[:-1]


Reading = Generator[tuple[Parts, Callable[[], bytes]], None, None]
"""Files one after another: where each is, and what gives its bytes."""


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

    def read(self, wanted: Collection[Parts]) -> Reading:
        """The wanted files in the quickest order; what can wait for another thread is in the call.

        Whoever does not come to its end closes it: it may hold a file open.
        """


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
        tarred = path.is_file() and _is_tar(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if not tarred:
        raise DataError(f"{path} is neither a folder nor a tar archive: one of them is wanted")
    return Archive(path)


def _is_tar(path: Path) -> bool:
    with tars.reading(f"{path} is a broken archive"):
        try:
            tars.opened(path).close()
        except (tarfile.ReadError, tarfile.CompressionError):
            return False
    return True


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

    def read(self, wanted: Collection[Parts]) -> Reading:
        for parts in sorted(wanted):
            yield parts, partial(_read_file, self.path.joinpath(*parts))


def _walk(folder: Path, parts: Parts, above: frozenset[str]) -> Iterator[tuple[os.DirEntry[str], Parts]]:
    if len(parts) >= DEEPEST:
        raise DataError(f"{folder} is {len(parts)} folders deep: at most {DEEPEST} are read")
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


class _Held(NamedTuple):
    """What of a member is kept: its bytes are there at an offset, and None if it is no regular file."""

    folder: bool
    offset: int
    size: int | None


@dataclass(frozen=True)
class Archive:
    """A tar archive, compressed or not, read as a stream."""

    path: Path

    @cached_property
    def _members(self) -> dict[Parts, _Held]:
        with self._reading(), closing(tars.members(self.path)) as members:
            found = {_inside(self.path, member.name): _held(member) for member in members}
        return {p: m for p, m in found.items() if p and not any(part.startswith(".") for part in p)}

    @cached_property
    def listing(self) -> Listing:
        listing = Listing()
        for parts, member in self._members.items():
            if not member.folder:
                listing.files[parts] = member.size
            listing.add_folder(parts if member.folder else parts[:-1])
            if len(listing.folders) > FOLDERS:
                raise DataError(f"{self.path} holds more than {FOLDERS} folders: so many are not read")
        return listing

    def digest(self) -> str:
        """Of the contents."""
        with self._reading(), self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def where(self, parts: Parts) -> str:
        return f"{self.path}: {'/'.join(parts)}" if parts else str(self.path)

    def read(self, wanted: Collection[Parts]) -> Reading:
        # In the order of the archive: going back in a compressed one means starting again.
        order = sorted(wanted, key=lambda parts: self._members[parts].offset)
        with self._reading():
            tar = tars.opened(self.path)
        with tar:
            for parts in order:
                yield parts, partial(bytes, self._content(tar, parts))

    def _content(self, tar: tarfile.TarFile, parts: Parts) -> bytes:
        member = self._members[parts]
        with tars.reading(f"{self.where(parts)} cannot be read, the archive is broken"):
            return tars.content(tar, member.offset, member.size or 0)

    def _reading(self) -> AbstractContextManager[None]:
        return tars.reading(f"{self.path} is a broken archive")


def _held(member: tarfile.TarInfo) -> _Held:
    regular = member.isreg() and member.type != tarfile.GNUTYPE_SPARSE
    return _Held(member.isdir(), member.offset_data, member.size if regular else None)


def _inside(archive: Path, name: str) -> Parts:
    if len(name.encode("utf-8", "surrogateescape")) > LONGEST:
        raise DataError(f"{archive} holds a member {name[:80]!r}…: a path may have {LONGEST} bytes")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts or name.startswith("/"):
        raise DataError(f"{archive} holds a member {name!r}, which lies outside of it: not a data set")
    if len(parts) > DEEPEST:
        raise DataError(f"{archive} holds a member {name[:80]!r}…: it may be {DEEPEST} folders deep")
    return parts
