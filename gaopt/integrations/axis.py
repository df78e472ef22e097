"""A parameter of another library as a gene."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gaopt.errors import ConfigError
from gaopt.space.gene import AnyGene, Choice, Gene
from gaopt.space.numbers import real


@dataclass(frozen=True)
class Axis:
    """Values are low + step × gene. The gene of a linear range begins at 0, so that all its six figures tell apart.

    Attributes:
        high: no value lies above it, whatever the rounding.

    Example:
        >>> axis = linear(1000.0, 1000.5, 0.1)
        >>> axis.gene.levels, axis.value(3), axis.told(1000.3)
        (6, 1000.3, 3.0)
    """

    gene: AnyGene
    low: float
    high: float
    step: float = 1.0

    def value(self, gene: float) -> float:
        """The value that a value of the gene stands for."""
        return min(self.low + self.step * gene, self.high)

    def told(self, value: float) -> float:
        """The inverse of `value`."""
        number = (value - self.low) / self.step
        return round(number, 9) if self.gene.levels else number


def linear(low: float, high: float, step: float = 0.0) -> Axis:
    """From low to high, both allowed, in steps if there are any.

    Raises:
        ConfigError: the range is too wide.
    """
    if not math.isfinite(real(high) - real(low)):
        raise ConfigError(f"the range {low} … {high} is too wide: its width must be finite")
    levels = int((high - low) / step * (1 + 1e-12)) if step else 0
    if low == high or (step and not levels):
        return Axis(Choice((0,)), low, low)
    if step:
        return Axis(Gene(0, levels, integer=True), low, high, step)
    return Axis(Gene(0, high - low), low, high)


def logarithmic(low: float, high: float, integer: bool = False) -> Axis:
    """From low to high, evenly over orders of magnitude.

    Raises:
        ConfigError: the range is too wide.
    """
    if low == high:
        return Axis(Choice((0,)), low, low)
    return Axis(Gene(low, high, "log", integer), 0.0, high)


def numbered(values: int) -> Axis:
    """So many values in no order, by their place: they may be anything."""
    return Axis(Choice(tuple(range(values))), 0.0, values - 1)
