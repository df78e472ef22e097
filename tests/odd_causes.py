"""Causes of no fault, for what is made of those that do not end, do not end well, or cannot be tried."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.row import Tally


def sleeps(folder: Path) -> Tally:
    time.sleep(3600)
    return Tally(1, 1, 0, "")


def does_not_survive(folder: Path) -> Tally:
    print("the last write")
    return Tally(2, 1, 0, "")


def cannot_be_tried(folder: Path) -> Tally:
    pytest.skip("no right to")
