"""Rules that end a search: a target, generations without a gain, a budget, a model that expects little more."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import pstdev
from typing import TYPE_CHECKING, TypeAlias

from gaopt.config import Fidelity, Stop
from gaopt.journal.events import Birth, Bred
from gaopt.journal.history import History
from gaopt.space.space import Space
from gaopt.strategies.base import Decision, Done, Strategy
from gaopt.strategies.wrappers import SPENT, ended_epochs, finalists

if TYPE_CHECKING:
    from gaopt.strategies.surrogate.foresight import Prospect

LUCK = 0.2
"""What a generation gains is nothing below this share of the noise between trainings of the same genes. On the tuned
problems, without noise, the whole of it cost 0.014 ± 0.005 of regret, for the model holds some, and 0.3 cost 0.003;
with 0.2 stopping costs what `gain` alone does."""
WHOLE = Fidelity()

Outlook: TypeAlias = "Callable[[History, Sequence[Birth]], Prospect | None]"
"""The prospect of a generation that begins with these births."""


class Stopping:
    """A search that breeds no more once a rule says so, and no larger generation than a budget still pays for."""

    def __init__(
        self,
        search: Strategy,
        space: Space,
        config: Stop,
        fidelity: Fidelity = WHOLE,
        prospect: Outlook | None = None,
    ) -> None:
        self._search, self._space, self._config, self._fidelity = search, space, config, fidelity
        self._prospect = prospect

    def decide(self, history: History, room: int) -> Decision:
        decision = self._search.decide(history, room)
        if not isinstance(decision, Bred) or not history.populations:
            return decision
        retrained = tuple(birth.parents[0] for birth in decision.births if birth.origin == "retrained")
        found = reason(self._config, self._space, history, decision.generation, decision.survivors or retrained)
        if found := found or self._saturated(history, decision.births):
            return Done(found)
        return replace(decision, births=self._paid(decision.births, affordable(self._config, history)))

    def _saturated(self, history: History, births: tuple[Birth, ...]) -> str:
        """Why a generation is not worth its cost: little is expected of it, and no more came of as many before it."""
        prospect = self._prospect(history, births) if self._config.gain and self._prospect else None
        if prospect is None:
            return ""
        told = f"a further generation is expected to gain {prospect.gain:.2g}"
        older = sorted(history.ranked, key=lambda individual: individual.id)[: -prospect.number]
        came = history.ranked[0].fitness - max((i.fitness for i in older), default=-math.inf)
        share, noise = self._config.gain * prospect.spread, LUCK * prospect.noise
        if max(prospect.gain, came) > max(share, noise):
            return ""
        if noise > share:
            return f"{told}, less than {LUCK:g} of the noise that the model holds, {prospect.noise:.2g}"
        return f"{told}, less than {self._config.gain:g} of the {prospect.spread:.2g} from the median to the best"

    def _paid(self, births: tuple[Birth, ...], left: float) -> tuple[Birth, ...]:
        """As many as so many whole trainings pay for, rungs included; one alone goes on none if they cost too much."""
        for number in range(len(births), 0, -1):
            if self._fidelity.cost(number, births[0].share) <= left:
                return births[:number]
        return (replace(births[0], share=1.0),)


def reason(config: Stop, space: Space, history: History, coming: int, survivors: tuple[int, ...] = ()) -> str:
    """Why a search should end before this generation with these survivors comes, or grows; "" where it should not."""
    best = next(iter(finalists(history, 1)), None)
    if best and config.target is not None and best.fitness >= config.target:
        return f"the target of {history.sign * config.target:g} was reached"
    if best and config.generations and coming - 1 - best.generation >= config.generations:
        return f"no fitter individual came in {config.generations} generations"
    if config.spread and len(survivors) > 1 and _spread(space, history, survivors) <= config.spread:
        return "the survivors are nearly alike"
    return SPENT if affordable(config, history) < 1 else ""


def _spread(space: Space, history: History, ids: tuple[int, ...]) -> float:
    points = [space.units(history.individuals[id].genes) for id in ids]
    columns = [[unit for unit in column if unit == unit] for column in zip(*points, strict=True)]
    return max((pstdev(column) for column in columns if column), default=0.0)


def affordable(config: Stop, history: History) -> float:
    """How many more whole trainings the budget pays for, at the mean cost so far; finalists come on top of it.

    The mean is over shares of a training, so that short ones say what a whole one costs. Those that are being trained
    cost their share of a whole one.
    """
    everyone = history.searched
    trained = sum(sum(i.early) + (i.share if i.done else 0.0) for i in everyone)
    epochs, seconds = ended_epochs(everyone), sum(i.seconds for i in everyone)
    budgets = ((config.epochs, epochs), (config.seconds, seconds), (config.money, seconds / 3600 * config.price))
    left = [(budget - spent) * trained / spent for budget, spent in budgets if budget and spent]
    begun = sum(i.share for i in history.unfinished if i.birth.origin != "repeat")
    return min(left, default=math.inf) - begun + 1e-9  # a sum of shares is rounded
