"""Causing one fault, in a process of its own. It imports no cause: that process loads what its own needs."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.faults.studies import Tally, below

LIMIT = 1200.0
"""Seconds that a cause may take: the longest takes about five minutes on two cores."""

TAIL = 4000
"""Characters of what a cause printed that are shown, its last ones."""


def silent(log: Path) -> None:
    """In the process of a cause: all that it and its children print goes into a file."""
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(target, number)


def caused(cause: Callable[..., Tally], limit: float = LIMIT) -> Tally:
    """In an empty folder, within `LIMIT`. What it printed is shown if it did not end well.

    Raises:
        pytest.skip.Exception: it cannot be tried here, and says why.
        TimeoutError: it was not over in time.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place, log = Path(folder) / "place", Path(folder) / "log"
        place.mkdir()
        log.touch()
        with ProcessPoolExecutor(1, get_context("spawn"), initializer=silent, initargs=(log,)) as alone:
            pid, told = alone.submit(os.getpid).result(), alone.submit(_tally, cause, place)
            if not wait([told], limit).done:
                for each in (*below(pid), pid):
                    with suppress(ProcessLookupError):
                        os.kill(each, signal.SIGKILL)
                raise TimeoutError(f"it was not over after {limit:g} s")
            if told.exception() or not _well(told.result()):
                print(log.read_text("utf-8", "replace")[-TAIL:], file=sys.stderr)
            tally = told.result()
    if isinstance(tally, str):
        pytest.skip(tally)
    return tally


def _well(tally: Tally | str) -> bool:
    return isinstance(tally, str) or tally.well


def _tally(cause: Callable[..., Tally], place: Path) -> Tally | str:
    """What a cause came to, or why it cannot be tried here: what pytest raises cannot leave a process."""
    try:
        return cause(place)
    except pytest.skip.Exception as reason:
        return str(reason)
