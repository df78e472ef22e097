"""The space that genes span: plain values, no search."""

import math
import random
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cached_property
from itertools import product
from typing import Any

from gaopt.errors import ConfigError, nearest
from gaopt.space.conditions import Expression
from gaopt.space.gene import AnyGene, Choice, Gene
from gaopt.space.numbers import given

Genes = dict[str, Any]
"""By name: a number, or one of a choice's values. A gene whose condition does not hold is not there."""

DRAWS, LEAST = 200, 2
"""Of so many individuals drawn at random the constraints must allow so many: a search draws hundreds."""
TRIES = 100_000
COUNTED = 10_000
"""A space of so many individuals, at most, is known to be used up; of a larger one it shows in tries without end."""


class Space(dict[str, AnyGene]):
    """Genes by name, and what must hold between them. Their order here is their order everywhere.

    Args:
        constraints: conditions (`Expression`) that every individual satisfies; one that speaks of a gene that is
            not there is satisfied.

    Examples:
        >>> space = Space("wd < lr * 100", lr=Gene(1e-6, 1e-2, "log"), wd=Gene(0.0, 0.1))
        >>> list(space)
        ['lr', 'wd']
    """

    def __init__(self, /, *constraints: str, **genes: AnyGene) -> None:
        if not genes:
            raise ConfigError("the space has no genes: at least one is needed")
        for name, gene in genes.items():
            if not isinstance(gene, Gene | Choice):
                raise ConfigError(f"the gene {name!r} is {gene!r}: must be a gaopt.Gene or a gaopt.Choice")
        super().__init__(genes)
        self.constraints = tuple(Expression(text) for text in constraints)
        self.conditions = {name: Expression(gene.when) for name, gene in genes.items() if gene.when}
        before: dict[str, AnyGene] = {}
        for name, gene in genes.items():
            if name in self.conditions:
                self.conditions[name].check(before)
            before[name] = gene
        for constraint in self.constraints:
            constraint.check(genes)
        if not self.free:
            self._check_draws(random.Random(0))

    def _check_draws(self, rng: random.Random) -> None:
        """Types that do not go together, and constraints that leave hardly anything, show in what is drawn."""
        allowed = 0
        for _ in range(DRAWS):
            drawn = {name: gene.at(rng.random()) for name, gene in self.items()}
            for condition in (*self.conditions.values(), *self.constraints):
                condition.check_types(drawn)
            allowed += self.allows(self.expressed(drawn))
        if allowed < LEAST:
            found = f"of {DRAWS} individuals drawn at random the constraints allow {allowed or 'none'}"
            raise ConfigError(f"{found}: loosen {self.constraints[0].text!r}, or narrow the ranges")

    @property
    def priors(self) -> bool:
        """Whether anything is held probable of any gene."""
        return any(gene.prior is not None for gene in self.values())

    @cached_property
    def free(self) -> bool:
        """Whether every point of the unit cube is an individual: no conditions, no constraints."""
        return not (self.constraints or self.conditions)

    def sample(self, rng: random.Random) -> Genes:
        """A point drawn evenly, each gene on its own scale, among those that the constraints allow."""
        for _ in range(TRIES):
            genes = self.expressed({name: gene.at(rng.random()) for name, gene in self.items()})
            if self.allows(genes):
                return genes
        raise ConfigError(f"of {TRIES} individuals drawn at random the constraints allow none")

    @property
    def levels(self) -> int:
        """How many combinations of values, before conditions and constraints; 0 where they cannot be counted."""
        return math.prod(gene.levels for gene in self.values())

    def combinations(self) -> list[Genes]:
        """All that conditions and constraints leave, each once, the last gene fastest; values must be counted."""
        values = [[gene.level(number) for number in range(gene.levels)] for gene in self.values()]
        points = [self.expressed(self.genes(point)) for point in product(*values)]
        unlike = {tuple(self.vector(genes)): genes for genes in points if self.allows(genes)}
        return list(unlike.values())

    def used_up(self, seen: Set[tuple[Any, ...]]) -> bool:
        """Whether it is certain that these are all, each as `vector` gives it: not of more than `COUNTED`."""
        return self._vectors is not None and self._vectors <= seen

    @cached_property
    def _vectors(self) -> frozenset[tuple[Any, ...]] | None:
        if not 0 < self.levels <= COUNTED:
            return None
        return frozenset(tuple(self.vector(genes)) for genes in self.combinations())

    def expressed(self, genes: Mapping[str, Any]) -> Genes:
        """Those of the genes whose conditions hold, in the order of the space; none holds of what is not there."""
        found: Genes = {}
        for name in self:
            if name in genes and self._expresses(name, found):
                found[name] = genes[name]
        return found

    def _expresses(self, name: str, before: Mapping[str, Any]) -> bool:
        """Whether a gene is there beside those before it."""
        return name not in self.conditions or self._holds(self.conditions[name], before, otherwise=False)

    def allows(self, genes: Mapping[str, Any]) -> bool:
        """Whether the constraints hold."""
        return all(self._holds(constraint, genes, otherwise=True) for constraint in self.constraints)

    @staticmethod
    def _holds(condition: Expression, genes: Mapping[str, Any], otherwise: bool) -> bool:
        return condition.holds(genes) if all(name in genes for name in condition.names) else otherwise

    def at(self, units: Sequence[float]) -> Genes:
        """The genes at a point (d,) of the unit cube; what is there of them."""
        values = {name: gene.at(unit) for (name, gene), unit in zip(self.items(), units, strict=True) if unit == unit}
        return values if self.free else self.expressed(values)

    def units(self, genes: Mapping[str, Any]) -> list[float]:
        """(d,): where the genes lie in the unit cube, NaN for one that is not there. The inverse of `at`."""
        return [gene.unit(genes[name]) if name in genes else math.nan for name, gene in self.items()]

    def vector(self, genes: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the space; None for a gene that is not there."""
        return [genes.get(name) for name in self]

    def genes(self, vector: Iterable[Any]) -> Genes:
        """The inverse of `vector`."""
        return {name: value for name, value in zip(self, vector, strict=True) if value is not None}

    def check(self, genes: Mapping[str, Any]) -> Genes:
        """The same genes in the order of the space; numbers outside the bounds, given by hand, are meant."""
        for name in genes:
            if name not in self:
                raise ConfigError(f"{name!r} is no gene of this space: {nearest(name, self)}")
        found: Genes = {}
        for name, gene in self.items():
            if not self._expresses(name, found):
                if name in genes:
                    raise ConfigError(f"there is a value for the gene {name!r}: it is there only when {gene.when}")
                continue
            if name not in genes:
                raise ConfigError(f"no value for the gene {name!r}: every gene of {', '.join(self)} needs one")
            found[name] = given(f"the gene {name!r}", genes[name], gene.check)
        return found
