"""What the outcome of a search says of the search: at a bound, at chance, standing still, ahead by luck."""

from __future__ import annotations

import re
import shlex
from math import sqrt

from gaopt.config import SEARCHES, from_tables
from gaopt.journal.history import History, Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.space.gene import Gene
from gaopt.study.progress import ended

NEAR = 0.01
"""A value so near to an end of its range, as a share of it, lies at that end."""
SURE = 2.0
"""Standard errors that luck seldom exceeds."""


def chance(history: History) -> bool:
    """Whether the best does no better than who looks at no image."""
    best, data, images = history.best, history.data, _images(history)
    if best is None or data is None or not images or not views.is_accuracy(best):
        return False
    guess = data.majority("valid")
    return history.means.get(best.id, best.fitness) <= guess + SURE * sqrt(guess * (1 - guess) / images)


def advice(history: History) -> list[str]:
    """What to do about it, or to make of it; a sentence or two each."""
    return [*([] if chance(history) else _bounds(history)), *_still(history), *_lead(history)]


def _bounds(history: History) -> list[str]:
    best = history.best
    if best is None or from_tables(history.config).strategy not in SEARCHES:
        return []
    ends, tries = [], []
    for name, gene in views.space(history).items():
        if not isinstance(gene, Gene) or name not in best.genes or not (end := _end(gene, best.genes[name])):
            continue
        ends.append(f"{name} ({words.value(best.genes[name])}, the {end}est)")
        if (further := _further(gene, end, best.genes[name])) != getattr(gene, end):
            tries.append(f"--set {_quoted(name, end)}={further:.6g}")
    if not ends:
        return []
    said = f"The best lies at the end of the range of {' and of '.join(ends)}: there may be better beyond."
    return [f"{said} To try: {' '.join(tries)}" if tries else said]


def _end(gene: Gene, value: float) -> str:
    """Which end of its range a value lies at: "low" or "high"; "" for none. Zero is taken for the end of all ranges."""
    unit = gene.unit(value)
    if unit >= 1 - NEAR:
        return "high"
    return "low" if unit <= NEAR and gene.low else ""


def _further(gene: Gene, end: str, value: float) -> float:
    """An end further out: ten times as far, or wider by its width. What is never below 0, or above 1, stays so."""
    low, high = min(gene.low, value), max(gene.high, value)
    if gene.scale == "log":
        found = high * 10 if end == "high" else low / 10
    elif end == "low":
        found = 2 * low - high if low < 0 else max(2 * low - high, 0.0)
    else:
        found = 2 * high - low if low < 0 or high > 1 else min(2 * high - low, (high + 1) / 2)
    if not gene.integer:
        return float(f"{found:.6g}")
    return max(found // 1, 1.0) if gene.scale == "log" else found // 1


def _quoted(name: str, end: str) -> str:
    plain = re.fullmatch(r"[A-Za-z0-9_-]+", name)
    return f"space.{name}.{end}" if plain else shlex.quote(f'space."{name}".{end}')


def _still(history: History) -> list[str]:
    """Whether the last generations found nothing fitter; where a rule has not ended the search for that."""
    first = max(views.first_scores(history), key=lambda i: (i.fitness, -i.id), default=None)
    idle = history.generation - first.generation if first else 0
    if first is None or idle < 2 or ended(history):
        return []
    return [
        f"The last {idle} generations found nothing fitter than i{first.id}: more of them would hardly help."
        f" --set stop.generations={idle} ends a search there."
    ]


def _lead(history: History) -> list[str]:
    """Who may be as good as the best, by what is known of luck."""
    best = history.best
    if best is None:
        return []
    scores = history.means or {i.id: i.fitness for i in views.first_scores(history)}
    reach, luck = _luck(history, best)
    near = [id for id in scores if id != best.id and scores[id] >= scores[best.id] - reach]
    near.sort(key=scores.__getitem__, reverse=True)
    if not near:
        return []
    more = f" and {words.plural(len(near) - 1, 'other')}" if len(near) > 1 else ""
    if all(scores[id] == scores[best.id] for id in near):
        return [f"i{best.id} shares its score with i{near[0]}{more}: nothing here tells which of them is the best."]
    return [f"The lead of i{best.id} is within noise: i{near[0]}{more} scored less than {luck} below it."]


def _luck(history: History, best: Individual) -> tuple[float, str]:
    """How far apart two scores may lie by luck alone, and that in words; 0 where nothing is known of it."""
    repeated = history.repeated
    if best.id in repeated:
        reach = SURE * views.noise(history) * sqrt(2 / min(map(len, repeated.values())))
        return reach, f"{words.score(reach)}, by which such means differ by luck alone,"
    images = _images(history)
    if not images or not views.is_accuracy(best):
        return 0.0, ""
    reach = SURE * sqrt(2 * best.fitness * (1 - best.fitness) / images)
    return reach, f"{100 * reach:.2f} points, by which accuracies on {images} images differ by luck alone,"


def _images(history: History) -> int:
    """Of the validation split; 0 if unknown."""
    return sum(history.data.counts.get("valid", ())) if history.data else 0
