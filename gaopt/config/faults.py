"""What is done where a training goes wrong: the table [faults]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le


@dataclass(frozen=True)
class Faults:
    """What is done where a training goes wrong.

    Attributes:
        retries: how often an individual is begun again whose worker died; also how often one whose worker had no room
            on its disk, and how often, then alone, one that ran out of memory. A node that is lost does not count.
        seconds: after which a training is ended as "timed out"; 0 for no limit.
        stall_factor: a training is ended so, too, after a silence of this many times what others took in all (their
            median, of three or more), of at least a minute, of five before its first report; 0 for no limit.
        max_alike_failures: stop the study when the first this many trainings since it was opened failed; or later this
            many in a row, or three in four of twice as many, otherwise than by diverging; 0 for never.
    """

    retries: Annotated[int, Ge(0), Le(100)] = 1
    seconds: Annotated[float, Ge(0)] = 0.0
    stall_factor: Annotated[float, Ge(0)] = 10.0
    max_alike_failures: Annotated[int, Ge(0)] = 10
