"""Numbers that a person gives, whoever made them: Python, numpy, torch."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from gaopt.errors import ConfigError


def scalar(value: Any) -> Any:
    """A scalar of numpy or torch as Python has it; anything else as it is."""
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


def real(value: Any) -> float:
    """A number as a float, which need not be finite.

    Raises:
        ConfigError: it is none.
    """
    own = scalar(value)
    if isinstance(own, bool) or not isinstance(own, Real):
        raise ConfigError(f"is {value!r}: must be a number")
    try:
        return float(own)
    except OverflowError:  # a whole number that no float holds
        return math.inf if value > 0 else -math.inf


def finite(value: Any) -> float:
    """
    Raises:
        ConfigError: it is no number, or not finite.
    """
    found = real(value)
    if not math.isfinite(found):
        raise ConfigError(f"is {found}: must be finite")
    return found
