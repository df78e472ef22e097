"""What all whole trainings of all searches say of the genes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gaopt.compare.model import Comparison
from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report.comparison import importance as evaluators
from gaopt.report.comparison import trainings
from gaopt.report.comparison.surfaces import Surface, surfaces
from gaopt.space.gene import AnyGene

PAIRED = 4
"""Genes whose pairs are drawn: the most important ones."""


@dataclass(frozen=True)
class Genes:
    """
    Attributes:
        space: the genes by name, also those that are held fixed.
        within: the whole trainings that lie in the space.
        importance: by question the share of each gene; empty without Optuna.
        paired: the names of the genes whose pairs are drawn.
        note: why there is no importance, as a sentence; "" where there is.
    """

    space: Mapping[str, AnyGene]
    within: list[Individual]
    importance: dict[str, dict[str, float]]
    paired: list[str]
    surfaces: list[Surface]
    note: str


def genes(comparison: Comparison) -> Genes:
    space = trainings.genes(comparison)
    within = trainings.within(comparison, space)
    free = {name: gene for name, gene in space.items() if gene.levels != 1}
    found = evaluators.importance(within, free) if evaluators.installed() else {}
    ranked = [name for shares in found.values() for name in shares]
    paired = list(dict.fromkeys([*ranked, *free]))[:PAIRED]
    return Genes(space, within, found, paired, surfaces(within, free, paired), "" if found else _note(within))


def _note(within: list[Individual]) -> str:
    if not evaluators.installed():
        return (
            "How much each gene matters is not told here, for Optuna, which computes it, is not installed:"
            " pip install 'gaopt[peers]', and write the report again."
        )
    count = words.plural(len(within), "whole training")
    if len(within) < evaluators.LEAST:
        return f"How much each gene matters cannot be told from {count}: {evaluators.LEAST} are needed."
    return f"How much each gene matters cannot be told: all {count} have the same score."
