"""What a search is told, and what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from gaopt.space.space import Genes, Space

FIRST = 10
"""Individuals in a first generation, at least."""


@dataclass(frozen=True)
class Setting:
    """What a search is told.

    Attributes:
        epochs: of a full training.
        evaluations: full trainings that may be paid for.
        together: how many are trained at once, after a first generation of ten or more.
        noisy: whether the same genes trained twice may score differently.
    """

    space: Space
    epochs: int
    evaluations: int
    together: int
    seed: int
    noisy: bool = False

    @property
    def first(self) -> int:
        """Individuals in the first generation."""
        return max(FIRST, self.together)

    def batches(self) -> Iterator[int]:
        """How many a peer is asked for, again and again; where they are trained one at a time, so is the first."""
        yield self.first if self.together > 1 else 1
        while True:
            yield self.together


@dataclass(frozen=True)
class Trial:
    """What is to be trained, and for how many epochs."""

    genes: Genes
    epochs: int


class Search(Protocol):
    """A search of one problem, made for a `Setting`.

    Attributes:
        seconds: of computing time in other processes so far.
    """

    seconds: float = 0.0

    def ask(self) -> Sequence[Trial]:
        """What to train next; nothing when the search is over."""

    def tell(self, scores: Sequence[float]) -> None:
        """The scores of the trials asked for last, in their order; nan for a failure."""

    def recommended(self) -> Genes | None:
        """The genes that it holds for the best; None for those of the best score seen at full length."""
        return None
