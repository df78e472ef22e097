"""The tables that say how a search decides, and what is done where a training goes wrong: each key with its range.

docs/config.md says what each does.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from gaopt.errors import ConfigError

First = Literal["", "random", "hypercube", "sobol"]


class _Bred:
    population: int
    generations: int
    trainings: int
    survivors: float

    @property
    def promoted(self) -> int:
        """How many individuals survive each generation."""
        return max(1, int(self.population * self.survivors))

    @property
    def offspring(self) -> int:
        """How many individuals each later generation trains, at most."""
        return self.population - self.promoted

    @property
    def litters(self) -> list[int]:
        """How many individuals each generation trains, at most."""
        found, born = list[int](), 0
        while number := self.coming(len(found), born):
            found.append(number)
            born += number
        return found

    def coming(self, generations: int, born: int) -> int:
        """How many the next one trains, at most, after so many generations and births; 0 where there is none."""
        most = self.offspring if generations else self.population
        if self.trainings:
            return max(0, min(most, self.trainings - born))
        return most if generations < self.generations else 0


@dataclass(frozen=True)
class Genetic(_Bred):
    """The numbers of the genetic algorithm."""

    population: Annotated[int, Ge(2), Le(10_000)] = 10
    generations: Annotated[int, Ge(1), Le(10_000)] = 5
    trainings: Annotated[int, Ge(0), Le(10_000_000)] = 0
    survivors: Annotated[float, Gt(0), Lt(1)] = 0.5
    mutation: Annotated[float, Ge(0), Le(1)] = 0.5
    crossover: Annotated[float, Ge(0), Le(1)] = 0.5
    point: Annotated[float, Gt(0), Lt(1)] = 0.5
    retrain: bool = False

    @property
    def offspring(self) -> int:
        return self.population if self.retrain else super().offspring


@dataclass(frozen=True)
class Assisted(_Bred):
    """The numbers of the genetic algorithm with a model that chooses among its offspring."""

    population: Annotated[int, Ge(2), Le(1000)] = 10
    generations: Annotated[int, Ge(1), Le(1000)] = 9
    trainings: Annotated[int, Ge(0), Le(1_000_000)] = 0
    litter: Annotated[int, Ge(0), Le(1000)] = 0
    survivors: Annotated[float, Gt(0), Lt(1)] = 0.5
    promote_by_model: bool = False

    @property
    def offspring(self) -> int:
        return self.litter or super().offspring


@dataclass(frozen=True)
class GridConfig:
    """The numbers of the strategies that try what is given, all of it."""

    repeats: Annotated[int, Ge(1), Le(10_000)] = 1


@dataclass(frozen=True)
class Operators:
    """How genomes are drawn, chosen and changed, in searches that breed. "" is the strategy's own way."""

    first: First = ""
    selection: Literal["", "losers", "fittest", "tournament", "rank"] = ""
    mutation: Literal["", "redraw", "gaussian", "polynomial"] = ""
    crossover: Literal["", "point", "uniform", "blend", "sbx"] = ""
    step: Annotated[float, Gt(0), Le(1)] = 0.2
    eta: Annotated[float, Ge(0), Le(1000)] = 20.0
    alpha: Annotated[float, Ge(0), Le(10)] = 0.5
    rivals: Annotated[int, Ge(1), Le(1000)] = 2
    adaptive: bool = False
    immigrants: Annotated[int, Ge(0), Le(10_000)] = 0
    min_distance: Annotated[float, Ge(0), Lt(1)] = 0.0


@dataclass(frozen=True)
class Fidelity:
    """Short trainings first, whole ones for those that did well."""

    rungs: tuple[Annotated[float, Gt(0), Lt(1)], ...] = ()
    keep: Annotated[float, Gt(0), Lt(1)] = 1 / 3

    def __post_init__(self) -> None:
        if list(self.rungs) != sorted(set(self.rungs)):
            raise ConfigError(f"rungs is {list(self.rungs)}: must be increasing")

    def waves(self, litter: int, above: float = 0.0) -> list[tuple[float, int]]:
        """The share of each rung above this one, the whole training last, and how many of so many get there."""
        found = []
        for share in (share for share in (*self.rungs, 1.0) if share > above):
            found.append((share, litter))
            litter = math.ceil(self.keep * litter)
        return found

    def cost(self, litter: int, share: float) -> float:
        """Of so many that begin with this share, and of those that go on from there, in whole trainings."""
        going = math.ceil(self.keep * litter)
        return share * litter + sum(rung * number for rung, number in self.waves(going, above=share))


@dataclass(frozen=True)
class Noise:
    """Trainings that say how much of a score is luck."""

    finalists: Annotated[int, Ge(0), Le(1000)] = 0
    repeats: Annotated[int, Ge(1), Le(1000)] = 2

    @property
    def trainings(self) -> int:
        return self.finalists * self.repeats


@dataclass(frozen=True)
class Stop:
    """When a search ends before its last generation. Looked at before each generation; 0 for never."""

    target: float | None = None
    generations: Annotated[int, Ge(0), Le(10_000)] = 0
    spread: Annotated[float, Ge(0), Le(1)] = 0.0
    epochs: Annotated[int, Ge(0)] = 0
    exact: bool = False
    seconds: Annotated[float, Ge(0)] = 0.0
    money: Annotated[float, Ge(0)] = 0.0
    price: Annotated[float, Ge(0)] = 0.0
    gain: Annotated[float, Ge(0), Le(1)] = 0.0

    def __post_init__(self) -> None:
        if self.money and not self.price:
            raise ConfigError("money is given without a price: price must be above 0")
        if self.exact and not self.epochs:
            raise ConfigError("exact is given without epochs: epochs must be above 0")


@dataclass(frozen=True)
class Warm:
    """What is known before the first training."""

    studies: tuple[str, ...] = ()
    best: Annotated[int, Ge(0), Le(1000)] = 2


@dataclass(frozen=True)
class Faults:
    """What is done where a training goes wrong."""

    retries: Annotated[int, Ge(0), Le(100)] = 1
    seconds: Annotated[float, Ge(0)] = 0.0
    stall_factor: Annotated[float, Ge(0)] = 10.0
    max_alike_failures: Annotated[int, Ge(0)] = 10
