"""Causing the faults of a row, each cause in a process of its own."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.reliability.row import Tally
from tests.reliability.table import Row, Told, gathered


def silent(log: Path) -> None:
    """In the process of a cause: all that it and its children print goes into a file."""
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(target, number)


def caused(cause: Callable[..., Tally]) -> Tally:
    """In an empty folder. One that cannot be tried here says so by `pytest.skip`, or by a tally of nothing."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place, log = Path(folder) / "place", Path(folder) / "log"
        place.mkdir()
        log.touch()
        with ProcessPoolExecutor(1, get_context("spawn"), initializer=silent, initargs=(log,)) as alone:
            try:
                return alone.submit(cause, place).result()
            except pytest.skip.Exception as reason:
                return Tally(0, 0, 0, str(reason))
            except Exception:
                print(log.read_text("utf-8", "replace")[-4000:], file=sys.stderr)
                raise


def tried(row: Row) -> Told:
    begun, tallies, broken = time.monotonic(), [], []
    for cause in row.causes:
        try:
            tallies.append(caused(cause))
        except Exception as error:
            traceback.print_exc()
            broken.append(f"{cause.__name__}: {type(error).__name__}: {error}")
    return gathered(row, tallies, time.monotonic() - begun, broken)
