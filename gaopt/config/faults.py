"""What is done where a training goes wrong: the table [faults]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le


@dataclass(frozen=True)
class Faults:
    """
    Attributes:
        retries: how often an individual is begun again whose worker died; also how often one whose worker had no room
            on its disk, and how often, then alone, one that ran out of memory. A node that is lost does not count.
        seconds: after which a training is ended as "timed out"; 0 for no limit.
        times: a training is ended so, too, that reported nothing for so many times as long as others took in all (their
            median, of three or more), and for a minute, before its first report for five; 0 for no limit.
        alike: the study stops when the first so many trainings since it was opened all failed, or later so many in a
            row, or three in four of twice as many, failed otherwise than by diverging; 0 for never.
    """

    retries: Annotated[int, Ge(0), Le(100)] = 1
    seconds: Annotated[float, Ge(0)] = 0.0
    times: Annotated[float, Ge(0)] = 10.0
    alike: Annotated[int, Ge(0)] = 10
