"""What is no search: one training with genes given by hand, and all combinations of whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from gaopt.errors import ConfigError
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


class Grid:
    """Every combination of the genes, all with the study's seed, then all with the next one, and so on.

    Raises:
        ConfigError: a gene is no whole number.
    """

    def __init__(self, space: Space, repeats: int) -> None:
        if broken := [name for name, gene in space.items() if not gene.integer]:
            raise ConfigError(
                f"the gene {broken[0]!r} is no whole number: a grid needs space.{broken[0]}.integer = true"
            )
        self._space, self._repeats = space, repeats

    def decide(self, history: History, room: int) -> Bred | None:
        values = [range(int(gene.low), int(gene.high) + 1) for gene in self._space.values()]
        points = [self._space.genes([float(value) for value in point]) for point in product(*values)]
        each = [(trial, genes) for trial in range(self._repeats) for genes in points]
        born = len(history.individuals)  # more than none where a study goes on with more seeds than before
        births = [Birth(id, genes, "given", trial=trial) for id, (trial, genes) in enumerate(each) if id >= born]
        return Bred(history.generation + 1, tuple(births), tuple(history.individuals)) if births else None
