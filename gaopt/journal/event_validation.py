"""Whether an event can be true of the study that it is told of: journals are copied, mended by hand and damaged."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from gaopt.errors import StudyError
from gaopt.journal.events import (
    Birth,
    Bred,
    Event,
    Failed,
    Granted,
    Judged,
    Noted,
    Recalled,
    Reported,
    Retried,
    Scored,
    Started,
)

LATEST, LONGEST = 2**37, 2**40
"""Seconds: of a date since 1970 (calendars end with the year 9999), and of a training."""
MOST = 2**31
"""Individuals, epochs of a training, and trainings of the same genes."""


def check(event: Event, born: Collection[int], generation: int) -> None:
    """
    Args:
        born: the ids of the individuals so far.
        generation: the newest one, −1 before the first.

    Raises:
        StudyError: it speaks of who was never born, breaks the order of births and generations, or holds a number that
            nothing can be counted or measured as.
    """
    _within("a time", event.at, 0, LATEST)
    match event:
        case Bred():
            _check_bred(event, born, generation)
        case Granted(individuals, share):
            _check_born(individuals, born)
            _check_share(share)
        case Recalled():
            _check_recalled(event)
        case Started(individual) | Noted(individual):
            _check_born([individual], born)
        case Reported(individual, epoch, metrics, cycle):
            _check_born([individual], born)
            _within("an epoch", epoch, 0, MOST)
            _check_finite([*metrics.values(), *(value for point in cycle for value in point)])
        case Judged(individual, metrics):
            _check_born([individual], born)
            _check_finite(metrics.values())
        case Scored() | Failed() | Retried():
            _check_end(event, born)


def _check_bred(event: Bred, born: Collection[int], generation: int) -> None:
    again = event.generation == generation and not event.survivors and all(b.origin == "repeat" for b in event.births)
    if event.generation != generation + 1 and not again:
        raise StudyError(f"the journal has generation {_short(event.generation)} after generation {generation}")
    _check_born(event.survivors, born)
    ids = [birth.id for birth in event.births]
    if twice := [id for id in ids if id in born or ids.count(id) > 1]:
        raise StudyError(f"the journal bears individual {_short(twice[0])} twice")
    there = {*born, *ids}
    for birth in event.births:
        _within("the number of an individual", birth.id, 0, MOST)
        _check_birth(birth, there)


def _check_birth(birth: Birth, born: Collection[int]) -> None:
    _check_born(birth.parents, born)
    if birth.origin in ("repeat", "retrained") and len(birth.parents) != 1:
        raise StudyError(f"the journal has individual {birth.id} trained again, of {len(birth.parents)} parents: not 1")
    _within("a trial", birth.trial, 0, MOST)
    _check_share(birth.share)
    _check_genes(birth.genes)


def _check_recalled(event: Recalled) -> None:
    if len(event.genes) != len(event.fitness):
        counts = f"{len(event.genes)} individuals and {len(event.fitness)} scores"
        raise StudyError(f"the journal recalls {counts} of the study {event.study[:80]!r}")
    for genes in event.genes:
        _check_genes(genes)
    _check_finite(event.fitness)


def _check_end(event: Scored | Failed | Retried, born: Collection[int]) -> None:
    _check_born([event.individual], born)
    _within("a duration", event.seconds, 0, LONGEST)
    if isinstance(event, Scored):
        _check_share(event.share)
        _check_finite(event.metrics.values())
    if not isinstance(event, Retried):
        _within("a number of epochs", event.epochs, 0, MOST)


def _check_born(individuals: Iterable[int], born: Collection[int]) -> None:
    for individual in individuals:
        if individual not in born:
            raise StudyError(f"the journal speaks of individual {_short(individual)} that was never born")


def _check_share(share: float) -> None:
    if not 0 < share <= 1:
        raise StudyError(f"the journal holds {share} as a share of a training: must be above 0 and at most 1")


def _check_finite(values: Iterable[float]) -> None:
    if not all(map(math.isfinite, values)):
        raise StudyError("the journal holds a metric or a recalled score that is not finite")


def _check_genes(genes: Mapping[str, Any]) -> None:
    for name, value in genes.items():
        if not isinstance(value, bool | int | float | str) or (isinstance(value, float) and not math.isfinite(value)):
            raise StudyError(f"the journal holds {_short(value)} as the gene {name[:80]!r}: must be a value of one")


def _within(what: str, value: float, low: float, high: float) -> None:
    if not low <= value < high:
        raise StudyError(f"the journal holds {_short(value)} as {what}: must be at least {low} and below {high}")


def _short(value: Any) -> str:
    """As it is written, cut: it may be a number of a thousand figures."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
