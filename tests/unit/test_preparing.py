"""Data are prepared in a thread, beside the start of Ray."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from gaopt.errors import ConfigError, DataError, Stopped
from gaopt.execution import pool
from gaopt.objectives.base import resolve
from tests.conftest import toy

OBJECTIVE = resolve("gaopt.objectives.toy:valley")


def test_a_signal_ends_what_prepares_and_does_not_wait_for_it() -> None:
    began = time.monotonic()

    def stop() -> None:
        raise Stopped(15)

    with pytest.raises(Stopped):
        pool(toy(), OBJECTIVE, lambda: time.sleep(60), stop)
    assert time.monotonic() - began < 30


def test_what_prepares_fails_as_it_did_in_the_main_thread() -> None:
    def missing() -> Any:
        raise DataError("there are no images")

    for prepare, error, said in (
        (missing, DataError, "no images"),
        (lambda: sys.exit(3), ConfigError, "SystemExit: 3"),
    ):
        with pytest.raises(error, match=said):
            pool(toy(), OBJECTIVE, prepare)
