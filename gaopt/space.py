"""Genes and the space they span: plain values, no search."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

from gaopt.errors import ConfigError, nearest
from gaopt.expression import Expression
from gaopt.scalar import finite, scalar

Genes = dict[str, Any]
"""By name: a number, or one of a choice's values. A gene whose condition does not hold is not there."""

Value = bool | int | float | str
DRAWS, LEAST = 200, 2
"""Of so many individuals drawn at random the constraints must allow so many: a search draws hundreds."""
TRIES = 100_000
COUNTED = 10_000
"""A space of so many individuals, at most, is known to be used up; of a larger one it shows in tries without end."""


@dataclass(frozen=True)
class Gene:
    """A number between two bounds, both allowed.

    Attributes:
        low: the lower bound, in the gene's own unit.
        high: the upper bound.
        scale: "log" spreads values evenly over orders of magnitude and needs low > 0.
        integer: round to whole numbers.
        step: take only low, low + step, low + 2 step …; 0 for any value. Not on a log scale.
        when: a condition on genes before this one, without which it is not there; "" for always.

    Example:
        >>> Gene(1e-6, 1e-2, "log").at(0.5)
        0.0001
    """

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    integer: bool = False
    step: float = 0.0
    when: str = ""

    def __post_init__(self) -> None:
        for key in ("low", "high", "step"):
            try:
                object.__setattr__(self, key, finite(getattr(self, key)))
            except ConfigError as error:
                raise ConfigError(f"{key} {error}") from None
        self._check_range()
        self._check_step()

    def _check_range(self) -> None:
        if self.low >= self.high:
            raise ConfigError(f"the range {self.low} … {self.high} is turned round or empty: low must be below high")
        if self.scale not in ("linear", "log"):
            raise ConfigError(f"the scale is {self.scale!r}: must be 'linear' or 'log'")
        if self.scale == "log" and self.low <= 0:
            raise ConfigError(f"low is {self.low} on a log scale: must be above 0")
        if not math.isfinite(self.high / self.low if self.scale == "log" else self.high - self.low):
            raise ConfigError(f"the range {self.low} … {self.high} is too wide: its width must be finite")
        if self.integer and (self.low % 1 or self.high % 1):
            raise ConfigError(f"the range {self.low} … {self.high} of an integer gene: both bounds must be whole")

    def _check_step(self) -> None:
        if self.step and not 0 < self.step <= (self.high - self.low) * (1 + 1e-9):  # they may have been rounded
            raise ConfigError(f"step is {self.step}: must be above 0 and at most {self.high - self.low:g}")
        if self.step and self.scale == "log":
            raise ConfigError(f"step is {self.step} on a log scale: must be 0, or the scale 'linear'")
        if self.step and self.integer and self.step % 1:
            raise ConfigError(f"step is {self.step} for an integer gene: must be whole")

    @property
    def levels(self) -> int:
        """How many values there are; 0 where they cannot be counted."""
        if self.step:
            return int((self.high - self.low) / self.step * (1 + 1e-12)) + 1
        return int(self.high - self.low) + 1 if self.integer else 0

    def level(self, number: int) -> float:
        """The value of that number, counted from 0, where they can be counted."""
        value = float(f"{self.low + number * (self.step or 1.0):.6g}") if self.step else float(self.low + number)
        return min(value, float(self.high))

    def at(self, unit: float) -> float:
        """The value at a point of [0, 1], or at the nearest end; never outside the bounds, whatever the rounding."""
        unit = min(max(unit, 0.0), 1.0)
        if self.scale == "log":
            value = self.low * (self.high / self.low) ** unit
        else:
            value = self.low + (self.high - self.low) * unit
        if self.step:
            value = self.low + self.step * min(round((value - self.low) / self.step), self.levels - 1)
        # Six figures: what is shown is what is trained.
        value = float(round(value)) if self.integer else float(f"{value:.6g}")
        return min(max(value, float(self.low)), float(self.high))

    def unit(self, value: float) -> float:
        """Where a value lies in [0, 1]: the inverse of `at`. A value outside the bounds lies outside."""
        if self.scale == "log":
            return math.log(value / self.low) / math.log(self.high / self.low) if value > 0 else -math.inf
        return (value - self.low) / (self.high - self.low)

    def check(self, value: Any) -> float:
        """A number, also one outside the bounds: a person who gives a value by hand means it.

        Raises:
            ConfigError: it is none, or not finite.
        """
        return finite(value)


