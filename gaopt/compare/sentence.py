"""A comparison in one sentence: what it shows, and what it would take to show more."""

from collections.abc import Sequence
from dataclasses import dataclass

from gaopt.compare.statistics import FEWEST, MOST, POWER, Contrast, seeds_needed


@dataclass(frozen=True)
class _Words:
    accuracy: bool

    def amount(self, value: float, form: str = "") -> str:
        """A difference in its unit: "0.80 points", "0.0031"."""
        said = self._number(value, form)
        return f"{said} point{'s' * (said != '1')}" if self.accuracy else said

    def span(self, contrast: Contrast) -> str:
        """The interval of the difference, seen from the better one; without one, differences are all the same."""
        span, differences = contrast.interval, contrast.differences
        alike = max(differences) - min(differences) <= 1e-6 * (contrast.deviation or 0.0)
        if alike or span is None or span.low is None or span.high is None:
            return f"the same on all {contrast.pairs} seeds"
        low, high = (span.low, span.high) if span.mean >= 0 else (-span.high, -span.low)
        return f"95 % interval {self._number(low)} … {self._number(high)}"

    def _number(self, value: float, form: str = "") -> str:
        shown = format(100 * value, form or ".2f") if self.accuracy else format(value, form or ".3g")
        return shown.replace("-", "−")


def verdict(found: Sequence[Contrast], difference: float, accuracy: bool = False) -> str:
    """One sentence, without a capital and a full stop.

    Of several methods it names one: of those that are beaten the closest, of those that win the best, where nothing is
    claimed the one that is nearest to a claim. The number of seeds is for the best of those that nothing is claimed of.
    Of an `accuracy` differences are told in percentage points.
    """
    if not found:
        return "nothing can be said: there is no other method to compare with"
    most = max(contrast.pairs for contrast in found)
    if most < FEWEST:
        return f"nothing can be said: a claim takes {FEWEST} seeds that both methods have, and there are {most}"
    words, reference = _Words(accuracy), found[0].reference
    won = [contrast for contrast in found if contrast.claimed and _gap(contrast) > 0]
    lost = [contrast for contrast in found if contrast.claimed and _gap(contrast) < 0]
    unclear = [contrast for contrast in found if contrast.p is not None and not contrast.claimed]
    parts = [
        f"{verb} {_many(some, len(found), best)}{named.other} by {words.amount(abs(_gap(named)))} ({words.span(named)})"
        for some, verb, best in ((won, "beats", "closest"), (lost, "loses to", "best"))
        if some and (named := min(some, key=_gap))
    ]
    if parts:
        parts[0] = f"{reference} {parts[0]}"
        if unclear:
            others = unclear[0].other if len(unclear) == 1 else f"{len(unclear)} other methods"
            parts.append(f"no difference to {others} can be shown")
    else:
        near = min(unclear, key=lambda contrast: (contrast.p, contrast.other))
        where = f"{words.amount(abs(_gap(near)))} {'above' if _gap(near) >= 0 else 'below'} {near.other}"
        p = f"p = {near.adjusted:.2g}" + (f" after correction for {len(found)} methods" if len(found) > 1 else "")
        over = f"over {near.pairs} seeds {reference} is {where} ({words.span(near)}; {p})"
        parts = [f"no difference can be shown: {over}"]
    said = ", ".join(parts[:-1]) + ", and " + parts[-1] if len(parts) > 1 else parts[0]
    return "; ".join([said, *_wanted(unclear, difference, len(found), words)])


def _wanted(unclear: Sequence[Contrast], difference: float, family: int, words: _Words) -> list[str]:
    """What it would take to show the difference that is worth it, against the best method that is unclear."""
    if not (varied := [contrast for contrast in unclear if contrast.deviation]):
        return []
    best = min(varied, key=lambda contrast: (_gap(contrast), contrast.other))
    seeds = seeds_needed(best.deviation or 0.0, difference, family)
    one = f"one of {words.amount(difference, 'g')}" + (f" against {best.other}" if family > 1 else "")
    if seeds and seeds <= best.pairs:
        return [f"{one} would have been shown with a probability of at least {100 * POWER:g} %"]
    return [f"to show {one} it would take {f'about {seeds}' if seeds else f'more than {MOST}'} seeds"]


def _gap(contrast: Contrast) -> float:
    return contrast.difference or 0.0


def _many(some: Sequence[Contrast], family: int, best: str) -> str:
    return f"{len(some)} of {family} other methods, the {best} of them " if len(some) > 1 else ""
