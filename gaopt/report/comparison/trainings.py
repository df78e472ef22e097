"""Which trainings of all searches say something about the genes."""

from __future__ import annotations

from collections.abc import Mapping

from gaopt.compare.model import Comparison
from gaopt.journal.history import Individual
from gaopt.report import views
from gaopt.space.gene import AnyGene, Choice


def genes(comparison: Comparison) -> dict[str, AnyGene]:
    """The genes that the searches look for, by name; of one that differs between them, the first that can vary."""
    found: dict[str, AnyGene] = {}
    known: list[object] = []
    for search in comparison.searches:
        if (table := search.history.config.get("space")) in known:  # reading it takes a while
            continue
        known.append(table)
        for name, gene in views.space(search.history).items():
            if name not in found or found[name].levels == 1:
                found[name] = gene
    return found


def within(comparison: Comparison, known: Mapping[str, AnyGene]) -> list[Individual]:
    """The whole trainings of all searches whose genes are all known ones, and lie in their ranges."""
    return [
        individual
        for search in comparison.searches
        for individual in search.history.scored
        if all(name in known and _inside(known[name], value) for name, value in individual.genes.items())
    ]


def _inside(gene: AnyGene, value: object) -> bool:
    if isinstance(gene, Choice):
        return value in gene.choices
    return isinstance(value, int | float) and gene.low <= value <= gene.high
