"""What any search can be wrapped in: steady mode, rungs, a budget, finalists."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

from gaopt.config import Fidelity, Noise
from gaopt.journal.events import Birth, Bred, Granted
from gaopt.journal.history import History, Individual
from gaopt.space.space import Genes
from gaopt.strategies.base import USED_UP, Decision, Done, Strategy, Wait

if TYPE_CHECKING:
    from gaopt.strategies.surrogate.foresight import Foresight

SPENT = "the budget is spent"
MORE = 1.05
"""A rung has to promise so many times what whole trainings do: the ratio is known to 0.03 (`foresight.LOOKS`)."""


class Breeder(Strategy, Protocol):
    """A strategy that can breed beside those that are being trained."""

    def births(self, history: History, number: int) -> list[Birth]: ...

    def survivors(self, history: History) -> tuple[int, ...]: ...


class Steady:
    """An individual whenever a worker is free, instead of a generation once the one before is through.

    The first generation is born at once. Each later one begins with survivors and grows by single births, so that
    lineage, reports and the number of trainings are those of generations. Which outcome comes first decides who is
    bred next: with several workers the same seed need not give the same individuals.
    """

    def __init__(self, search: Breeder, litters: Sequence[int]) -> None:
        self._search, self._ends = search, list(accumulate(litters))

    def decide(self, history: History, room: int) -> Decision:
        born = history.born
        if born >= self._ends[-1]:
            return Done()
        if not born:
            return Bred(0, tuple(self._search.births(history, self._ends[0])))
        if room < 1 or history.waiting:
            return Wait()
        births = self._search.births(history, 1)
        if not births:
            return Wait() if history.unfinished else Done(USED_UP)
        generation = bisect(self._ends, born)
        survivors = self._search.survivors(history) if generation > history.generation else ()
        return Bred(generation, tuple(births), survivors)


class Rungs:
    """Short trainings first: successive halving of each generation. Nobody is crowned early.

    Every rung is a complete training with a cycle of its own, only shorter: midway through a one-cycle (where Jamieson
    and Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter Optimization*, 2016, stop) the learning
    rate is still high. A search with a `foresight` says who goes on, and which rungs are used; else early scores do.
    """

    def __init__(self, search: Strategy, config: Fidelity) -> None:
        self._search, self._config = search, config

    def decide(self, history: History, room: int) -> Decision:
        if history.unfinished:
            return Wait()
        if granted := self._granted(history):
            return granted
        decision = self._search.decide(history, room)
        return self._shortened(history, decision) if isinstance(decision, Bred) else decision

    def _shortened(self, history: History, decision: Bred) -> Bred:
        """On the first rung that is worth it; where none is, as many whole trainings as the rungs would have cost."""
        births = decision.births
        share = self._next(self._foresight(history), 0.0, [birth.genes for birth in births])
        if share == 1.0:
            births = births[: self._whole(len(births), self._config.rungs[0])]
        return replace(decision, births=tuple(replace(birth, share=share) for birth in births))

    def _granted(self, history: History) -> Granted | None:
        """More for those of the newest generation that did well on its highest rung, if that is not the last."""
        born = [i for i in history.individuals.values() if i.generation == history.generation]
        share = max((i.share for i in born), default=1.0)
        reached = [i for i in born if i.share == share and i.status == "early"]
        if share == 1.0 or not reached:
            return None
        number, foresight = math.ceil(self._config.keep * sum(i.share == share for i in born)), self._foresight(history)
        chosen = foresight.promising(reached, number) if foresight else _fittest(reached)[:number]
        own = [i for i in reached if i.birth.origin == "default" and i not in chosen]  # no search ends below it
        chosen = [*own, *chosen][:number]
        return Granted(tuple(sorted(i.id for i in chosen)), self._next(foresight, share, [i.genes for i in chosen]))

    def _foresight(self, history: History) -> Foresight | None:
        search: Any = self._search
        return search.foresight(history) if hasattr(search, "foresight") else None

    def _next(self, foresight: Foresight | None, share: float, genes: Sequence[Genes]) -> float:
        """The rung above a share on which individuals promise most; 1 where whole trainings of the same cost do.

        Before there was a short training, nothing is known of rungs: the first is used.
        """
        above = [rung for rung in self._config.rungs if rung > share]
        if not foresight or not foresight.shares:
            return (*above, 1.0)[0]
        going, found = math.ceil(self._config.keep * len(genes)), {1.0: MORE}
        for rung in above:
            found[rung] = foresight.worth(rung, genes, going, self._whole(len(genes), rung))
        return max(found, key=lambda rung: found[rung])

    def _whole(self, number: int, rung: float) -> int:
        """How many whole trainings cost what so many do that begin on a rung."""
        return min(number, max(1, round(self._config.cost(number, rung))))


def _fittest(individuals: Sequence[Individual]) -> list[Individual]:
    """By their early scores; of equals the older first."""
    return sorted(individuals, key=lambda i: (-i.early[i.share].fitness, i.id))


class Budget:
    """A search that spends a budget of epochs to the last one.

    What is left in the end, too little for a `whole` training, goes into a short one, which can never win: so all
    searches that are compared pay the same.
    """

    def __init__(self, search: Strategy, epochs: int, whole: int) -> None:
        self._search, self._epochs, self._whole = search, epochs, whole

    def decide(self, history: History, room: int) -> Decision:
        left = self._epochs - self._spent(history)
        if left < 1:
            return Done(SPENT)
        decision = self._search.decide(history, room)
        if isinstance(decision, Granted):
            paid = left // self._cost(decision.share)
            return replace(decision, individuals=decision.individuals[:paid]) if paid else Done(SPENT)
        if not isinstance(decision, Bred):
            return decision
        births = decision.births
        while births and sum(self._cost(birth.share) for birth in births) > left:
            births = births[:-1]
        if births:
            return replace(decision, births=births)
        short = replace(decision.births[0], share=left / self._whole)
        return Wait() if history.unfinished else replace(decision, births=(short,))

    def _spent(self, history: History) -> int:
        """Also what those have yet to train that are not finished."""
        return sum(self._cost(i.share) for i in history.unfinished) + ended_epochs(history.individuals.values())

    def _cost(self, share: float) -> int:
        return max(1, round(share * self._whole))


def ended_epochs(individuals: Iterable[Individual]) -> int:
    """Of trainings that are over: what another has reported is in its cost, also where it waits after a kill."""
    return sum(i.epochs - (i.epoch if i.status in ("waiting", "running") else 0) for i in individuals)


class Finalists:
    """A search, and after it more trainings of its fittest, each with a seed of its own: the best mean wins."""

    def __init__(self, search: Strategy, config: Noise) -> None:
        self._search, self._config = search, config

    def decide(self, history: History, room: int) -> Decision:
        decision = self._search.decide(history, room)
        if not isinstance(decision, Done) or history.unfinished:
            return decision
        births = self._repeats(history)
        return Bred(history.generation, tuple(births)) if births else decision

    def _repeats(self, history: History) -> list[Birth]:
        births, everyone = list[Birth](), history.individuals.values()
        for finalist in finalists(history, self._config.finalists):
            trained = sum(i.birth.origin == "repeat" and i.birth.parents == (finalist.id,) for i in everyone)
            fresh = 1 + max(i.birth.trial for i in everyone if i.genes == finalist.genes)
            for trial in range(self._config.repeats - trained):
                id = len(everyone) + len(births)
                births.append(Birth(id, dict(finalist.genes), "repeat", (finalist.id,), fresh + trial))
        return births


def finalists(history: History, number: int) -> list[Individual]:
    """The fittest by their first scores, the oldest first where they are equal; genes trained again count once."""
    found: dict[str, Individual] = {}
    for individual in history.ranked:
        if len(found) == number:
            break
        found.setdefault(repr(sorted(individual.genes.items())), individual)
    return list(found.values())


def keep_from(history: History, individual: Individual, config: Noise) -> float:
    """The fitness that an individual needs to be among those of whom one will be the study's best."""
    if individual.share < 1 or individual.birth.origin == "repeat":
        return math.inf  # a first whole training is what counts
    number = max(1, config.finalists)
    likely = finalists(history, number)
    return likely[-1].fitness if len(likely) == number else -math.inf
