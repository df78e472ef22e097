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
    """The rows below the header; none where there is no file. A row that a kill cut is not there."""
    try:
        content = path.read_bytes()
        header, *rows = list(csv.reader(io.StringIO(content[: _whole(content)].decode()))) or [list(columns)]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from None
    if any(len(row) != len(columns) for row in rows) or header != list(columns):
        raise BadInput(f"{path} has other columns, or a row of other cells: must be {','.join(columns)}")
    return rows


@contextmanager
def appending(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Iterable[object]], None]]:
    """What appends a row: it is on disk when the call returns. The file is held for this process alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file.fileno(), _whole(path.read_bytes()))
            append = _appender(file.fileno())
            if not path.stat().st_size:
                append(columns)
            yield append
    except OSError as error:
        raise BadInput(f"{path} cannot be written, or is being written by another process: {error.strerror}") from None


def _whole(content: bytes) -> int:
    """How many bytes are whole rows."""
    return content.rfind(b"\n") + 1


def _appender(file: int) -> Callable[[Iterable[object]], None]:
    def append(cells: Iterable[object]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        os.write(file, line.getvalue().encode())  # in one piece, or cut off when the file is next opened
        os.fsync(file)

    return append
