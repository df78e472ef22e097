"""Short trainings first: successive halving of each generation.

Every rung is a complete training with a cycle of its own, only shorter (Jamieson and Talwalkar, *Non-stochastic Best
Arm Identification and Hyperparameter Optimization*, 2016, stop a long one instead: midway through a one-cycle the
learning rate is still high, and the order of the individuals not yet that of the end).
"""

from __future__ import annotations

import math
from dataclasses import replace

from gaopt.config import Fidelity
from gaopt.events import Bred, Decision, Granted
from gaopt.history import History, Individual
from gaopt.strategies.base import Strategy


class Rungs:
    """A search whose individuals are discarded early and never crowned early."""

    def __init__(self, search: Strategy, config: Fidelity) -> None:
        self._search, self._config = search, config
        self._shares = (*config.rungs, 1.0)

    def decide(self, history: History, room: int) -> Decision | None:
        if history.unfinished:
            return None
        if granted := self._granted(history):
            return granted
        decision = self._search.decide(history, room)
        if not isinstance(decision, Bred):
            return decision
        return replace(decision, births=tuple(replace(birth, share=self._shares[0]) for birth in decision.births))

    def _granted(self, history: History) -> Granted | None:
        """The next rung for the fittest of the newest generation on its highest rung, if that is not the last."""
        born = [i for i in history.individuals.values() if i.generation == history.generation]
        share = max((i.share for i in born), default=1.0)
        reached = [i for i in born if i.share == share and i.status == "early"]
        if share == 1.0 or not reached:
            return None
        number = math.ceil(self._config.keep * sum(i.share == share for i in born))
        fittest = sorted(reached, key=lambda i: (-_early(i), i.id))[:number]
        return Granted(tuple(sorted(i.id for i in fittest)), self._shares[self._shares.index(share) + 1])


def _early(individual: Individual) -> float:
    return individual.early[individual.share].fitness
