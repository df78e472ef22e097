"""The search for those who have a loop of their own: it is told what was tried, and says what to try next.

    >>> import gaopt
    >>> space = gaopt.Space(x=gaopt.Gene(0, 1), y=gaopt.Gene(0, 1))
    >>> told = []
    >>> for _ in range(20):
    ...     [genes] = gaopt.ask(told, space)
    ...     told.append(gaopt.Observation(genes, -((genes["x"] - 0.3) ** 2) - (genes["y"] - 0.7) ** 2))
    >>> best = max(told, key=lambda one: one.fitness)
    >>> round(best.genes["x"], 1), round(best.genes["y"], 1)
    (0.3, 0.7)

Nothing is kept between two calls: the same history gives the same answer, in any process.
"""

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from gaopt.config import Assisted, StudyConfig
from gaopt.errors import ConfigError
from gaopt.journal.events import Birth, Bred, Failed, Scored
from gaopt.journal.history import History
from gaopt.space.numbers import given
from gaopt.space.space import Genes, Space


@dataclass(frozen=True)
class Observation:
    """One individual of a loop of one's own.

    Attributes:
        genes: by name, as `ask` gave them or chosen by hand; numbers may lie outside of the bounds.
        fitness: higher is better; None, or a number that is not finite, for a failure. "pending" while it is being
            evaluated: what is asked then keeps away from it.
    """

    genes: Mapping[str, Any]
    fitness: float | Literal["pending"] | None = "pending"

    def __post_init__(self) -> None:
        if self.fitness is not None and not self.pending:
            object.__setattr__(self, "fitness", given("the fitness", self.fitness))

    @property
    def pending(self) -> bool:
        return isinstance(self.fitness, str) and self.fitness == "pending"


Told = Observation  # its name in 0.5 and before


def ask(
    history: History | Sequence[Observation],
    space: Space,
    number: int = 1,
    *,
    seed: int = 0,
    strategy: str = "assisted",
    population: int = 10,
) -> list[Genes]:
    """What to evaluate next, none of it evaluated or pending yet; fewer than asked for where the space has no more.

    Args:
        history: all that was told so far, in the order in which it was asked for; or the history of a study.
        number: how many individuals.
        seed: every random number follows from it and from the history.
        strategy: "assisted", or "random" for individuals drawn evenly.
        population: of "assisted": so many individuals are spread evenly over the space, those told by hand counted,
            before a model chooses.
    """
    check(seed, strategy, population)
    _check_whole("number", number, 1, 1000)
    past = _past(history, space)
    if strategy == "random":
        return [birth.genes for birth in _random(past, space, number, seed)]
    return [birth.genes for birth in _assisted(past, space, number, seed, population)]


def check(seed: Any, strategy: Any, population: Any) -> None:
    """Refuse arguments that cannot be used."""
    _check_whole("seed", seed, 0, 2**63 - 1)
    _check_whole("population", population, 2, 1000)
    if strategy not in ("assisted", "random"):
        raise ConfigError(f"the strategy is {strategy!r}: must be 'assisted' or 'random'")


def _check_whole(name: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{name} is {value!r}: must be a whole number from {low} to {high}")


def _assisted(past: History, space: Space, number: int, seed: int, population: int) -> list[Birth]:
    """The rest of the first population, and beyond it what the model chooses, to which the former are pending."""
    from gaopt.strategies.surrogate.assisted import AssistedSearch  # scipy, half a second

    search = AssistedSearch(StudyConfig(space, "", assisted=Assisted(population=population), seed=seed))
    first = min(number, max(0, population - len(past.individuals)))
    births = search.births(past, first) if first else []
    if first < number:
        past = deepcopy(past)
        past.add(Bred(past.generation + 1, tuple(births)))
        births = births + search.births(past, number - first)
    return births


def _random(past: History, space: Space, number: int, seed: int) -> list[Birth]:
    from gaopt.strategies.operators import newcomer, seen  # DEAP

    known = seen(space, past.individuals.values())
    born = len(known)
    found = (newcomer(space, known, seed, id) for id in range(born, born + number))
    return [birth for birth in found if birth]


def _past(history: History | Sequence[Observation], space: Space) -> History:
    if isinstance(history, History):
        for individual in history.individuals.values():
            given(f"individual {individual.id}:", individual.genes, space.check)
        return history
    births, outcomes = list[Birth](), list[Scored | Failed]()
    for id, told in enumerate(history):
        births.append(Birth(id, given(f"history[{id}]:", told.genes, space.check), "given"))
        if not told.pending:
            fitness = math.nan if told.fitness is None else float(told.fitness)
            failed = Failed(id, "error", f"told as {told.fitness}")
            outcomes.append(Scored(id, fitness) if math.isfinite(fitness) else failed)
    return History([Bred(0, tuple(births)), *outcomes])
