"""What became of studies, read off their journals."""

from __future__ import annotations

from collections.abc import Iterable

from gaopt.journal.events import Bred, Failed, Scored
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.report.tables import individuals


def table(home: StudyDir, *without: str) -> str:
    """individuals.csv without what a clock decides, and without more columns."""
    return individuals(History(Journal(home.journal))).drop(columns=["seconds", *without]).to_csv(index=False)


def ends(home: StudyDir) -> list[int]:
    """The individuals whose training has ended, as often as the journal says so."""
    return [event.individual for event in Journal(home.journal) if isinstance(event, Scored | Failed)]


def born(home: StudyDir) -> list[int]:
    return [birth.id for event in Journal(home.journal) if isinstance(event, Bred) for birth in event.births]


def lost(home: StudyDir, seen: Iterable[int]) -> int:
    """Finished trainings that a fault has cost: those seen to end that no journal knows, and those made again.

    Args:
        seen: the individuals whose training somebody saw finished, as often as it was.
    """
    known = list(seen)
    return len(set(known) - set(ends(home))) + len(known) - len(set(known)) + trained_twice(home)


def trained_twice(home: StudyDir) -> int:
    """How often a training that was finished was made again."""
    ended = ends(home)
    return len(ended) - len(set(ended))
