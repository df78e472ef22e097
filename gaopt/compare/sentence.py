"""A comparison in one sentence: what it shows, and what it would take to show more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gaopt.compare.statistics import FEWEST, MOST, POWER, Contrast, seeds_needed


def verdict(found: Sequence[Contrast], difference: float, accuracy: bool = False) -> str:
    """One sentence, without a capital and a full stop.

    Of several methods it names one: of those that are beaten the closest, of those that win the best, where nothing is
    claimed the one that is nearest to a claim. The number of seeds is for the best of those that nothing is claimed of.

    Args:
        found: all contrasts of one reference.
        difference: that would be worth showing, in units of the score; above 0.
        accuracy: the scores are shares of 1, and differences are told in percentage points.
    """
    if not found:
        return "nothing can be said: there is no other method to compare with"
    most = max(contrast.pairs for contrast in found)
    if most < FEWEST:
        return f"nothing can be said: a claim takes {FEWEST} seeds that both methods have, and there {_are(most)}"
    return _Sentence(tuple(found), difference, accuracy).text


@dataclass(frozen=True)
class _Sentence:
    found: tuple[Contrast, ...]
    difference: float
    accuracy: bool

    @property
    def text(self) -> str:
        claims = [
            part for part in (self._claimed(1, "beats", "closest"), self._claimed(-1, "loses to", "best")) if part
        ]
        if claims:
            claims[0] = f"{self.found[0].reference} {claims[0]}"
        parts = [*claims, self._unclear(bool(claims)), self._untested()]
        return "; ".join(part for part in (_listed([part for part in parts if part]), self._wanted()) if part)

    @property
    def _open(self) -> list[Contrast]:
        """Tested without a claim."""
        return [contrast for contrast in self.found if contrast.p is not None and not contrast.claimed]

    def _claimed(self, sign: int, verb: str, best: str) -> str:
        """Whom the reference beats (1), or loses to (−1), and by how much at least."""
        some = [contrast for contrast in self.found if contrast.claimed and sign * _gap(contrast) > 0]
        if not some:
            return ""
        named = min(some, key=_gap)
        many = f"{self._share(some)}, the {best} of them " if len(some) > 1 else ""
        return f"{verb} {many}{named.other} by {self._amount(named)} ({self._span(named)})"

    def _unclear(self, claims: bool) -> str:
        if not self._open:
            return ""
        if claims:
            some = self._open[0].other if len(self._open) == 1 else f"{len(self._open)} other methods"
            return f"no difference to {some} can be shown"
        if all(contrast.deviation == 0 for contrast in self._open):
            return "no difference can be shown: all scores are the same"
        nearest = min(self._open, key=lambda contrast: (contrast.p, contrast.other))
        where = f"{self._amount(nearest)} {'above' if _gap(nearest) >= 0 else 'below'} {nearest.other}"
        many = len(self.found) > 1
        return (
            f"no difference can be shown: over {nearest.pairs} seeds {nearest.reference} is {where}"
            f" ({self._span(nearest)}; p = {nearest.adjusted:.2g}"
            + (f" after correction for {len(self.found)} methods), the clearest of all" if many else ")")
        )

    def _untested(self) -> str:
        few = [contrast for contrast in self.found if contrast.p is None]
        if not few:
            return ""
        who = f"{few[0].other} has" if len(few) == 1 else f"{len(few)} methods have"
        return f"{who} too few seeds to be tested"

    def _wanted(self) -> str:
        """What it would take to show the difference that is worth it, against the best method that is open."""
        varied = [contrast for contrast in self._open if contrast.deviation]
        if not varied:
            return ""
        best = min(varied, key=lambda contrast: (_gap(contrast), contrast.other))
        seeds = seeds_needed(best.deviation or 0.0, self.difference, len(self.found))
        worth = self._number(self.difference, "g")
        one = f"one of {worth}{self._unit if worth != '1' else self._unit.removesuffix('s')}"
        one += f" against {best.other}" if len(self.found) > 1 else ""
        if seeds is None:
            return f"to show {one} it would take more than {MOST} seeds"
        if seeds <= best.pairs:
            return f"{one} would have been shown with a probability of at least {POWER:.0%}".replace("%", " %")
        return f"to show {one} it would take about {seeds} seeds"

    def _share(self, some: Sequence[Contrast]) -> str:
        if len(some) < len(self.found):
            return f"{len(some)} of {len(self.found)} other methods"
        return "both other methods" if len(some) == 2 else f"all {len(some)} other methods"

    @property
    def _unit(self) -> str:
        return " points" if self.accuracy else ""

    def _amount(self, contrast: Contrast) -> str:
        """The size of the difference."""
        return self._number(abs(_gap(contrast))) + self._unit

    def _span(self, contrast: Contrast) -> str:
        """The interval of the difference, seen from the better one; without one, differences are all the same."""
        span = contrast.interval
        if contrast.effect is None or span is None or span.low is None or span.high is None:
            return f"the same on all {contrast.pairs} seeds"
        low, high = (span.low, span.high) if span.mean >= 0 else (-span.high, -span.low)
        return f"95 % interval {self._number(low)} … {self._number(high)}"

    def _number(self, value: float, form: str = "") -> str:
        shown = format(100 * value, form or ".2f") if self.accuracy else format(value, form or ".3g")
        return shown.replace("-", "−")


def _gap(contrast: Contrast) -> float:
    return contrast.difference or 0.0


def _are(seeds: int) -> str:
    return "is none" if not seeds else "is 1" if seeds == 1 else f"are {seeds}"


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + ", and " + parts[-1] if len(parts) > 1 else parts[0]
