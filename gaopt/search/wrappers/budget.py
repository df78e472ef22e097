"""A budget of epochs that is spent to the last one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gaopt.journal.events import Birth, Bred, Granted
from gaopt.journal.history import History
from gaopt.search.base import Decision, Done, Strategy, Wait

SPENT = "the budget is spent"


class Budget:
    """A search that begins what fits, and goes on while anything does.

    What is left in the end, too little for a whole training, goes into a short one. That one can never win; it is
    there so that all searches that are compared pay the same, whether much of what they try fails early or nothing.

    Args:
        epochs: to be spent.
        whole: epochs of a whole training.
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
        if births := tuple(self._fitting(decision.births, left)):
            return replace(decision, births=births)
        return Wait() if history.unfinished else self._rest(decision, left)

    def _spent(self, history: History) -> int:
        """Also what those have yet to train that are not finished."""
        everyone = history.individuals.values()
        begun = sum(self._cost(i.share) for i in everyone if i.status in ("waiting", "running"))
        # Epochs that such a one has reported are in its cost, also where it waits to be gone on with after a kill.
        return begun + sum(i.epochs - (i.epoch if i.status in ("waiting", "running") else 0) for i in everyone)

    def _cost(self, share: float) -> int:
        return max(1, round(share * self._whole))

    def _fitting(self, births: Iterable[Birth], left: int) -> Iterable[Birth]:
        for birth in births:
            left -= self._cost(birth.share)
            if left < 0:
                return
            yield birth

    def _rest(self, decision: Bred, left: int) -> Bred:
        return replace(decision, births=(replace(decision.births[0], share=left / self._whole),))
