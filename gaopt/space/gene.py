"""Genes: a number between two bounds, or one of several values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist
from typing import Any, Literal

from gaopt.errors import ConfigError
from gaopt.space.numbers import finite, given, scalar

Value = bool | int | float | str


@dataclass(frozen=True)
class Gene:
    """A number between two bounds, both allowed.

    Attributes:
        scale: "log" spreads values evenly over orders of magnitude and needs low > 0.
        step: take only low, low + step, low + 2 step …; 0 for any value. Not on a log scale.
        when: a condition on genes before this one, without which it is not there; "" for always.
        prior: the most probable value, where you know one.
        spread: its standard deviation: in the gene's unit, or on a log scale a factor above 1.

    Examples:
        >>> Gene(1e-6, 1e-2, "log").at(0.5)
        0.0001
    """

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    integer: bool = False
    step: float = 0.0
    when: str = ""
    prior: float | None = None
    spread: float = 0.0

    def __post_init__(self) -> None:
        for key in ("low", "high", "step", "spread", *(["prior"] if self.prior is not None else [])):
            object.__setattr__(self, key, given(key, getattr(self, key), finite))
        if self.low >= self.high:
            raise ConfigError(f"the range {self.low} … {self.high} is turned round or empty: low must be below high")
        if self.scale not in ("linear", "log"):
            raise ConfigError(f"the scale is {self.scale!r}: must be 'linear' or 'log'")
        if self.scale == "log" and self.low <= 0:
            raise ConfigError(f"low is {self.low} on a log scale: must be above 0")
        if not math.isfinite(self.high / self.low if self.scale == "log" else self.high - self.low):
            raise ConfigError(f"the range {self.low} … {self.high} is too wide: its width must be finite")
        if self.integer and (self.low % 1 or self.high % 1 or self.step % 1):
            raise ConfigError(f"the range {self.low} … {self.high} of an integer gene: bounds and step must be whole")
        if self.step and self.scale == "log":
            raise ConfigError(f"step is {self.step} on a log scale: must be 0, or the scale 'linear'")
        if self.step and not 0 < self.step <= (self.high - self.low) * (1 + 1e-9):  # they may have been rounded
            raise ConfigError(f"step is {self.step}: must be above 0 and at most {self.high - self.low:g}")
        _check_prior(self.prior, self.spread, self.scale == "log")
        if self.prior is not None and not self.low <= self.prior <= self.high:
            raise ConfigError(f"prior is {self.prior:g}: must lie in the range {self.low:g} … {self.high:g}")

    @property
    def levels(self) -> int:
        """How many values there are; 0 where they cannot be counted."""
        if self.step:
            return int((self.high - self.low) / self.step * (1 + 1e-12)) + 1
        return int(self.high - self.low) + 1 if self.integer else 0

    def level(self, number: int) -> float:
        """The value of that number, counted from 0, where they can be counted."""
        return self._settled(self.low + number * (self.step or 1.0))

    def at(self, unit: float) -> float:
        """The value at a point of [0, 1], or at the nearest end; never outside the bounds, whatever the rounding."""
        unit = min(max(unit, 0.0), 1.0)
        if self.scale == "log":
            value = self.low * (self.high / self.low) ** unit
        else:
            value = self.low + (self.high - self.low) * unit
        if self.step:
            value = self.low + self.step * min(round((value - self.low) / self.step), self.levels - 1)
        return self._settled(value)

    def _settled(self, value: float) -> float:
        if self.integer:
            return min(max(round(value), int(self.low)), int(self.high))
        value = float(f"{value:.6g}")  # six figures: what is shown is what is trained
        return min(max(value, self.low), self.high)

    def unit(self, value: float) -> float:
        """Where a value lies in [0, 1]: the inverse of `at`. A value outside the bounds lies outside."""
        if self.scale == "log":
            return math.log(value / self.low) / math.log(self.high / self.low) if value > 0 else -math.inf
        return (value - self.low) / (self.high - self.low)

    @property
    def belief(self) -> tuple[float, float] | None:
        """Mean and standard deviation of the prior on [0, 1]; None without one."""
        if self.prior is None:
            return None
        width = math.log(self.high / self.low) if self.scale == "log" else self.high - self.low
        share = (math.log(self.spread) if self.scale == "log" else self.spread) / width
        return self.unit(self.prior), min(max(share, 1e-3), 1e3)  # narrower than a search can tell, wide as any

    def likely(self, share: float) -> float:
        """The point of [0, 1] below which the prior has this share of its values; the share itself without a prior."""
        if not self.belief:
            return share
        normal = NormalDist(*self.belief)
        below, above = normal.cdf(0.0), normal.cdf(1.0)
        return min(max(normal.inv_cdf(below + min(max(share, 1e-9), 1 - 1e-9) * (above - below)), 0.0), 1.0)

    def check(self, value: Any) -> float:
        """A number, also one outside the bounds: a person who gives a value by hand means it."""
        found = finite(value)
        if self.integer and found % 1:
            raise ConfigError(f"is {found:g}: must be a whole number")
        return int(found) if self.integer else found


@dataclass(frozen=True)
class Choice:
    """One of several values that have no order; with a single one, a gene that is held fixed.

    Attributes:
        choices: numbers, words, or true and false.
        prior: the most probable one, where you know it.
        spread: how many times as probable as each other it is, above 1.

    Examples:
        >>> Choice(("adam", "sgd")).at(0.7)
        'sgd'
    """

    choices: tuple[Value, ...]
    when: str = ""
    prior: Value | None = None
    spread: float = 0.0

    def __post_init__(self) -> None:
        found: Any = self.choices
        if isinstance(found, str) or not isinstance(found, Sequence):
            raise ConfigError(f"choices is {found!r}: must be a list of values")
        object.__setattr__(self, "choices", tuple(map(scalar, found)))
        if not self.choices:
            raise ConfigError("choices is empty: must have one value or more")
        for value in self.choices:
            if not isinstance(value, bool | int | float | str):
                raise ConfigError(f"choices holds {value!r}: must be numbers, words, or true and false")
            if isinstance(value, float) and not math.isfinite(value):
                raise ConfigError(f"choices holds {value}: must be finite")
            if self.choices.count(value) > 1:
                raise ConfigError(f"choices holds {value!r} twice, or a number that equals it: each must be there once")
        _check_prior(self.prior, given("spread", self.spread, finite), factor=True)
        if self.prior is not None:
            given("prior", self.prior, self.check)

    @property
    def levels(self) -> int:
        """How many values there are."""
        return len(self.choices)

    def level(self, number: int) -> Value:
        """The value of that number, counted from 0."""
        return self.choices[number]

    def at(self, unit: float) -> Value:
        """The value at a point of [0, 1], which is divided evenly among them."""
        return self.choices[min(max(int(unit * len(self.choices)), 0), len(self.choices) - 1)]

    def unit(self, value: Value) -> float:
        """The middle of a value's part of [0, 1]: the inverse of `at`."""
        return (self.choices.index(value) + 0.5) / len(self.choices)

    def likely(self, share: float) -> float:
        """As of a `Gene`: the middle of a value's part of [0, 1], which is the larger the more probable it is."""
        if self.prior is None:
            return share
        ends = list(accumulate(self.spread if choice == self.prior else 1.0 for choice in self.choices))
        return self.unit(next(c for c, end in zip(self.choices, ends, strict=True) if share * ends[-1] <= end))

    def check(self, value: Any) -> Value:
        """One of the choices, as it was declared."""
        try:
            return self.choices[self.choices.index(scalar(value))]
        except ValueError:
            raise ConfigError(f"is {value!r}: must be one of {', '.join(map(repr, self.choices))}") from None


AnyGene = Gene | Choice


def _check_prior(prior: Value | None, spread: float, factor: bool) -> None:
    """A prior needs a spread, and a spread a prior."""
    if prior is None and spread:
        raise ConfigError(f"spread is {spread:g} without a prior: leave it out, or give prior")
    if prior is not None and not spread:
        raise ConfigError(f"prior is {prior!r} without a spread: give spread, how far it may be off")
    if prior is not None and spread <= (1 if factor else 0):
        what = "1, a factor" if factor else "0, a standard deviation"
        raise ConfigError(f"spread is {spread:g} beside the prior {prior!r}: must be above {what}")
