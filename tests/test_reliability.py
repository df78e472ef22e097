"""Rows of the table of faults, small: `make faults` runs them all, large."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability import changed, holder


def test_a_second_driver_is_told_who_holds_a_study_and_a_killed_one_blocks_nobody(tmp_path: Path) -> None:
    tally = holder.two_drivers(tmp_path, times=2)
    assert (tally.tried, tally.survived, tally.lost) == (2, 2, 0)


@pytest.mark.slow
def test_images_that_changed_are_found_out_before_a_study_goes_on(tmp_path: Path) -> None:
    tally = changed.something_changed(tmp_path, ["data"])
    assert (tally.tried, tally.survived, tally.lost) == (1, 1, 0)
