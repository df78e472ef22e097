"""The state of a study, folded from its events. Read it; only `add` changes it."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from gaopt.config import genes_of
from gaopt.journal.event_validation import check_follows
from gaopt.journal.events import (
    Bred,
    Closed,
    Data,
    Event,
    Failed,
    Granted,
    Judged,
    Noted,
    Opened,
    Recalled,
    Reported,
    Retried,
    Scored,
    Started,
)
from gaopt.journal.individual import Individual, typed
from gaopt.space.gene import AnyGene

__all__ = ["History", "Individual"]


class History:
    """What has happened so far.

    Attributes:
        opened: the latest `Opened`; None in an empty journal.
        untouched: whether nothing was done since it was opened last; its driver may have been killed at once.
        made_of: of which its trainings are made, as the latest `Opened` says that says so.
        data: the images, as the latest `Opened` says that says so; None where the objective has none.
        openings: every `Opened`, and how many trainings had ended by then.
        individuals: by id, in order of birth.
        populations: for each generation the ids in it, survivors first.
        ranked: the scored individuals, the fittest first, of equals the oldest; without the repeats of finalists.
        repeats: the trainings of finalists again.
        recalled: what earlier studies found.
        judged: the latest `Judged` of each individual, the newest last.
        elapsed: seconds in which drivers were at work. A clock that was set back takes none away.
        pauses: (from, to) between two sittings, in which none was.
        ends: trainings that have ended, each with its share of a whole one, in the order of writing.
        sign: −1 where what the objective gives is a loss, of which a fitness is the negative; else 1.
        closed: the latest `Closed`, None while (or if) a driver holds the study without having put it down.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.opened: Opened | None = None
        self.untouched = False
        self.made_of: dict[str, str] = {}
        self.data: Data | None = None
        self.openings: list[tuple[Opened, int]] = []
        self.created = self.updated = self.elapsed = 0.0
        self.individuals: dict[int, Individual] = {}
        self.populations: list[tuple[int, ...]] = []
        self.ranked: list[Individual] = []
        self._ranks: list[tuple[float, int]] = []
        self._unfinished: dict[int, Individual] = {}
        self.repeats: list[Individual] = []
        self.recalled: list[Recalled] = []
        self.judged: dict[int, Judged] = {}
        self.pauses: list[tuple[float, float]] = []
        self.ends: list[tuple[float, Scored | Failed]] = []
        self._opened_at = 0.0  # of the seconds that have passed
        self.closed: Closed | None = None
        self.sign: int = 1
        self._space: Mapping[str, AnyGene] = {}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Take the next event in.

        Raises:
            StudyError: the event does not follow from those before it.
            ConfigError: the config that the study was opened with has no space that can be read.
        """
        check_follows(event, self.individuals, self.generation)
        if self.opened and isinstance(event, Opened):  # before one nobody was at work
            self.pauses.append((self.updated, max(self.updated, event.at)))
        elif self.opened:
            self.elapsed += max(0.0, event.at - self.updated)
        self.updated = event.at
        self.untouched = isinstance(event, Opened) or (self.untouched and not _done(event))
        match event:
            case Opened():
                self._open(event)
            case Recalled():
                self.recalled.append(event)
            case Bred():
                self._breed(event)
            case Granted(individuals, share):
                for id in individuals:
                    self._grant(self.individuals[id], share)
            case Started(individual):
                self._start(self.individuals[individual], event)
            case Reported(individual, epoch):
                # After a resume an epoch can come again; the later report is the one that counts.
                self.individuals[individual].reports[epoch] = event
            case Noted(individual):
                self.individuals[individual].notes.append(event)
            case Retried(individual):
                self._retry(self.individuals[individual], event)
            case Scored(individual):
                self._score(self.individuals[individual], event)
            case Failed(individual):
                self._fail(self.individuals[individual], event)
            case Judged(individual):
                self.judged.pop(individual, None)
                self.judged[individual] = event
            case Closed():
                self.closed = event
                self.put_down()

    def _open(self, event: Opened) -> None:
        self.created = self.created or event.at
        self.opened, self.closed = event, None
        self._space = genes_of(event.config) if event.config else {}
        study = event.config.get("study")
        self.sign = -1 if isinstance(study, Mapping) and study.get("minimize") is True else 1
        self.made_of = event.made_of or self.made_of
        self.data = event.data or self.data
        self.openings.append((event, len(self.ends)))
        self._opened_at = self.elapsed
        self.put_down()

    def put_down(self) -> None:
        """No driver holds the study: what was being trained died with the last one, and will be trained again."""
        for individual in self.running:
            individual.status = "waiting"

    def _breed(self, event: Bred) -> None:
        for birth in event.births:
            individual = Individual(typed(birth, self._space), event.generation, share=birth.share)
            self.individuals[birth.id] = self._unfinished[birth.id] = individual
            if birth.origin == "repeat":
                self.repeats.append(individual)
        if event.generation > self.generation:
            self.populations.append(event.survivors)
        # Finalists that are trained again belong to no population.
        self.populations[-1] += tuple(birth.id for birth in event.births if birth.origin != "repeat")

    @staticmethod
    def _start(individual: Individual, event: Started) -> None:
        individual.status, individual.started = "running", event.at
        individual.reports.clear()  # those before its checkpoint come again

    def _grant(self, individual: Individual, share: float) -> None:
        self._unfinished[individual.id] = individual
        individual.share, individual.status = share, "waiting"
        individual.reports.clear()  # they are those of a shorter training

    @staticmethod
    def _retry(individual: Individual, event: Retried) -> None:
        individual.status = "waiting"
        individual.retried.append(event)
        individual.reports.clear()  # those before its checkpoint come again

    def _fail(self, individual: Individual, event: Failed) -> None:
        self._end(individual)
        individual.outcome, individual.status, individual.config = event, "failed", self.config
        self.ends.append((individual.share, event))

    def _score(self, individual: Individual, event: Scored) -> None:
        self._end(individual)
        individual.share = min(individual.share, event.share)
        self.ends.append((individual.share, event))
        if individual.share < 1:
            individual.early[individual.share], individual.status = event, "early"
        else:
            individual.outcome, individual.status, individual.config = event, "scored", self.config
            if individual.birth.origin != "repeat":
                rank = -individual.fitness, individual.id
                place = bisect(self._ranks, rank)
                self._ranks.insert(place, rank)
                self.ranked.insert(place, individual)

    def _end(self, individual: Individual) -> None:
        self._unfinished.pop(individual.id, None)
        if individual.outcome:  # a journal that was mended by hand: the later outcome counts
            self.ranked = [other for other in self.ranked if other is not individual]
            self._ranks = [(-other.fitness, other.id) for other in self.ranked]

    @property
    def lately(self) -> tuple[float, list[tuple[float, Scored | Failed]]]:
        """The seconds since the study was opened last, and the trainings that have ended in them."""
        return self.elapsed - self._opened_at, self.ends[self.openings[-1][1] :] if self.openings else self.ends

    @property
    def finished(self) -> bool:
        """Whether it was put down because nothing was left to do."""
        return self.closed is not None and self.closed.reason == "finished"

    @property
    def config(self) -> dict[str, Any]:
        """The config in force, as plain data; empty before the first `Opened`."""
        return self.opened.config if self.opened else {}

    @property
    def generation(self) -> int:
        """The newest generation, −1 before the first."""
        return len(self.populations) - 1

    @property
    def born(self) -> int:
        """How many individuals the search has bred: without the repeats of finalists."""
        return len(self.individuals) - len(self.repeats)

    @property
    def searched(self) -> list[Individual]:
        """All individuals by id, without the repeats of finalists, so that a search decides after these as before."""
        return [i for i in self.individuals.values() if i.birth.origin != "repeat"]

    @property
    def population(self) -> list[Individual]:
        """The newest generation's individuals, survivors first."""
        return self.members(self.generation) if self.populations else []

    def members(self, generation: int) -> list[Individual]:
        return [self.individuals[id] for id in self.populations[generation]]

    @property
    def waiting(self) -> list[Individual]:
        return [i for i in self.unfinished if i.status == "waiting"]

    @property
    def running(self) -> list[Individual]:
        return [i for i in self.unfinished if i.status == "running"]

    @property
    def unfinished(self) -> list[Individual]:
        return sorted(self._unfinished.values(), key=lambda i: i.id)

    @property
    def scored(self) -> list[Individual]:
        return [i for i in self.individuals.values() if i.status == "scored"]

    @property
    def failed(self) -> list[Individual]:
        return [i for i in self.individuals.values() if i.status == "failed"]

    @property
    def early(self) -> list[Individual]:
        return [i for i in self.individuals.values() if i.status == "early"]

    @property
    def best(self) -> Individual | None:
        """The fittest; of equals the oldest. None while nothing is scored.

        Once all finalists were trained again, and until the search goes on, the one of them with the best mean; one
        that failed again comes after those that never did.
        """
        means = self.means if self._settled else {}
        fell = {i.birth.parents[0] for i in self.repeats if i.status == "failed"}
        found = max(means, key=lambda finalist: (finalist not in fell, means[finalist], -finalist), default=None)
        if found is not None:
            return self.individuals[found]
        return self.ranked[0] if self.ranked else None

    @property
    def _settled(self) -> bool:
        """Whether the last trainings were those of finalists, and all are there."""
        last = next(reversed(self.individuals.values()), None)
        return last is not None and last.birth.origin == "repeat" and not self._unfinished

    @property
    def repeated(self) -> dict[int, list[Individual]]:
        """The scored trainings of each finalist that was trained again, its first one first; by the finalist's id."""
        found: dict[int, list[Individual]] = {}
        for individual in self.repeats:
            if individual.status == "scored":
                first = individual.birth.parents[0]
                found.setdefault(first, [self.individuals[first]]).append(individual)
        return found

    @property
    def means(self) -> dict[int, float]:
        """The mean fitness of each finalist that was trained again, by its id."""
        return {id: fmean(trial.fitness for trial in trials) for id, trials in self.repeated.items()}


def _done(event: Event) -> bool:
    """Whether a driver that wrote this had its config written down before."""
    return event.reason == "finished" if isinstance(event, Closed) else not isinstance(event, Recalled)
