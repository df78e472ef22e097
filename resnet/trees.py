"""Files in a folder, or in a tar or zip archive, listed and read in the same way. Nothing is ever extracted.

Everything here may raise a DataError that names the path.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from resnet.split import DataError

Parts = tuple[str, ...]  # a path inside a tree, in parts

Reading = Iterator[tuple[Parts, Callable[[], bytes]]]
"""Files one after another: the path of each, and what gives its bytes."""


@dataclass(frozen=True)
class Listing:
    """What a tree holds, without hidden files and folders."""

    files: dict[Parts, bool]  # whether each is a regular file, not a dead link, a device, or a link inside an archive
    folders: dict[Parts, list[str]]  # the names of the folders in each, sorted

    def children(self, folder: Parts) -> list[str]:
        """The names of the folders in a folder."""
        return self.folders.get(folder, [])


def open_tree(path: Path) -> Tree:
    """The tree at a path."""
    with _reading(f"{path} cannot be read"):
        if not path.exists():
            raise DataError(f"{path} does not exist: a folder, an archive or a table of images is wanted")
        if path.is_dir():
            return Folder(path)
        if path.is_file():
            if tarfile.is_tarfile(path):  # first: a zip archive at its end would be found there
                return Tar(path)
            if zipfile.is_zipfile(path):
                return Zip(path)
    raise DataError(
        f"{path} is no folder, no tar or zip archive and no table (.csv, .tsv, .parquet): one of them is wanted"
    )


@contextmanager
def _reading(otherwise: str) -> Iterator[None]:
    """Turn what reading fails with into a DataError that begins with these words."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # tarfile raises nearly anything where a header is damaged
        raise DataError(f"{otherwise}: {getattr(error, 'strerror', None) or error}") from error


@dataclass(frozen=True)
class Folder:
    """A folder on disk. Links are followed."""

    path: Path

    @cached_property
    def listing(self) -> Listing:
        listing = Listing({}, {})
        with _reading(f"{self.path} cannot be read"):
            for here, folders, files in os.walk(self.path, onerror=_unlisted, followlinks=True):
                folders[:] = sorted(name for name in folders if not name.startswith("."))
                parts = Path(here).relative_to(self.path).parts
                above = {os.path.realpath(Path(self.path, *parts[:n])) for n in range(len(parts) + 1)}
                for folder in (Path(here, name) for name in folders):
                    # By links or not: its images would come again and again.
                    if folder.is_symlink() and (real := os.path.realpath(folder)) in above:
                        raise DataError(f"{folder} is a link back to {real}, which it lies in: remove the link")
                listing.folders[parts] = list(folders)
                for name in files:
                    if not name.startswith("."):
                        listing.files[*parts, name] = os.path.isfile(os.path.join(here, name))
        return listing

    def digest(self) -> str:
        """Of the path and of all names, sizes and times of change."""
        folders = sorted((*parts, name) for parts, names in self.listing.folders.items() for name in names)
        facts = [f"folder {self.path.resolve()}", *map(str, folders)]
        with _reading(f"{self.path} cannot be read"):
            for parts, regular in sorted(self.listing.files.items()):
                status = os.stat(self.where(parts)) if regular else None
                facts.append(f"{parts} {status and (status.st_size, status.st_mtime_ns)}")
        return hashlib.sha256("\n".join(facts).encode("utf-8", "surrogateescape")).hexdigest()

    def where(self, parts: Parts) -> str:
        """The name of a file for a message."""
        return os.path.join(self.path, *parts)

    def read(self, wanted: Collection[Parts]) -> Reading:
        """The wanted files in the quickest order; the calls may be made in other threads."""
        for parts in sorted(wanted):
            yield parts, partial(self._content, parts)

    def _content(self, parts: Parts) -> bytes:
        with _reading(f"{self.where(parts)} cannot be read"):
            return Path(self.where(parts)).read_bytes()


def _unlisted(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be read: {error.strerror}") from error


@dataclass(frozen=True)
class Archive:
    """An archive, by what its kinds have in common."""

    path: Path

    @cached_property
    def _members(self) -> dict[Parts, Any]:
        """What is in it by its path, without what is hidden, and what macOS adds."""
        with _reading(f"{self.path} is a broken archive"):
            found = {self._inside(name): member for name, member in self._listed()}
        hidden = (".", "__MACOSX")
        return {parts: found[parts] for parts in found if parts and not any(p.startswith(hidden) for p in parts)}

    def _listed(self) -> Iterator[tuple[str, Any]]:
        raise NotImplementedError

    @staticmethod
    def _kind(member: Any) -> tuple[bool, bool]:
        """Whether it is a folder, whether a regular file."""
        raise NotImplementedError

    def _inside(self, name: str) -> Parts:
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        if ".." in parts or name.startswith("/"):
            raise DataError(f"{self.path} holds a member {name!r}, which lies outside of it: not a data set")
        return parts

    @cached_property
    def listing(self) -> Listing:
        kinds = {parts: self._kind(member) for parts, member in self._members.items()}
        files = {parts: regular for parts, (folder, regular) in kinds.items() if not folder}
        ends = {parts: len(parts) - (parts in files) for parts in self._members}
        listing = Listing(files, {})
        for folder in sorted({parts[:depth] for parts, end in ends.items() for depth in range(1, end + 1)}):
            listing.folders.setdefault(folder[:-1], []).append(folder[-1])
        return listing

    def digest(self) -> str:
        """Of the contents."""
        with _reading(f"{self.path} cannot be read"), self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def where(self, parts: Parts) -> str:
        return f"{self.path}: {'/'.join(parts)}" if parts else str(self.path)


class Tar(Archive):
    """A tar archive, compressed or not, read as a stream."""

    def _listed(self) -> Iterator[tuple[str, tarfile.TarInfo]]:
        with tarfile.open(self.path) as tar:
            yield from ((member.name, member) for member in tar)
            # tarfile takes a damaged header for the end of the archive: images would be missing unnoticed.
            assert tar.fileobj
            tar.fileobj.seek(tar.offset)
            if tar.fileobj.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise tarfile.ReadError(f"damaged header at byte {tar.offset}")

    @staticmethod
    def _kind(member: tarfile.TarInfo) -> tuple[bool, bool]:
        return member.isdir(), member.isreg()

    def read(self, wanted: Collection[Parts]) -> Reading:
        with tarfile.open(self.path) as tar:
            # In the order of the archive: going back in a compressed one means starting again.
            for parts in sorted(wanted, key=lambda parts: self._members[parts].offset):
                with _reading(f"{self.where(parts)} cannot be read, the archive is broken"):
                    file = tar.extractfile(self._members[parts])
                    content = file.read() if file else b""
                yield parts, partial(bytes, content)


class Zip(Archive):
    """A zip archive."""

    def _listed(self) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        with zipfile.ZipFile(self.path) as found:
            yield from ((member.filename, member) for member in found.infolist())

    @staticmethod
    def _kind(member: zipfile.ZipInfo) -> tuple[bool, bool]:
        mode = member.external_attr >> 16
        return member.is_dir(), not stat.S_ISLNK(mode)

    def read(self, wanted: Collection[Parts]) -> Reading:
        with zipfile.ZipFile(self.path) as found:
            for parts in sorted(wanted):
                with _reading(f"{self.where(parts)} cannot be read"):
                    content = found.read(self._members[parts])
                yield parts, partial(bytes, content)


Tree = Folder | Tar | Zip
