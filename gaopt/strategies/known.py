"""What a first generation begins with: individuals given by hand, and the fittest of earlier studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gaopt.events import Birth
from gaopt.gene import Choice
from gaopt.history import History
from gaopt.space import Genes, Space
from gaopt.strategies.base import keyed

WARM = 7
"""Sets these random numbers apart from all others of a study."""


@dataclass(frozen=True)
class Known:
    """
    Attributes:
        given: the genes of individuals, as a config has them.
        best: how many of each earlier study's fittest.
    """

    given: Sequence[Genes] = ()
    best: int = 0

    def births(self, space: Space, history: History, seed: int, most: int) -> list[Birth]:
        """At most so many, each once, with ids from 0."""
        fittest = [
            translated(space, genes, seed, place)
            for place, genes in enumerate(genes for recalled in history.recalled for genes in self._fittest(recalled))
        ]
        found: dict[tuple[Any, ...], Genes] = {}
        for genes in [*self.given, *(each for each in fittest if each)]:
            found.setdefault(tuple(space.vector(genes)), genes)
        return [Birth(id, genes, "given") for id, genes in enumerate(list(found.values())[:most])]

    def _fittest(self, recalled: Any) -> list[Genes]:
        order = sorted(range(len(recalled.genes)), key=lambda n: -recalled.fitness[n])
        return [recalled.genes[n] for n in order[: self.best]]


NOTHING = Known()


def translated(space: Space, genes: Mapping[str, Any], seed: int, place: int) -> Genes | None:
    """Genes of another space in this one: those that both have, moved into its bounds; the others drawn at random.

    None where the constraints allow no such individual.
    """
    drawn = space.sample(keyed(seed, WARM, place))
    shared = {name: _inside(gene, genes[name]) for name, gene in space.items() if name in genes}
    found = {name: value for name, value in shared.items() if value is not None}
    mixed = space.expressed({name: gene.at(0.5) for name, gene in space.items()} | drawn | found)
    return mixed if space.allows(mixed) else None


def _inside(gene: Any, value: Any) -> Any:
    """The nearest value of the gene; None where there is none."""
    if isinstance(gene, Choice):
        return value if value in gene.choices else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return gene.at(gene.unit(value))
