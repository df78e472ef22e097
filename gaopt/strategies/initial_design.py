"""What a first generation begins with: those given by hand or the default, the fittest of earlier studies, and points
that fill the space.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaopt.config import First
from gaopt.errors import ConfigError
from gaopt.journal.events import Birth, Origin
from gaopt.journal.history import History
from gaopt.space.gene import AnyGene, Choice
from gaopt.space.space import Genes, Space
from gaopt.strategies.base import keyed

WARM = 7  # sets these random numbers apart from all others of a study
EVENED = 1000  # more points than this are not moved any more: it takes long, and so many fill the cube by themselves


@dataclass(frozen=True)
class Known:
    """Individuals that are known before the first generation is drawn."""

    given: Sequence[Genes] = ()  # the genes of individuals, as a config has them
    best: int = 0  # how many of each earlier study's fittest
    default: Genes | None = None  # what the genes are without a search

    def births(self, space: Space, history: History, seed: int, most: int) -> list[Birth]:
        """At most so many, each once, with ids from 0."""
        recalled = [genes for each in history.recalled for genes in _fittest(each.genes, each.fitness)[: self.best]]
        fittest = [translated(space, genes, seed, place) for place, genes in enumerate(recalled)]
        found: dict[tuple[Any, ...], tuple[Genes, Origin]] = {}
        # A study that was begun by a version that knew no default goes on as it would have.
        older = history.openings and "default_first" not in history.openings[0][0].config.get("study", {})
        if self.default and not older:
            found[tuple(space.vector(self.default))] = self.default, "default"
        for genes in [*self.given, *(each for each in fittest if each)]:
            found.setdefault(tuple(space.vector(genes)), (genes, "given"))
        return [Birth(id, *each) for id, each in enumerate(list(found.values())[:most])]


NOTHING = Known()


def _fittest(genes: Sequence[Genes], fitness: Sequence[float]) -> list[Genes]:
    return [genes[n] for n in sorted(range(len(genes)), key=lambda n: -fitness[n])]


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
    """Genes of another space in this one: those that both have, moved into its bounds; the others drawn at random. None
    where the constraints allow no such individual.
    """
    drawn = space.sample(keyed(seed, WARM, place))
    shared = {name: _inside(gene, genes[name]) for name, gene in space.items() if name in genes}
    found = {name: value for name, value in shared.items() if value is not None}
    mixed = space.expressed({name: gene.at(0.5) for name, gene in space.items()} | drawn | found)
    return mixed if space.allows(mixed) else None


def _inside(gene: AnyGene, value: Any) -> Any:
    """The nearest value of the gene; None where there is none."""
    if isinstance(gene, Choice):
        return value if value in gene.choices else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return gene.at(gene.unit(value))


def spread(number: int, space: Space, rng: np.random.Generator, first: First = "hypercube") -> NDArray[np.float64]:
    """(number, genes) points of the unit cube, spread over it as said; "" is a hypercube.

    Every second one, beginning with the second, is moved to where the priors of genes have it; the others stay, so
    that a prior that is wrong costs half of the first generation at most.
    """
    points = _spread(number, len(space), rng, first)
    for column, gene in enumerate(space.values()):
        if gene.prior is not None:
            points[1::2, column] = [gene.likely(share) for share in points[1::2, column].tolist()]
    return points


def _spread(number: int, genes: int, rng: np.random.Generator, first: First) -> NDArray[np.float64]:
    """Without regard to priors.

    A Latin hypercube has its points moved until they fill the cube evenly by centred discrepancy; a Sobol sequence
    is scrambled (Owen, *Scrambling Sobol' and Niederreiter–Xing points*, 1998), so that a seed has a say in it.
    """
    if first == "random":
        return rng.random((number, genes))
    from scipy.stats import qmc  # costs half a second, and only a first generation needs it

    if first == "sobol":
        # In whole powers of two, which are even by themselves; the first so many of them are nearly so.
        return np.asarray(qmc.Sobol(genes, rng=rng).random_base2((number - 1).bit_length())[:number])
    evened = "random-cd" if number <= EVENED else None
    return np.asarray(qmc.LatinHypercube(genes, optimization=evened, rng=rng).random(number))
