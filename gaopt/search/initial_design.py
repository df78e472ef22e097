"""What a first generation begins with: those given by hand or the default, and the fittest of earlier studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gaopt.errors import ConfigError
from gaopt.journal.events import Birth, Origin
from gaopt.journal.history import History
from gaopt.search.base import keyed
from gaopt.space.gene import AnyGene, Choice
from gaopt.space.space import Genes, Space

WARM = 7
"""Sets these random numbers apart from all others of a study."""


@dataclass(frozen=True)
class Known:
    """Individuals that are known before the first generation is drawn.

    Attributes:
        given: the genes of individuals, as a config has them.
        best: how many of each earlier study's fittest.
        default: what the genes are without a search.
    """

    given: Sequence[Genes] = ()
    best: int = 0
    default: Genes | None = None

    def births(self, space: Space, history: History, seed: int, most: int) -> list[Birth]:
        """At most so many, each once, with ids from 0."""
        fittest = [
            translated(space, genes, seed, place)
            for place, genes in enumerate(genes for recalled in history.recalled for genes in self._fittest(recalled))
        ]
        found: dict[tuple[Any, ...], tuple[Genes, Origin]] = {}
        if self.default and not _begun_without(history):
            found[tuple(space.vector(self.default))] = self.default, "default"
        for genes in [*self.given, *(each for each in fittest if each)]:
            found.setdefault(tuple(space.vector(genes)), (genes, "given"))
        return [Birth(id, *each) for id, each in enumerate(list(found.values())[:most])]

    def _fittest(self, recalled: Any) -> list[Genes]:
        order = sorted(range(len(recalled.genes)), key=lambda n: -recalled.fitness[n])
        return [recalled.genes[n] for n in order[: self.best]]


NOTHING = Known()


def _begun_without(history: History) -> bool:
    """Whether the study was begun by a version that knew no default: it goes on as it would have."""
    return bool(history.openings) and "default_first" not in history.openings[0][0].config.get("study", {})


def nearest(space: Space, values: Mapping[str, Any]) -> Genes | None:
    """The individual nearest to these values; None where a gene can have none like it, or constraints forbid it."""
    near = {name: _near(gene, values.get(name)) for name, gene in space.items()}
    try:
        found = space.check(space.expressed({name: value for name, value in near.items() if value is not None}))
    except ConfigError:
        return None
    return found if space.allows(found) else None


def _near(gene: AnyGene, value: Any) -> Any:
    """As `_inside`, and of choices that are all numbers the nearest."""
    if isinstance(gene, Choice) and all(type(each) in (int, float) for each in (value, *gene.choices)):
        return min(gene.choices, key=lambda choice: abs(choice - value))
    return _inside(gene, value)


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
