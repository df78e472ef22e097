"""Genes and the space they span: plain numbers, no search."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gaopt.errors import ConfigError, nearest

Genes = dict[str, float]


@dataclass(frozen=True)
class Gene:
    """A number between two bounds, both allowed.

    Attributes:
        low: the lower bound, in the gene's own unit.
        high: the upper bound.
        scale: "log" spreads values evenly over orders of magnitude and needs low > 0.
        integer: round to whole numbers.

    Example:
        >>> Gene(1e-6, 1e-2, "log").at(0.5)
        0.0001
    """

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    integer: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ConfigError(f"the range {self.low} … {self.high} is not finite: both bounds must be numbers")
        if self.low >= self.high:
            raise ConfigError(f"the range {self.low} … {self.high} is turned round or empty: low must be below high")
        if self.scale not in ("linear", "log"):
            raise ConfigError(f"the scale is {self.scale!r}: must be 'linear' or 'log'")
        if self.scale == "log" and self.low <= 0:
            raise ConfigError(f"low is {self.low} on a log scale: must be above 0")
        if self.integer and (self.low % 1 or self.high % 1):
            raise ConfigError(f"the range {self.low} … {self.high} of an integer gene: both bounds must be whole")

    def at(self, unit: float) -> float:
        """The value at a point of [0, 1]; never outside the bounds, whatever the rounding."""
        if self.scale == "log":
            value = self.low * (self.high / self.low) ** unit
        else:
            value = self.low + (self.high - self.low) * unit
        # Six figures: what is shown is what is trained.
        value = float(round(value)) if self.integer else float(f"{value:.6g}")
        return min(max(value, float(self.low)), float(self.high))

    def unit(self, value: float) -> float:
        """Where a value lies in [0, 1]: the inverse of `at`."""
        if self.scale == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


class Space(Mapping[str, Gene]):
    """Genes by name. Their order here is their order everywhere.

    Example:
        >>> space = Space(lr=Gene(1e-6, 1e-2, "log"), wd=Gene(0.0, 0.1))
        >>> list(space)
        ['lr', 'wd']
    """

    def __init__(self, /, **genes: Gene) -> None:
        if not genes:
            raise ConfigError("the space has no genes: at least one is needed")
        self._genes = genes

    def __getitem__(self, name: str) -> Gene:
        return self._genes[name]

    def __iter__(self):  # type: ignore[no-untyped-def]  # Iterator[str], as Mapping has it
        return iter(self._genes)

    def __len__(self) -> int:
        return len(self._genes)

    def __repr__(self) -> str:
        return f"Space({', '.join(f'{name}={gene}' for name, gene in self._genes.items())})"

    def sample(self, rng: random.Random) -> Genes:
        """A point drawn evenly, each gene on its own scale."""
        return {name: gene.at(rng.random()) for name, gene in self.items()}

    def vector(self, genes: Mapping[str, float]) -> list[float]:
        """The values in the order of the space."""
        return [genes[name] for name in self]

    def genes(self, vector: list[float]) -> Genes:
        """The inverse of `vector`."""
        return dict(zip(self, vector, strict=True))

    def check(self, genes: Mapping[str, float]) -> Genes:
        """The same genes in the order of the space.

        Raises:
            ConfigError: a gene is missing or unknown. Values may lie outside the bounds: a person who
                gives a value by hand means it.
        """
        for name in genes:
            if name not in self:
                raise ConfigError(f"{name!r} is no gene of this space: {nearest(name, self)}")
        if missing := [name for name in self if name not in genes]:
            raise ConfigError(f"no value for the gene {missing[0]!r}: every gene of {', '.join(self)} needs one")
        return {name: float(genes[name]) for name in self}
