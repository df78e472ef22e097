"""A comparison as it is read: methods on one objective, each with several seeds, and their winners trained again.

Three splits: every search trains on one, its winner is chosen on another, and what is claimed is judged on the third:
by trainings of the winners that no search has seen, each measured once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from gaopt.journal.history import History, Individual

Cost = Literal["epochs", "seconds"]
"""What a budget is counted in: epochs trained, or seconds of training; both summed over all individuals."""


@dataclass(frozen=True)
class SearchRun:
    """One search: one method with one seed."""

    method: str
    seed: int
    history: History

    @property
    def winner(self) -> Individual | None:
        return self.history.best

    @property
    def epochs(self) -> int:
        return sum(individual.epochs for individual in self.history.individuals.values())

    @property
    def seconds(self) -> float:
        return sum(individual.seconds for individual in self.history.individuals.values())


@dataclass(frozen=True)
class Final:
    """The winner of a search trained again, with a fresh seed, and judged: its fitness is of the test split, if any."""

    method: str
    seed: int
    individual: Individual


@dataclass(frozen=True)
class Change:
    """Where a comparison was gone on with although trainings were otherwise before: when the study `where` was opened
    and `ended` trainings of the whole comparison had ended.
    """

    where: str
    ended: int
    what: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """All of a comparison: `methods`, `budget`, `cost` and `difference` are those of its plan."""

    name: str
    methods: tuple[str, ...]
    titles: Mapping[str, str]  # what each method is, in a few words
    searches: tuple[SearchRun, ...]
    finals: tuple[Final, ...]
    config: Mapping[str, Any]  # what the searches have in common, as plain tables
    cost: Cost
    budget: float
    difference: float
    splits: bool  # whether the finals were judged on test images; else they are the objective itself, with fresh seeds
    studies: bool = False  # whether these were searches of their own, each with what budget it had
    changes: tuple[Change, ...] = ()  # of that by which trainings are made, in the order of writing

    @property
    def seeds(self) -> list[int]:
        return sorted({search.seed for search in self.searches})

    def of(self, method: str) -> list[SearchRun]:
        """The searches of a method, by seed."""
        return sorted((search for search in self.searches if search.method == method), key=lambda each: each.seed)

    def scores(self) -> dict[str, dict[int, float]]:
        """By method and seed the mean score of the finals; a method or seed without one is missing."""
        found: dict[str, dict[int, list[float]]] = {method: {} for method in self.methods}
        for final in self.finals:
            if final.individual.status == "scored" and final.method in found:
                found[final.method].setdefault(final.seed, []).append(final.individual.fitness)
        return {
            method: {seed: fmean(seeds[seed]) for seed in self.seeds if seed in seeds}
            for method, seeds in found.items()
            if seeds
        }

    def chosen(self) -> dict[str, dict[int, float]]:
        """By method and seed the score that each winner was chosen by."""
        found: dict[str, dict[int, float]] = {}
        for search in self.searches:
            if search.winner:
                found.setdefault(search.method, {})[search.seed] = search.winner.fitness
        return found
