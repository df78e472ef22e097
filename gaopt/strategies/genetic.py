"""The genetic algorithm of the project, as a pure function of a study's history.

Each next generation: the fittest half is promoted unchanged, with the fitness that it has; each of the others is
mutated, and a part of those mutants is mated with a survivor. Genes already trained are never trained again: a
repeat is drawn again. Who has offspring, and by which operators, can be chosen otherwise (`Operators`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from gaopt.config import StudyConfig
from gaopt.journal.events import Birth, Bred
from gaopt.journal.history import History
from gaopt.space.space import TRIES
from gaopt.strategies import operators
from gaopt.strategies.base import USED_UP, Done, Wait, keyed
from gaopt.strategies.initial_design import NOTHING, Known, spread
from gaopt.strategies.operators import Genome
from gaopt.strategies.selection import Crowd, selection, step

Breeding = Callable[[int, random.Random], Birth | None]
PATIENCE = 100
"""So often an offspring is bred again for being too near to another."""


class GeneticSearch:
    """The genetic algorithm without a model, bred by DEAP."""

    def __init__(self, config: StudyConfig, known: Known = NOTHING) -> None:
        self._space, self._seed, self._known = config.space, config.seed, known
        self._config, self._chosen, self._numbers = config.genetic, config.operators, config.genetic

    def decide(self, history: History, room: int) -> Bred | Wait | Done:
        if history.unfinished:
            return Wait()
        number = self._numbers.coming(len(history.populations), history.born)
        if not number:
            return Done()
        return self._next(history, number) if history.populations else self._first(history, number)

    def _first(self, history: History, number: int) -> Bred:
        births = self._known.births(self._space, history, self._seed, self._config.population)
        seen, points = operators.seen(self._space, births), self._points()
        for slot in range(len(births), self._config.population):
            if found := operators.unseen(partial(self._drawn, points, slot), seen, self._space):
                births.append(replace(found, id=len(births)))
        return Bred(0, tuple(births[:number]))

    def _points(self) -> Sequence[Sequence[float]]:
        """Where the individuals of the first generation lie; nowhere yet, if each is drawn by itself."""
        if self._chosen.first in ("", "random") and not self._space.priors:
            return ()
        rng = np.random.default_rng(keyed(self._seed, 0).getrandbits(64))
        return spread(self._config.population, self._space, rng, self._chosen.first or "random").tolist()

    def _drawn(self, points: Sequence[Sequence[float]], slot: int, attempt: int) -> Birth | None:
        """The individual at a place's point, if it is allowed; at later attempts, or without a point, a stranger."""
        if points and attempt == 0:
            genes = self._space.at(points[slot])
            return Birth(-1, genes, "random") if self._space.allows(genes) else None
        return operators.stranger(self._space, keyed(self._seed, 0, slot, attempt))

    def _next(self, history: History, number: int) -> Bred | Done:
        order = operators.ranked(self._space, history.population)
        survivors = order[: self._config.promoted]
        found = self._retrained(history, survivors) if self._config.retrain else []
        found += self._litter(history, order, range(self._places(history)), history.generation + 1)
        births = [replace(birth, id=len(history.individuals) + n) for n, birth in enumerate(found[:number])]
        kept = () if self._config.retrain else tuple(genome.id for genome in survivors)
        return Bred(history.generation + 1, tuple(births), kept) if births else Done(USED_UP)

    def births(self, history: History, number: int) -> list[Birth]:
        """So many more individuals, beside those that are being trained; fewer where the space has no more.

        Without a population they are those of the first generation; else offspring of the fittest of all so far.
        """
        born = len(history.individuals)
        if not born:
            return list(self._first(history, number).births)
        order = operators.ranked(self._space, history.ranked[: self._config.population])
        found = self._litter(history, order, range(born, born + number), born)
        return [replace(birth, id=born + n) for n, birth in enumerate(found)]

    def survivors(self, history: History) -> tuple[int, ...]:
        """The ids of those that the next generation begins with."""
        return tuple(individual.id for individual in history.ranked[: self._config.promoted])

    def _places(self, history: History) -> int:
        """How many do not survive."""
        return max(0, len(history.population) - self._config.promoted)

    def _litter(self, history: History, order: list[Genome], slots: range, key: int) -> list[Birth]:
        """An individual for each slot, the last ones immigrants.

        Args:
            order: who may have offspring, from the fittest to the least fit.
            key: of the random numbers.
        """
        births, seen = list[Birth](), operators.seen_in(self._space, history)
        survivors = order[: self._config.promoted]
        breed = self._breeding(history, order, len(survivors))
        members = (history.individuals[genome.id].genes for genome in survivors)
        crowd = Crowd(self._space, self._chosen.min_distance, members)
        for slot in slots:
            native = bool(order) and slot < slots.stop - self._chosen.immigrants

            def draw(attempt: int, slot: int = slot, native: bool = native) -> Birth | None:
                rng = keyed(self._seed, key, slot, attempt)
                # Where nothing new can be bred, a stranger takes the place.
                child = breed(slot, rng) if native and attempt < TRIES else operators.stranger(self._space, rng)
                return None if child and attempt < PATIENCE and crowd.near(child.genes) else child

            if child := operators.unseen(draw, seen, self._space, 2 * TRIES):
                crowd.add(child.genes)
                births.append(child)
        return births

    def _breeding(self, history: History, order: list[Genome], promoted: int) -> Breeding:
        wider = step(history, self._chosen.step) / self._chosen.step if self._chosen.adaptive else 1.0
        box = operators.toolbox(self._space, self._config, self._chosen, wider)
        parents = selection(self._chosen, order, promoted)

        def bred(slot: int, rng: random.Random) -> Birth | None:
            """A mutant of a parent, in part mated with a partner; None where a constraint does not hold."""
            parent = parents.parent(slot, rng)
            child = box.mutate(genome=parent, rng=rng)
            partner = parents.partner(parent, rng) if rng.random() < self._config.crossover else None
            if partner:
                child = box.mate(child, partner, rng=rng)
            genes = operators.completed(self._space, child, rng)
            ids = (parent.id, partner.id) if partner else (parent.id,)
            return Birth(-1, genes, "crossover" if partner else "mutation", ids) if self._space.allows(genes) else None

        return bred

    def _retrained(self, history: History, survivors: list[Genome]) -> list[Birth]:
        """The survivors as new individuals with the same genes and a fresh seed."""
        return [
            Birth(-1, dict(parent.genes), "retrained", (parent.id,), parent.birth.trial + 1)
            for parent in (history.individuals[genome.id] for genome in survivors)
        ]
