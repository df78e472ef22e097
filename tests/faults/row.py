"""What a row of the table of faults comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tally:
    """One fault, caused again and again.

    Attributes:
        tried: how often it was caused.
        survived: how often the study then ended as if nothing had been, or stopped in the way that it should.
        lost: finished trainings that were in no journal afterwards, or were trained again.
        how: in a few words, what was done, for whoever reads the table.
    """

    tried: int
    survived: int
    lost: int
    how: str

    @property
    def well(self) -> bool:
        return not self.lost and self.survived == self.tried

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.tried + other.tried, self.survived + other.survived, self.lost + other.lost, self.how)

    def called(self, how: str) -> Tally:
        return Tally(self.tried, self.survived, self.lost, how)
