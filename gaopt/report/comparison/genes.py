"""The genes that the searches of a comparison share, and the trainings that tell of them."""

from collections.abc import Mapping
from typing import Any

from gaopt.compare.model import Comparison
from gaopt.journal.history import Individual
from gaopt.report import views
from gaopt.space.gene import AnyGene, Choice


def space(comparison: Comparison) -> dict[str, AnyGene]:
    """The genes that the searches look for, by name; of one that differs between them, the first that can vary."""
    found: dict[str, AnyGene] = {}
    for search in comparison.searches:
        for name, gene in views.space(search.history).items():
            if name not in found or found[name].levels == 1:
                found[name] = gene
    return found


def within(comparison: Comparison, known: Mapping[str, AnyGene]) -> list[Individual]:
    """The whole trainings of all searches whose genes are all known ones, and lie in their ranges."""
    everyone = [individual for search in comparison.searches for individual in search.history.scored]
    return [i for i in everyone if all(n in known and _inside(known[n], value) for n, value in i.genes.items())]


def _inside(gene: AnyGene, value: Any) -> bool:
    if isinstance(gene, Choice):
        return value in gene.choices
    return isinstance(value, int | float) and gene.low <= value <= gene.high
