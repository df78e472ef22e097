"""What a search is here: it is asked for trials and told their scores, in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gaopt.space.space import Genes, Space


@dataclass(frozen=True)
class Setting:
    """What a search is told.

    Attributes:
        epochs: of a full training.
        evaluations: full trainings that may be paid for.
        together: how many are trained at once.
        noisy: whether the same genes trained twice may score differently.
    """

    space: Space
    epochs: int
    evaluations: int
    together: int
    seed: int
    noisy: bool = False


@dataclass(frozen=True)
class Trial:
    """What is to be trained, and for how many epochs."""

    genes: Genes
    epochs: int


class Search(Protocol):
    """A search of one problem, made for a `Setting`."""

    def ask(self) -> Sequence[Trial]:
        """What to train next; nothing when the search is over."""

    def tell(self, scores: Sequence[float]) -> None:
        """The scores of the trials asked for last, in their order; nan for a failure."""

    def recommended(self) -> Genes | None:
        """The genes that it holds for the best; None for those of the best score seen at full length."""