@dataclass(frozen=True)
class Choice:
    """One of several values that have no order; with a single one, a gene that is held fixed.

    Attributes:
        choices: numbers, words, or true and false.
        when: as for `Gene`.

    Example:
        >>> Choice(("adam", "sgd")).at(0.7)
        'sgd'
    """

    choices: tuple[Value, ...]
    when: str = ""

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

    def check(self, value: Any) -> Value:
        """
        Raises:
            ConfigError: it is none of the choices.
        """
        try:
            return self.choices[self.choices.index(scalar(value))]
        except ValueError:
            raise ConfigError(f"is {value!r}: must be one of {', '.join(map(repr, self.choices))}") from None


AnyGene = Gene | Choice


class Space(Mapping[str, AnyGene]):
    """Genes by name, and what must hold between them. Their order here is their order everywhere.

    Args:
        constraints: conditions (`Expression`) that every individual satisfies; one that speaks of a gene that is
            not there is satisfied.

    Attributes:
        constraints: as they were given.
        conditions: of the genes that have one, by name, in the order of the space.

    Raises:
        ConfigError: no genes, a condition that cannot be read, or that speaks of no gene of the space; a gene's own
            may speak of those before it alone. A gene that it might speak of is called true or false.

    Example:
        >>> space = Space("wd < lr * 100", lr=Gene(1e-6, 1e-2, "log"), wd=Gene(0.0, 0.1))
        >>> list(space)
        ['lr', 'wd']
    """

    def __init__(self, /, *constraints: str, **genes: AnyGene) -> None:
        if not genes:
            raise ConfigError("the space has no genes: at least one is needed")
        for name, gene in genes.items():
            if not isinstance(gene, Gene | Choice):
                raise ConfigError(f"the gene {name!r} is {gene!r}: must be a gaopt.Gene or a gaopt.Choice")
        self._genes = genes
        self.constraints = tuple(Expression(text) for text in constraints)
        self.conditions = {name: Expression(gene.when) for name, gene in genes.items() if gene.when}
        self._check_conditions()

    def _check_conditions(self) -> None:
        before: dict[str, AnyGene] = {}
        for name, gene in self._genes.items():
            if name in self.conditions:
                self.conditions[name].check(before)
            before[name] = gene
        for constraint in self.constraints:
            constraint.check(self._genes)
        if not self.free:
            self._check_draws(random.Random(0))

    def _check_draws(self, rng: random.Random) -> None:
        """Types that do not go together, and constraints that leave hardly anything, show in what is drawn."""
        allowed = 0
        for _ in range(DRAWS):
            drawn = {name: gene.at(rng.random()) for name, gene in self.items()}
            for condition in (*self.conditions.values(), *self.constraints):
                condition.check_types(drawn)
            allowed += self.allows(self.expressed(drawn))
        if allowed < LEAST:
            raise ConfigError(
                f"of {DRAWS} individuals drawn at random the constraints allow {allowed or 'none'}, fewer than {LEAST}:"
                f" loosen {self.constraints[0].text!r}, or narrow the ranges"
            )

    def __getitem__(self, name: str) -> AnyGene:
        return self._genes[name]

    def __iter__(self):  # type: ignore[no-untyped-def]  # Iterator[str], as Mapping has it
        return iter(self._genes)

    def __len__(self) -> int:
        return len(self._genes)

    def __repr__(self) -> str:
        parts = [*(repr(constraint.text) for constraint in self.constraints)]
        parts += [f"{name}={gene}" for name, gene in self._genes.items()]
        return f"Space({', '.join(parts)})"

    @cached_property
    def free(self) -> bool:
        """Whether every point of the unit cube is an individual: no conditions, no constraints."""
        return not (self.constraints or self.conditions)

    def sample(self, rng: random.Random) -> Genes:
        """A point drawn evenly, each gene on its own scale, among those that the constraints allow.

        Raises:
            ConfigError: they allow none.
        """
        for _ in range(TRIES):
            genes = self.expressed({name: gene.at(rng.random()) for name, gene in self.items()})
            if self.allows(genes):
                return genes
        raise ConfigError(f"of {TRIES} individuals drawn at random the constraints allow none")

    def combinations(self) -> list[Genes]:
        """All that the conditions and constraints leave, each once, the last gene running fastest.

        Every gene's values must be such as can be counted.
        """
        values = [[gene.level(number) for number in range(gene.levels)] for gene in self.values()]
        points = [self.expressed(self.genes(point)) for point in product(*values)]
        unlike = {tuple(self.vector(genes)): genes for genes in points if self.allows(genes)}
        return list(unlike.values())

    def used_up(self, seen: Set[tuple[Any, ...]]) -> bool:
        """Whether it is certain that these are all, each as `vector` gives it: not of more than `COUNTED`."""
        return self._vectors is not None and self._vectors <= seen

    @cached_property
    def _vectors(self) -> frozenset[tuple[Any, ...]] | None:
        if not 0 < math.prod(gene.levels for gene in self.values()) <= COUNTED:
            return None
        return frozenset(tuple(self.vector(genes)) for genes in self.combinations())

    def expressed(self, genes: Mapping[str, Any]) -> Genes:
        """Those of the genes whose conditions hold, in the order of the space.

        A condition that speaks of a gene that is not there does not hold.
        """
        found: Genes = {}
        for name in self._genes:
            if name in genes and self._expresses(name, found):
                found[name] = genes[name]
        return found

    def _expresses(self, name: str, before: Mapping[str, Any]) -> bool:
        """Whether a gene is there beside those before it."""
        return name not in self.conditions or self._holds(self.conditions[name], before, otherwise=False)

    def allows(self, genes: Mapping[str, Any]) -> bool:
        """Whether the constraints hold."""
        return all(self._holds(constraint, genes, otherwise=True) for constraint in self.constraints)

    @staticmethod
    def _holds(condition: Expression, genes: Mapping[str, Any], otherwise: bool) -> bool:
        return condition.holds(genes) if all(name in genes for name in condition.names) else otherwise

    def at(self, units: Sequence[float]) -> Genes:
        """The genes at a point (d,) of the unit cube; what is there of them."""
        values = {name: gene.at(unit) for (name, gene), unit in zip(self.items(), units, strict=True) if unit == unit}
        return values if self.free else self.expressed(values)

    def units(self, genes: Mapping[str, Any]) -> list[float]:
        """(d,): where the genes lie in the unit cube, NaN for one that is not there. The inverse of `at`."""
        return [gene.unit(genes[name]) if name in genes else math.nan for name, gene in self.items()]

    def vector(self, genes: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the space; None for a gene that is not there."""
        return [genes.get(name) for name in self]

    def genes(self, vector: Iterable[Any]) -> Genes:
        """The inverse of `vector`."""
        return {name: value for name, value in zip(self, vector, strict=True) if value is not None}

    def check(self, genes: Mapping[str, Any]) -> Genes:
        """The same genes in the order of the space.

        Raises:
            ConfigError: a gene is missing or unknown, one is there although its condition does not hold, or it is
                none of its choices. Numbers may lie outside the bounds, and constraints be broken: a person who gives
                a value by hand means it.
        """
        for name in genes:
            if name not in self:
                raise ConfigError(f"{name!r} is no gene of this space: {nearest(name, self)}")
        found: Genes = {}
        for name, gene in self.items():
            if not self._expresses(name, found):
                if name in genes:
                    raise ConfigError(f"there is a value for the gene {name!r}: it is there only when {gene.when}")
                continue
            if name not in genes:
                raise ConfigError(f"no value for the gene {name!r}: every gene of {', '.join(self)} needs one")
            try:
                found[name] = gene.check(genes[name])
            except ConfigError as error:
                raise ConfigError(f"the gene {name!r} {error}") from None
        return found
