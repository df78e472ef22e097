"""Numbers that a person gives, whoever made them: Python, numpy, torch."""

import math
from collections.abc import Callable
from operator import index
from typing import Any

from gaopt.errors import ConfigError


def scalar(value: Any) -> Any:
    """A scalar, or an array with one element, of numpy or torch as Python has it; anything else as it is."""
    shape = getattr(value, "shape", None)
    return value.item() if hasattr(value, "item") and isinstance(shape, tuple) and math.prod(shape) == 1 else value


def real(value: Any) -> float:
    """A number as a float, which need not be finite."""
    own = scalar(value)
    try:
        if isinstance(own, bool) or not hasattr(own, "__float__"):
            raise TypeError
        return float(own)
    except OverflowError:  # a whole number that no float holds
        return math.inf if own > 0 else -math.inf
    except (TypeError, ValueError):
        raise ConfigError(f"is {value!r}: must be a number") from None


def whole(value: Any) -> int:
    """A whole number as an int."""
    own = scalar(value)
    if isinstance(own, bool) or not hasattr(own, "__index__"):
        raise ConfigError(f"is {value!r}: must be a whole number")
    return index(own)


def given(what: str, value: Any, kind: Callable[[Any], Any] = real) -> Any:
    """What somebody gave, of a kind; a mistake is told with what it was given as."""
    try:
        return kind(value)
    except ConfigError as error:
        raise ConfigError(f"{what} {error}") from None


def finite(value: Any) -> float:
    """A number that is finite."""
    found = real(value)
    if not math.isfinite(found):
        raise ConfigError(f"is {found}: must be finite")
    return found
