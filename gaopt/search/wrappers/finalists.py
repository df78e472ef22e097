"""Training the fittest again once a search is over: the best mean wins, not the luckiest score."""

from __future__ import annotations

from gaopt.config import Noise
from gaopt.journal.events import Birth, Bred
from gaopt.journal.history import History, Individual
from gaopt.search.base import Decision, Done, Strategy


class Finalists:
    """A search, and after it some more trainings of its fittest, each with a seed of its own."""

    def __init__(self, search: Strategy, config: Noise) -> None:
        self._search, self._config = search, config

    def decide(self, history: History, room: int) -> Decision:
        decision = self._search.decide(history, room)
        if not isinstance(decision, Done) or history.unfinished:
            return decision
        births = self._repeats(history)
        return Bred(history.generation, tuple(births)) if births else decision

    def _repeats(self, history: History) -> list[Birth]:
        births: list[Birth] = []
        for finalist in finalists(history, self._config.finalists):
            trained = sum(
                i.birth.origin == "repeat" and i.birth.parents == (finalist.id,) for i in history.individuals.values()
            )
            fresh = 1 + max(i.birth.trial for i in history.individuals.values() if i.genes == finalist.genes)
            for trial in range(self._config.repeats - trained):
                id = len(history.individuals) + len(births)
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
