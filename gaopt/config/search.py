"""The tables that say how a search decides: plain numbers, each with its range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from gaopt.config.parsing import typed
from gaopt.errors import ConfigError

First = Literal["", "random", "hypercube", "sobol"]


class _Bred:
    """What searches that breed generations have in common."""

    population: int
    survivors: float

    @property
    def promoted(self) -> int:
        """How many individuals survive each generation."""
        return max(1, int(self.population * self.survivors))


@dataclass(frozen=True)
class Genetic(_Bred):
    """The numbers of the genetic algorithm.

    Attributes:
        population: individuals in a generation.
        generations: how many generations, the first (random) one counted.
        survivors: the share of a generation that is promoted unchanged, rounded down, at least one.
        mutation: a gene is drawn anew where a uniform number falls under this threshold; one always is.
        crossover: the probability that a mutated offspring is also mated with a survivor.
        point: where a genome is cut for mating, as a share of its length; 0.5 is the middle.
        retrain: train the survivors again, with a fresh seed, in each generation.
    """

    population: Annotated[int, Ge(2), Le(10_000)] = 10
    generations: Annotated[int, Ge(1), Le(10_000)] = 5
    survivors: Annotated[float, Gt(0), Lt(1)] = 0.5
    mutation: Annotated[float, Ge(0), Le(1)] = 0.5
    crossover: Annotated[float, Ge(0), Le(1)] = 0.5
    point: Annotated[float, Gt(0), Lt(1)] = 0.5
    retrain: bool = False

    @property
    def litters(self) -> list[int]:
        """How many individuals each generation trains, at most."""
        later = self.population if self.retrain else self.population - self.promoted
        return [self.population] + [later] * (self.generations - 1)


@dataclass(frozen=True)
class Assisted(_Bred):
    """The numbers of the genetic algorithm with a model that chooses among its offspring.

    Attributes:
        population: individuals in the first generation, spread evenly over the space.
        generations: how many generations, the first one counted.
        litter: how many individuals each later generation trains; 0 for as many as did not survive.
        survivors: how many are promoted unchanged each time, as a share of `population`, rounded down, at least one.
        promote_by_model: promote by what the model expects of them, not by the score that each had once.
    """

    population: Annotated[int, Ge(2), Le(1000)] = 10
    generations: Annotated[int, Ge(1), Le(1000)] = 9
    litter: Annotated[int, Ge(0), Le(1000)] = 0
    survivors: Annotated[float, Gt(0), Lt(1)] = 0.5
    promote_by_model: bool = False

    @typed
    def __post_init__(self) -> None:
        # The model's time grows with the cube of what it has seen: here a generation is decided in half a minute.
        if sum(self.litters) > 2000:
            raise ConfigError(f"population + litter × (generations - 1) is {sum(self.litters)}: must be at most 2000")

    @property
    def offspring(self) -> int:
        """How many individuals each later generation trains."""
        return self.litter or self.population - self.promoted

    @property
    def litters(self) -> list[int]:
        """How many individuals each generation trains, at most."""
        return [self.population] + [self.offspring] * (self.generations - 1)


@dataclass(frozen=True)
class GridConfig:
    """The numbers of the strategies that try what is given, all of it.

    Attributes:
        repeats: how often each combination of the genes (of "fixed": its one) is trained, each time with the next seed.
    """

    repeats: Annotated[int, Ge(1), Le(10_000)] = 1


@dataclass(frozen=True)
class Operators:
    """How genomes are drawn, chosen and changed, in searches that breed. "" is the strategy's own way.

    Attributes:
        first: the first generation: "random", "hypercube" (Latin, evened out by its discrepancy) or "sobol".
        selection: who has offspring: "losers" (each in turn; what it is mated with is a survivor), "fittest" (the
            survivors in turn), "tournament" (of `rivals`) or "rank" (the fitter the likelier).
        mutation: "redraw" (a new value from the whole range), "gaussian" or "polynomial", both on the gene's own scale.
        crossover: "point" (a single one), "uniform", "blend" or "sbx" (simulated binary), the last two between values.
        step: the standard deviation of a gaussian mutation, as a share of the gene's range.
        eta: of polynomial mutation and simulated binary crossover: the higher, the nearer to the parents.
        alpha: how far a blend may reach beyond its parents, as a share of their distance.
        rivals: individuals in a tournament.
        adaptive: widen steps while more than a fifth of the offspring beat their parents, else narrow them.
        immigrants: how many of each later generation are drawn at random.
        min_distance: breed an offspring again while it is nearer than this to another of its generation, as a share of
            the diagonal of the unit cube; 0 for any.
    """

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
    """Short trainings first, whole ones for those that did well.

    Attributes:
        rungs: shares of a whole training, increasing; each is a complete cycle of its own. None: all are whole.
        keep: the share of a generation that goes on from one rung to the next, rounded up.
    """

    rungs: tuple[Annotated[float, Gt(0), Lt(1)], ...] = ()
    keep: Annotated[float, Gt(0), Lt(1)] = 1 / 3

    @typed
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
    """Trainings that say how much of a score is luck.

    Attributes:
        finalists: how many of the fittest are trained again when the search is over; the best mean wins. 0 for none.
        repeats: how often, each time with the next seed.
    """

    finalists: Annotated[int, Ge(0), Le(1000)] = 0
    repeats: Annotated[int, Ge(1), Le(1000)] = 2

    @property
    def trainings(self) -> int:
        return self.finalists * self.repeats


@dataclass(frozen=True)
class Stop:
    """When a search ends before its last generation. Looked at before each generation; 0 for never.

    Attributes:
        target: a fitness that is enough.
        generations: so many in a row without a fitter individual.
        spread: no gene of the survivors has a standard deviation above this share of its range.
        epochs: trained in all. This, seconds and money also shorten a generation that would not fit.
        exact: spend `epochs` to the last one, whatever fails: a training that does not fit is a short one, that cannot
            win. So searches pay the same that are compared.
        seconds: of training, summed over all individuals.
        money: spent, at `price`.
        price: of an hour of one training.
    """

    target: float | None = None
    generations: Annotated[int, Ge(0), Le(10_000)] = 0
    spread: Annotated[float, Ge(0), Le(1)] = 0.0
    epochs: Annotated[int, Ge(0)] = 0
    exact: bool = False
    seconds: Annotated[float, Ge(0)] = 0.0
    money: Annotated[float, Ge(0)] = 0.0
    price: Annotated[float, Ge(0)] = 0.0

    @typed
    def __post_init__(self) -> None:
        if self.money and not self.price:
            raise ConfigError("money is given without a price: price must be above 0")
        if self.exact and not self.epochs:
            raise ConfigError("exact is given without epochs: epochs must be above 0")


@dataclass(frozen=True)
class Warm:
    """What is known before the first training.

    Attributes:
        studies: earlier studies, by name or folder, on this or another space: genes are taken over by name.
        best: how many of each one's fittest are trained again in the first generation.
    """

    studies: tuple[str, ...] = ()
    best: Annotated[int, Ge(0), Le(1000)] = 2
