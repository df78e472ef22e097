"""A parameter of another library as a gene."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gaopt.errors import ConfigError
from gaopt.space.gene import AnyGene, Choice, Gene
from gaopt.space.numbers import real

Meant = Callable[[float], Any]  # what the library hands to a trial for a number


@dataclass(frozen=True)
class Axis:
    """Numbers are low + step × gene, at most high. A linear gene begins at 0, so that its six figures tell apart."""

    gene: AnyGene
    low: float
    high: float
    step: float = 1.0
    meant: Meant = float

    def value(self, gene: float) -> Any:
        """What a value of the gene stands for."""
        return self.meant(min(self.low + self.step * gene, self.high))

    def told(self, number: float) -> float:
        """The value of the gene that stands for a number."""
        found = (number - self.low) / self.step
        return round(found, 9) if self.gene.levels else found


def linear(low: float, high: float, step: float = 0.0, meant: Meant = float) -> Axis:
    """From low to high, both allowed, in steps if there are any."""
    if not math.isfinite(real(high) - real(low)):
        raise ConfigError(f"the range {low} … {high} is too wide: its width must be finite")
    levels = int((high - low) / step * (1 + 1e-12)) if step else 0
    if low == high or (step and not levels):
        return Axis(Choice((0,)), low, low, meant=meant)
    if step:
        return Axis(Gene(0, levels, integer=True), low, high, step, meant)
    return Axis(Gene(0, high - low), low, high, meant=meant)


def logarithmic(low: float, high: float, integer: bool = False, meant: Meant = float) -> Axis:
    """From low to high, evenly over orders of magnitude."""
    if low == high:
        return Axis(Choice((0,)), low, low, meant=meant)
    return Axis(Gene(low, high, "log", integer), 0.0, high, meant=meant)


def numbered(values: int, meant: Meant) -> Axis:
    """So many values in no order, by their place: they may be anything."""
    return Axis(Choice(tuple(range(values))), 0.0, values - 1, meant=meant)
