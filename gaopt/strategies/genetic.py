"""The genetic algorithm of the project, as a pure function of a study's history.

Each next generation: the fittest half is promoted unchanged, with the fitness that it has; each of the others is
mutated, and a part of those mutants is mated with a survivor. Genes already trained are never trained again: a
repeat is drawn again.
"""

from __future__ import annotations

from functools import partial

from gaopt.config import Genetic
from gaopt.events import Birth, Bred
from gaopt.history import History
from gaopt.space import Space
from gaopt.strategies import operators
from gaopt.strategies.base import keyed
from gaopt.strategies.known import NOTHING, Known


class GeneticSearch:
    """Example:
    >>> strategy = GeneticSearch(space, Genetic(population=10, generations=5), seed=0)
    >>> strategy.decide(History(), room=10)
    Bred(generation=0, ...)
    """

    def __init__(self, space: Space, config: Genetic, seed: int, known: Known = NOTHING) -> None:
        self._space, self._config, self._seed, self._known = space, config, seed, known
        self._box = operators.toolbox(space, config)

    def decide(self, history: History, room: int) -> Bred | None:
        if history.unfinished or history.generation + 1 >= self._config.generations:
            return None
        return self._next(history) if history.populations else self._first(history)

    def _first(self, history: History) -> Bred:
        births = self._known.births(self._space, history, self._seed, self._config.population)
        seen = {tuple(self._space.vector(birth.genes)) for birth in births}
        for slot in range(len(births), self._config.population):
            found = operators.unseen(partial(self._stranger, slot), seen, self._space)
            if found:
                births.append(Birth(len(births), found.genes, "random"))
        return Bred(0, tuple(births))

    def _stranger(self, slot: int, attempt: int) -> operators.Offspring:
        genome = self._box.random(rng=keyed(self._seed, 0, slot, attempt))
        return operators.Offspring(self._space.genes(genome), (), False)

    def _next(self, history: History) -> Bred | None:
        generation = history.generation + 1
        order = operators.ranked(self._box, self._space, history.population)
        survivors, losers = order[: self._config.promoted], order[self._config.promoted :]
        births = self._retrained(history, survivors) if self._config.retrain else []
        seen = {tuple(self._space.vector(i.genes)) for i in history.individuals.values()}
        for slot, loser in enumerate(losers):

            def draw(attempt: int, slot: int = slot, loser: operators.Genome = loser) -> operators.Offspring:
                rng = keyed(self._seed, generation, slot, attempt)
                return operators.offspring(self._box, self._space, self._config, loser, survivors, rng)

            if child := operators.unseen(draw, seen, self._space):
                id = len(history.individuals) + len(births)
                births.append(Birth(id, child.genes, "crossover" if child.mated else "mutation", child.parents))
        kept = () if self._config.retrain else tuple(genome.id for genome in survivors)
        return Bred(generation, tuple(births), kept) if births else None

    def _retrained(self, history: History, survivors: list[operators.Genome]) -> list[Birth]:
        """The survivors as new individuals with the same genes and a fresh seed."""
        first = len(history.individuals)
        return [
            Birth(first + n, dict(parent.genes), "retrained", (parent.id,), parent.birth.trial + 1)
            for n, parent in enumerate(history.individuals[genome.id] for genome in survivors)
        ]
