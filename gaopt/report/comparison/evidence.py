"""What the scores of a comparison show, each worked out once: for its page, its tables and its figures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gaopt.compare import sentence, statistics
from gaopt.compare.model import Comparison, Cost, SearchRun
from gaopt.compare.statistics import Contrast, Interval
from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.importance import Importance, importance
from gaopt.space.gene import AnyGene, Choice

Band = tuple[np.ndarray, np.ndarray]
"""(amounts,) spent, and (searches, amounts) the best scores of all searches of a method by then."""


def band(searches: Sequence[SearchRun], cost: Cost) -> Band | None:
    """From where every search of a method has a score; one that has ended keeps its last. None without scores."""
    each = [[step for step in views.steps(search.history) if step.best > -math.inf] for search in searches]
    paths = [(np.array([getattr(s, cost) for s in path], float), np.array([s.best for s in path])) for path in each]
    paths = [path for path in paths if path[0].size]
    if not paths:
        return None
    grid = np.unique(np.concatenate([spent for spent, _ in paths]))
    grid = grid[grid >= max(spent[0] for spent, _ in paths)]
    return grid, np.array([best[np.searchsorted(spent, grid, side="right") - 1] for spent, best in paths])


def within(comparison: Comparison, known: Mapping[str, AnyGene]) -> list[Individual]:
    """The whole trainings of all searches whose genes are all known ones, and lie in their ranges."""
    everyone = [individual for search in comparison.searches for individual in search.history.scored]
    return [i for i in everyone if all(n in known and _inside(known[n], value) for n, value in i.genes.items())]


def _inside(gene: AnyGene, value: Any) -> bool:
    if isinstance(gene, Choice):
        return value in gene.choices
    return isinstance(value, int | float) and gene.low <= value <= gene.high


@dataclass(frozen=True)
class Unit:
    """In what scores are said: as accuracies where all of them are, else as they come."""

    accuracy: bool
    factor: float  # what a score is multiplied by to be drawn
    sign: str  # behind a score
    points: str  # behind a difference

    def score(self, value: float | None) -> str:
        """A score in words, without its sign: 91.33, or 0.9133."""
        return f"{self.factor * value:.2f}" if self.accuracy and value is not None else words.score(value)

    def gap(self, value: float | None) -> str:
        """A difference of scores with its sign: +0.42 (points, where they are accuracies)."""
        if value is None:
            return "–"
        return (f"{self.factor * value:+.2f}" if self.accuracy else f"{value:+.4f}").replace("-", "−")

    def span(self, low: float | None, high: float | None) -> str:
        """The interval of a score, which knows nothing of 0 and 100 %: 90.10 … 91.20."""
        if low is None or high is None:
            return "–"
        bounds = (min(max(bound, 0.0), 1.0) if self.accuracy else bound for bound in (low, high))
        return " … ".join(map(self.score, bounds))


@dataclass(frozen=True)
class Evidence:
    """What may be said of a comparison, by method and seed."""

    comparison: Comparison

    @cached_property
    def unit(self) -> Unit:
        """Read off the finals; off the winners while there are none."""
        winners = [search.winner for search in self.comparison.searches if search.winner]
        read = [final.individual for final in self.comparison.finals if final.individual.status == "scored"] or winners
        accuracy = bool(read) and all(map(views.is_accuracy, read))
        return Unit(True, 100.0, " %", " points") if accuracy else Unit(False, 1.0, "", "")

    @property
    def score_name(self) -> str:
        """What is judged: "top-1 accuracy on the test images"."""
        name = "top-1 accuracy" if self.unit.accuracy else "fitness"
        return f"{name} on the test {'images' if self.unit.accuracy else 'split'}" if self.comparison.splits else name

    @cached_property
    def scores(self) -> Mapping[str, Mapping[int, float]]:
        return self.comparison.scores()

    @cached_property
    def judged(self) -> dict[str, Interval]:
        """By method the mean over seeds and its interval."""
        return {method: statistics.interval(list(each.values())) for method, each in self.scores.items()}

    @cached_property
    def optimism(self) -> dict[str, Interval]:
        """By method how far the scores that winners were chosen by lie above those that judged them."""
        return statistics.optimism(self.comparison.chosen(), self.scores)

    @cached_property
    def contrasts(self) -> list[Contrast]:
        """The reference against each other method; those without a judged score too."""
        methods = self.comparison.methods
        if not methods or not self.scores:
            return []
        return statistics.contrasts({method: self.scores.get(method, {}) for method in methods}, methods[0])

    @property
    def verdict(self) -> str:
        """In one sentence; methods by their names."""
        if not self.judged:
            return "Nothing can be said yet: no winner was trained again and judged."
        said = sentence.verdict(self.contrasts, self.comparison.difference, self.unit.accuracy)
        return f"{said[0].upper()}{said[1:]}."

    @cached_property
    def bands(self) -> Mapping[str, Band]:
        """By method the best score so far, against what the budget is counted in."""
        each = {method: band(self.comparison.of(method), self.comparison.cost) for method in self.comparison.methods}
        return {method: found for method, found in each.items() if found}

    @cached_property
    def space(self) -> dict[str, AnyGene]:
        """The genes by name, also those that are held fixed; where searches differ in one, the first that can vary."""
        found: dict[str, AnyGene] = {}
        for search in self.comparison.searches:
            for name, gene in views.space(search.history).items():
                if name not in found or found[name].levels == 1:
                    found[name] = gene
        return found

    @property
    def free(self) -> dict[str, AnyGene]:
        """The genes that are not held fixed."""
        return {name: gene for name, gene in self.space.items() if gene.levels != 1}

    @cached_property
    def trainings(self) -> list[Individual]:
        """The whole ones within the space."""
        return within(self.comparison, self.space)

    @cached_property
    def importance(self) -> Importance | None:
        return importance(self.trainings, self.free)
