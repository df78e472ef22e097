"""The state of a study, folded from its events. Read it; only `add` changes it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from gaopt.errors import StudyError
from gaopt.events import Birth, Bred, Closed, Event, Failed, Judged, Opened, Reported, Scored, Started
from gaopt.space import Genes

Status = Literal["waiting", "running", "scored", "failed"]


@dataclass
class Individual:
    """One individual and all that is known of it."""

    birth: Birth
    generation: int
    status: Status = "waiting"
    started: float = 0.0
    reports: dict[int, Reported] = field(default_factory=dict)
    outcome: Scored | Failed | None = None

    @property
    def id(self) -> int:
        return self.birth.id

    @property
    def genes(self) -> Genes:
        return self.birth.genes

    @property
    def done(self) -> bool:
        return self.outcome is not None

    @property
    def fitness(self) -> float:
        """Minus infinity unless scored, so that a failure ranks below every score."""
        return self.outcome.fitness if isinstance(self.outcome, Scored) else -math.inf

    @property
    def failure(self) -> Failed | None:
        return self.outcome if isinstance(self.outcome, Failed) else None

    @property
    def epoch(self) -> int:
        """The last epoch reported, 0 if none."""
        return max(self.reports, default=0)

    @property
    def seconds(self) -> float:
        return self.outcome.seconds if self.outcome else 0.0


class History:
    """What has happened so far.

    Attributes:
        opened: the latest `Opened`; None in an empty journal.
        individuals: by id, in order of birth.
        populations: for each generation the ids in it, survivors first.
        judged: the latest `Judged` of each individual.
        closed: the latest `Closed`, None while (or if) a driver holds the study without having put it down.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.opened: Opened | None = None
        self.created: float = 0.0
        self.updated: float = 0.0
        self.individuals: dict[int, Individual] = {}
        self.populations: list[tuple[int, ...]] = []
        self.judged: dict[int, Judged] = {}
        self.closed: Closed | None = None
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """
        Raises:
            StudyError: the event does not follow from those before it.
        """
        try:
            self._add(event)
        except KeyError as error:
            raise StudyError(f"the journal speaks of individual {error} that was never born") from None

    def _add(self, event: Event) -> None:
        self.updated = event.at
        match event:
            case Opened():
                self._open(event)
            case Bred():
                self._breed(event)
            case Started(individual):
                self.individuals[individual].status = "running"
                self.individuals[individual].started = event.at
            case Reported(individual, epoch):
                # After a resume an epoch can come again; the later report is the one that counts.
                self.individuals[individual].reports[epoch] = event
            case Scored(individual):
                self._end(individual, event, "scored")
            case Failed(individual):
                self._end(individual, event, "failed")
            case Judged(individual):
                self.judged[individual] = event
            case Closed():
                self.closed = event

    def _open(self, event: Opened) -> None:
        self.created = self.created or event.at
        self.opened, self.closed = event, None
        for individual in self.individuals.values():
            if individual.status == "running":  # its task died with the driver that started it
                individual.status = "waiting"

    def _breed(self, event: Bred) -> None:
        for birth in event.births:
            if birth.id in self.individuals:
                raise StudyError(f"the journal bears individual {birth.id} twice")
            self.individuals[birth.id] = Individual(birth, event.generation)
        self.populations.append(event.survivors + tuple(birth.id for birth in event.births))

    def _end(self, id: int, event: Scored | Failed, status: Status) -> None:
        self.individuals[id].outcome, self.individuals[id].status = event, status

    @property
    def config(self) -> dict[str, Any]:
        """The config in force, as plain data; empty before the first `Opened`."""
        return self.opened.config if self.opened else {}

    @property
    def generation(self) -> int:
        """The newest generation, −1 before the first."""
        return len(self.populations) - 1

    @property
    def population(self) -> list[Individual]:
        """The newest generation's individuals, survivors first."""
        return self.members(self.generation) if self.populations else []

    def members(self, generation: int) -> list[Individual]:
        return [self.individuals[id] for id in self.populations[generation]]

    @property
    def waiting(self) -> list[Individual]:
        return [i for i in self.individuals.values() if i.status == "waiting"]

    @property
    def running(self) -> list[Individual]:
        return [i for i in self.individuals.values() if i.status == "running"]

    @property
    def unfinished(self) -> list[Individual]:
        return [i for i in self.individuals.values() if not i.done]

    @property
    def scored(self) -> list[Individual]:
        return [i for i in self.individuals.values() if i.status == "scored"]

    @property
    def failed(self) -> list[Individual]:
        return [i for i in self.individuals.values() if i.status == "failed"]

    @property
    def best(self) -> Individual | None:
        """The fittest; of equals the oldest. None while nothing is scored."""
        return max(self.scored, key=lambda individual: (individual.fitness, -individual.id), default=None)
