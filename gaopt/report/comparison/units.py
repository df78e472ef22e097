"""In what the scores of a comparison are said: as accuracies where they are, else as they come."""

from __future__ import annotations

from dataclasses import dataclass

from gaopt.compare.model import Comparison
from gaopt.compare.statistics import Interval
from gaopt.report import format as words
from gaopt.report import views


@dataclass(frozen=True)
class Unit:
    """
    Attributes:
        accuracy: whether every score is a top-1 accuracy, 0 … 1.
        split: what the finals were judged on.
    """

    accuracy: bool
    split: str

    @property
    def name(self) -> str:
        """What is judged: "top-1 accuracy on the test images"."""
        return f"{'top-1 accuracy' if self.accuracy else 'fitness'}{self.split}"

    @property
    def factor(self) -> float:
        """What a score is multiplied by to be drawn."""
        return 100.0 if self.accuracy else 1.0

    @property
    def sign(self) -> str:
        return " %" if self.accuracy else ""

    def score(self, value: float | None) -> str:
        """A score in words, without its sign: 91.33, or 0.9133."""
        if value is None:
            return "–"
        return f"{100 * value:.2f}" if self.accuracy else words.score(value)

    def gap(self, value: float | None) -> str:
        """A difference of scores with its sign: +0.42 (points, where they are accuracies)."""
        if value is None:
            return "–"
        found = f"{100 * value:+.2f}" if self.accuracy else f"{value:+.4f}"
        return found.replace("-", "−")

    def span(self, found: Interval | None, signed: bool = False) -> str:
        """An interval: 90.10 … 91.20."""
        if found is None or found.low is None or found.high is None:
            return "–"
        if signed:
            return f"{self.gap(found.low)} … {self.gap(found.high)}"
        low, high = self.possible(found.low), self.possible(found.high)
        return f"{self.score(low)} … {self.score(high)}"

    def possible(self, value: float) -> float:
        """The nearest score that there can be: an interval knows nothing of 0 and 100 %."""
        return min(max(value, 0.0), 1.0) if self.accuracy else value


def unit(comparison: Comparison) -> Unit:
    """Read off the finals; off the winners while there are none."""
    finals = [final.individual for final in comparison.finals if final.individual.status == "scored"]
    winners = [search.winner for search in comparison.searches if search.winner]
    accuracy = all(views.is_accuracy(individual) for individual in finals or winners) and bool(finals or winners)
    images = " images" if accuracy else " split"
    return Unit(accuracy, f" on the test{images}" if comparison.splits else "")
