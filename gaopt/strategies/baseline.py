"""One training with genes given by hand: the search's own baseline, through the same door."""

from __future__ import annotations

from collections.abc import Mapping

from gaopt.events import Birth, Bred
from gaopt.history import History
from gaopt.space import Space


class Fixed:
    """A single individual with these genes."""

    def __init__(self, space: Space, genes: Mapping[str, float]) -> None:
        self._genes = space.check(genes)

    def decide(self, history: History, room: int) -> Bred | None:
        if history.populations:
            return None
        return Bred(generation=0, births=(Birth(id=0, genes=self._genes, origin="given"),))
