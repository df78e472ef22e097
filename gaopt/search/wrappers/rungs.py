"""Short trainings first: successive halving of each generation.

Every rung is a complete training with a cycle of its own, only shorter (Jamieson and Talwalkar, *Non-stochastic Best
Arm Identification and Hyperparameter Optimization*, 2016, stop a long one instead: midway through a one-cycle the
learning rate is still high, and the order of the individuals not yet that of the end).

A search that foresees whole scores says who goes on, and whether a rung is worth its cost; with any other search the
early scores decide, and every rung is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from gaopt.config import Fidelity
from gaopt.journal.events import Bred, Granted
from gaopt.journal.history import History, Individual
from gaopt.search.base import Decision, Strategy, Wait
from gaopt.space.space import Genes

WORTH = 1.5
"""A rung is used while the share of the doubt that it removes is this many times its share of a whole training."""


class Foresight(Protocol):
    """What a search expects of whole trainings."""

    def promising(self, individuals: Sequence[Individual], number: int) -> list[Individual]:
        """So many of those that are scored on a rung, to go on."""
        ...

    def variance_removed(self, share: float, genes: Iterable[Genes]) -> float:
        """The share of the doubt about whole scores, from 0 to 1, that a training so short would remove."""
        ...


@runtime_checkable
class Foreseeing(Protocol):
    """A search that has an opinion of individuals that were trained for a short time."""

    def foresight(self, history: History) -> Foresight | None:
        """None while there is nothing to judge by."""
        ...


class Rungs:
    """A search whose individuals are discarded early and never crowned early."""

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
            births = births[: max(1, round(self._config.cost(len(births), self._config.rungs[0])))]
        return replace(decision, births=tuple(replace(birth, share=share) for birth in births))

    def _granted(self, history: History) -> Granted | None:
        """More for those of the newest generation that did well on its highest rung, if that is not the last."""
        born = [i for i in history.individuals.values() if i.generation == history.generation]
        share = max((i.share for i in born), default=1.0)
        reached = [i for i in born if i.share == share and i.status == "early"]
        if share == 1.0 or not reached:
            return None
        number, foresight = math.ceil(self._config.keep * sum(i.share == share for i in born)), self._foresight(history)
        chosen = foresight.promising(reached, number) if foresight else fittest(reached, number)
        own = [i for i in reached if i.birth.origin == "default" and i not in chosen]  # no search ends below it
        chosen = [*own, *chosen][:number]
        return Granted(tuple(sorted(i.id for i in chosen)), self._next(foresight, share, [i.genes for i in chosen]))

    def _foresight(self, history: History) -> Foresight | None:
        return self._search.foresight(history) if isinstance(self._search, Foreseeing) else None

    def _next(self, foresight: Foresight | None, share: float, genes: Sequence[Genes]) -> float:
        """The next share above this one that is worth its cost."""
        for rung in self._config.rungs:
            if rung > share and (foresight is None or foresight.variance_removed(rung, genes) > WORTH * rung):
                return rung
        return 1.0


def fittest(individuals: Sequence[Individual], number: int) -> list[Individual]:
    """So many by their early scores; of equals the older first."""
    return sorted(individuals, key=lambda i: (-i.early[i.share].fitness, i.id))[:number]
