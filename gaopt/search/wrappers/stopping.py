"""When a search ends before its last generation."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import pstdev

from gaopt.config import Fidelity, Stop
from gaopt.journal.events import Birth, Bred
from gaopt.journal.history import History
from gaopt.search.base import Decision, Done, Strategy
from gaopt.search.wrappers.finalists import finalists
from gaopt.space.space import Space

WHOLE = Fidelity()


class Stopping:
    """A search that breeds no more once a rule says so, and no larger generation than a budget still pays for."""

    def __init__(self, search: Strategy, space: Space, config: Stop, fidelity: Fidelity = WHOLE) -> None:
        self._search, self._space, self._config, self._fidelity = search, space, config, fidelity

    def decide(self, history: History, room: int) -> Decision:
        decision = self._search.decide(history, room)
        if not isinstance(decision, Bred) or not history.populations:
            return decision
        retrained = tuple(birth.parents[0] for birth in decision.births if birth.origin == "retrained")
        if found := reason(self._config, self._space, history, decision.survivors or retrained):
            return Done(found)
        return replace(decision, births=self._paid(decision.births, affordable(self._config, history)))

    def _paid(self, births: tuple[Birth, ...], left: float) -> tuple[Birth, ...]:
        """As many as so many whole trainings pay for, rungs included; one alone goes on none if they cost too much."""
        for number in range(len(births), 0, -1):
            if self._fidelity.cost(number, births[0].share) <= left:
                return births[:number]
        return (replace(births[0], share=1.0),)


def reason(config: Stop, space: Space, history: History, survivors: tuple[int, ...] = ()) -> str:
    """Why a search should end now; "" where it should not.

    Args:
        survivors: of the generation to come.
    """
    best = next(iter(finalists(history, 1)), None)
    if best and config.target is not None and best.fitness >= config.target:
        return f"the target of {config.target:g} was reached"
    if best and config.generations and history.generation - best.generation >= config.generations:
        return f"no fitter individual came in {config.generations} generations"
    if config.spread and len(survivors) > 1 and spread(space, history, survivors) <= config.spread:
        return "the survivors are nearly alike"
    return "the budget is spent" if affordable(config, history) < 1 else ""


def spread(space: Space, history: History, ids: tuple[int, ...]) -> float:
    """The largest standard deviation of any gene among individuals, as a share of its range."""
    points = [space.units(history.individuals[id].genes) for id in ids]
    columns = [[unit for unit in column if unit == unit] for column in zip(*points, strict=True)]
    return max((pstdev(column) for column in columns if column), default=0.0)


def affordable(config: Stop, history: History) -> float:
    """How many more whole trainings the budget pays for, at the mean cost so far; finalists come on top of it.

    The mean is over shares of a training, so that short ones say what a whole one costs.
    """
    everyone = [i for i in history.individuals.values() if i.birth.origin != "repeat"]
    trained = sum(sum(i.early) + (i.share if i.done else 0.0) for i in everyone)
    epochs, seconds = sum(i.epochs for i in everyone), sum(i.seconds for i in everyone)
    budgets = (
        (config.epochs, epochs),
        (config.seconds, seconds),
        (config.money, seconds / 3600 * config.price),
    )
    left = [(budget - spent) * trained / spent for budget, spent in budgets if budget and spent]
    return min(left, default=math.inf) + 1e-9  # a sum of shares is rounded
