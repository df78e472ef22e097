"""Whether an event can follow those before it: journals are copied, mended by hand and damaged."""

from collections.abc import Collection, Iterable

from gaopt.errors import StudyError
from gaopt.journal.events import Bred, Closed, Event, Granted, Opened, Recalled


def check_follows(event: Event, born: Collection[int], generation: int) -> None:
    """Refuse an event that cannot follow those before it, by a StudyError.

    `born` are the individuals so far, `generation` is the newest one, −1 before the first.
    """
    match event:
        case Opened() | Closed():
            pass
        case Recalled(study, genes, fitness):
            if len(genes) != len(fitness):
                counts = f"{len(genes)} individuals and {len(fitness)} scores"
                raise StudyError(f"the journal recalls {counts} of the study {study[:80]!r}")
        case Bred():
            _check_bred(event, born, generation)
        case Granted(individuals):
            _check_born(individuals, born)
        case _:
            _check_born([event.individual], born)


def _check_bred(event: Bred, born: Collection[int], generation: int) -> None:
    more = event.generation == generation >= 0 and not event.survivors
    if event.generation != generation + 1 and not more:
        raise StudyError(f"the journal has generation {event.generation!r:.40} after generation {generation}")
    _check_born(event.survivors, born)
    ids = set[int]()
    for birth in event.births:
        if birth.id in born or birth.id in ids:
            raise StudyError(f"the journal bears individual {birth.id} twice")
        ids.add(birth.id)
    for birth in event.births:
        _check_born((parent for parent in birth.parents if parent not in ids), born)
        if birth.origin in ("repeat", "retrained") and len(birth.parents) != 1:
            raise StudyError(f"the journal has individual {birth.id} trained again, of {len(birth.parents)} parents")


def _check_born(individuals: Iterable[int], born: Collection[int]) -> None:
    for individual in individuals:
        if individual not in born:
            raise StudyError(f"the journal speaks of individual {individual!r:.40} that was never born")
