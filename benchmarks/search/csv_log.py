"""A CSV file to which whole rows are appended, so that what a kill interrupts goes on where it was."""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gaopt.errors import BadInput


def read(path: Path, columns: Sequence[str]) -> list[list[str]]:
    """The rows below the header; none where there is no file. A row that a kill cut is not there.

    Raises:
        BadInput: the file cannot be read, or has other columns.
    """
    try:
        content = path.read_bytes()
        header, *rows = list(csv.reader(io.StringIO(content[: _whole(content)].decode()))) or [list(columns)]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from None
    if header != list(columns):
        raise BadInput(f"{path} has the columns {','.join(header)}: must be {','.join(columns)}")
    if any(len(row) != len(columns) for row in rows):
        raise BadInput(f"{path} has a row that is not of {len(columns)} cells: repair or remove it")
    return rows


@contextmanager
def appending(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Iterable[object]], None]]:
    """What appends a row: it is on disk when the call returns. The file is held for this process alone.

    Raises:
        BadInput: another process holds the file, or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from None
    try:
        _hold(file, path)
        os.ftruncate(file, _whole(path.read_bytes()))
        if not os.fstat(file).st_size:
            _append(file, columns)
        yield lambda cells: _append(file, cells)
    finally:
        os.close(file)


def _hold(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BadInput(f"{path} is being written by another process: let it end, or name another folder") from None


def _whole(content: bytes) -> int:
    """How many bytes are whole rows."""
    return content.rfind(b"\n") + 1


def _append(file: int, cells: Iterable[object]) -> None:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    os.write(file, line.getvalue().encode())  # in one piece, or cut off when the file is next opened
    os.fsync(file)
