"""What is done where a training goes wrong: the table [faults]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le


@dataclass(frozen=True)
class Faults:
    """
    Attributes:
        retries: how often an individual is begun again whose worker was lost or that ran out of memory; after the
            latter it is trained alone.
    """

    retries: Annotated[int, Ge(0), Le(100)] = 1
