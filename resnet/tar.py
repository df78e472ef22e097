"""Tar archives that may be a stranger's: what a header claims is bounded before it is believed."""

from __future__ import annotations

import lzma
import re
import struct
import tarfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tarfile import BLOCKSIZE

from resnet.split import DataError

HEADERS = 2**20
"""Bytes of all extended headers before one member; those of real archives hold a name, and some attributes."""
MEMBERS = 10_000_000
"""In one archive. ImageNet has 1.4 million images, and each takes half a kilobyte of memory while it is listed."""

BROKEN = (
    *(tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError, struct.error),
    *(ValueError, OverflowError, RecursionError, MemoryError),
)
"""What reading a broken archive raises."""

ENCODING, ERRORS = "utf-8", "surrogateescape"
PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
EXTENDED = (*PAX, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
WANTED = (b"path", b"size", b"GNU.sparse.")
LENGTH = re.compile(rb"(\d{1,20}) ")


@contextmanager
def reading(otherwise: str) -> Iterator[None]:
    """Within it, whatever a broken archive raises is a DataError that begins with these words."""
    try:
        yield
    except DataError:
        raise
    except BROKEN as error:
        raise DataError(f"{otherwise}: {str(error) or type(error).__name__}") from error


def opened(path: Path) -> tarfile.TarFile:
    """
    Raises:
        tarfile.TarError: that is no tar archive.
        BROKEN: it is a broken one.
    """
    return tarfile.open(path, tarinfo=Member, encoding=ENCODING, errors=ERRORS)


def members(path: Path) -> Generator[tarfile.TarInfo, None, None]:
    """All of an archive in its order. It is held open until the end, or until this is closed.

    Raises:
        DataError: they are too many.
        BROKEN: the archive is.
    """
    with opened(path) as tar:
        for number, member in enumerate(iter(tar.next, None)):
            if number == MEMBERS:
                raise DataError(f"{path} holds more than {MEMBERS} members: so many are not read")
            tar.members.clear()  # type: ignore[attr-defined]  # or tarfile would keep every one of them
            yield member
        _check_end(tar)


def content(tar: tarfile.TarFile, offset: int, size: int) -> bytes:
    """
    Raises:
        BROKEN: the archive is.
    """
    assert tar.fileobj
    tar.fileobj.seek(offset)
    return _whole(tar, size)


class Member(tarfile.TarInfo):
    """A member, with what the extended headers before it tell of its name and size.

    tarfile's own way of reading those believes any length, goes down a chain of them by recursion, copies global ones
    to every member, and in older releases of Python takes memory that grows with the square of a header.
    """

    __slots__ = ()

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Member:
        """
        Raises:
            tarfile.HeaderError: at the end of the archive, or what is there is no header.
            ValueError: a header is not to be believed.
        """
        block, told, room = _block(tar), dict[str, str](), HEADERS
        member = cls.frombuf(block, ENCODING, ERRORS)
        while member.type in EXTENDED:
            room -= max(member.size, BLOCKSIZE)
            if member.size < 0 or room < 0:
                raise ValueError(f"more than {HEADERS} bytes of headers before one member")
            told = _told(member.type, _whole(tar, _padded(member.size))[: member.size]) | told  # the first one counts
            block = _block(tar)
            try:
                member = cls.frombuf(block, ENCODING, ERRORS)
            except tarfile.HeaderError as error:  # by itself it would be the archive's end
                raise ValueError(f"{error} after an extended header") from error
        member._apply(told)
        member._place(tar, block)
        return member

    def _apply(self, told: dict[str, str]) -> None:
        if "sparse" in told:
            self.type = tarfile.GNUTYPE_SPARSE
        self.name = (told.get("path") or self.name).rstrip("/")
        self.size = int(told.get("size", self.size))

    def _place(self, tar: tarfile.TarFile, block: bytes) -> None:
        """Where its contents are, and the next member."""
        assert tar.fileobj
        if self.size < 0:
            raise ValueError(f"a member of {self.size} bytes")
        more = block[156:157] == tarfile.GNUTYPE_SPARSE and block[482]
        while more:
            more = _whole(tar, BLOCKSIZE)[504]
        self.offset_data = tar.offset = tar.fileobj.tell()
        if self.isreg() or self.type not in tarfile.SUPPORTED_TYPES:
            tar.offset += _padded(self.size)


def _block(tar: tarfile.TarFile) -> bytes:
    assert tar.fileobj
    return tar.fileobj.read(BLOCKSIZE)


def _whole(tar: tarfile.TarFile, size: int) -> bytes:
    assert tar.fileobj
    found = tar.fileobj.read(size)
    if len(found) < size:
        raise tarfile.ReadError("unexpected end of data")
    return found


def _padded(size: int) -> int:
    return -(-size // BLOCKSIZE) * BLOCKSIZE


def _told(kind: bytes, header: bytes) -> dict[str, str]:
    """What an extended header tells: "path", "size", "sparse" for a file with holes. The rest is of no use here."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return {"path": _text(header.partition(b"\0")[0])}
    if kind not in PAX:
        return {}
    found = {_text(keyword): _text(value) for keyword, value in _records(header) if keyword.startswith(WANTED)}
    told: dict[str, str] = {key: found[key] for key in ("path", "size") if key in found}
    if any(key.startswith("GNU.sparse.") for key in found):
        told |= {"sparse": "", "path": found.get("GNU.sparse.name", told.get("path", ""))}
    return told


def _records(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keywords and values of a PAX header. A record's length is in front of it, and counts itself."""
    position = 0
    while position < len(header) and header[position]:  # a NUL ends it
        length = LENGTH.match(header, position)
        end = position + int(length[1]) if length else 0
        keyword, equals, value = header[length.end() if length else 0 : end].partition(b"=")
        if not (keyword and equals and value.endswith(b"\n") and end <= len(header)):
            raise ValueError("an extended header that is none")
        yield keyword, value[:-1]
        position = end


def _text(name: bytes) -> str:
    return name.decode(ENCODING, ERRORS)


def _check_end(tar: tarfile.TarFile) -> None:
    # At a damaged header the iteration ends as at the end of the archive, and images would be missing unnoticed.
    if tar.fileobj:
        tar.fileobj.seek(tar.offset)
        if tar.fileobj.read(BLOCKSIZE).strip(b"\0"):
            raise tarfile.ReadError(f"damaged header at byte {tar.offset}")
