"""What a search is held against: genes drawn at random, given by hand, or all that there are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from gaopt.config import Genetic
from gaopt.errors import ConfigError
from gaopt.events import Birth, Bred
from gaopt.history import History
from gaopt.space import Space
from gaopt.strategies import operators
from gaopt.strategies.base import keyed
from gaopt.strategies.known import NOTHING, Known


class Fixed:
    """Individuals with these genes, each with the next seed, begun when there is room."""

    def __init__(self, space: Space, genes: Mapping[str, Any], repeats: int = 1) -> None:
        self._genes, self._repeats = space.check(genes), repeats

    def decide(self, history: History, room: int) -> Bred | None:
        number = len(history.individuals)
        if number >= self._repeats or (room < 1 and history.unfinished):
            return None
        return Bred(history.generation + 1, (Birth(number, self._genes, "given", trial=number),))


class RandomSearch:
    """Individuals drawn evenly from the space, in generations as large as those of the genetic algorithm."""

    def __init__(self, space: Space, config: Genetic, seed: int, known: Known = NOTHING) -> None:
        self._space, self._config, self._seed, self._known = space, config, seed, known

    def decide(self, history: History, room: int) -> Bred | None:
        generation = history.generation + 1
        if history.unfinished or generation >= self._config.generations:
            return None
        litter, born = self._config.litters[generation], len(history.individuals)
        births = [] if born else self._known.births(self._space, history, self._seed, litter)
        known = [*(i.genes for i in history.individuals.values()), *(birth.genes for birth in births)]
        seen = {tuple(self._space.vector(genes)) for genes in known}
        for slot in range(len(births), litter):
            found = operators.unseen(partial(self._drawn, generation, slot), seen, self._space)
            if found is None:
                break  # the space is used up
            births.append(Birth(born + len(births), found.genes, "random"))
        if not births:
            return None
        fittest = operators.fittest(self._space, history.population, self._config.promoted)
        return Bred(generation, tuple(births), tuple(individual.id for individual in fittest))

    def _drawn(self, generation: int, slot: int, attempt: int) -> operators.Offspring:
        return operators.stranger(self._space, keyed(self._seed, generation, slot, attempt))


class Grid:
    """Every combination of the genes, all with the study's seed, then all with the next one, and so on.

    Raises:
        ConfigError: a gene's values cannot be counted.
    """

    def __init__(self, space: Space, repeats: int) -> None:
        if broken := [name for name, gene in space.items() if not gene.levels]:
            raise ConfigError(
                f"the gene {broken[0]!r} is no whole number, has no steps and no choices: a grid needs one of"
                f" space.{broken[0]}.integer = true, step and choices"
            )
        self._space, self._repeats = space, repeats

    def decide(self, history: History, room: int) -> Bred | None:
        each = [(trial, genes) for trial in range(self._repeats) for genes in self._space.combinations()]
        born = len(history.individuals)  # more than none where a study goes on with more seeds than before
        births = [Birth(id, genes, "given", trial=trial) for id, (trial, genes) in enumerate(each) if id >= born]
        return Bred(history.generation + 1, tuple(births), tuple(history.individuals)) if births else None
