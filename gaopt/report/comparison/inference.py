"""What statistics say of a comparison, once for the page, its tables and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from gaopt.compare import statistics
from gaopt.compare.model import Comparison
from gaopt.compare.sentence import verdict
from gaopt.compare.statistics import Contrast, Interval
from gaopt.report.comparison.units import unit


@dataclass(frozen=True)
class Claims:
    """What may be claimed of the judged scores, by method and seed."""

    comparison: Comparison

    @cached_property
    def judged(self) -> dict[str, Interval]:
        """By method the mean over seeds and its interval."""
        return _means(self.comparison.scores())

    @cached_property
    def chosen(self) -> dict[str, Interval]:
        """The same of the scores that the winners were chosen by."""
        return _means(self.comparison.chosen())

    @cached_property
    def optimism(self) -> dict[str, Interval]:
        """By method how far the scores that winners were chosen by lie above those that judged them."""
        return statistics.optimism(self.comparison.chosen(), self.comparison.scores())

    @cached_property
    def contrasts(self) -> list[Contrast]:
        """The reference against each other method; those without a judged score too."""
        methods = self.comparison.methods
        scores: Mapping[str, Mapping[int, float]] = self.comparison.scores()
        if not methods or not scores:
            return []
        return statistics.contrasts({method: scores.get(method, {}) for method in methods}, methods[0])

    def seeds_needed(self, contrast: Contrast) -> int | None:
        """To show the difference that is worth it; None for more than are worth counting to."""
        if contrast.deviation is None:
            return None
        return statistics.seeds_needed(contrast.deviation, self.comparison.difference, len(self.contrasts))

    @property
    def verdict(self) -> str:
        """In one sentence; methods by their names."""
        if not self.judged:
            return "Nothing can be said yet: no winner was trained again and judged."
        accuracy = unit(self.comparison).accuracy
        said = verdict(self.contrasts, {}, self.comparison.difference, accuracy)
        return f"{said[0].upper()}{said[1:]}."


def _means(scores: Mapping[str, Mapping[int, float]]) -> dict[str, Interval]:
    return {method: statistics.interval(list(each.values())) for method, each in scores.items()}
