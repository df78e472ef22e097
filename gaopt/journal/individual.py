"""One individual of a study, and all that is known of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from gaopt.errors import ConfigError, StudyError
from gaopt.journal.events import Birth, Failed, Noted, Reported, Retried, Scored
from gaopt.space.gene import AnyGene, Gene
from gaopt.space.space import Genes

Status = Literal["waiting", "running", "early", "scored", "failed"]


@dataclass
class Individual:
    """One individual and all that is known of it."""

    birth: Birth
    generation: int
    status: Status = "waiting"  # "early" once it is scored on a rung, and unless it is granted more
    share: float = 1.0  # of a whole training, granted last
    early: dict[float, Scored] = field(default_factory=dict)  # its scores on rungs, by the share
    started: float = 0.0
    reports: dict[int, Reported] = field(default_factory=dict)  # of its last training, by epoch
    retried: list[Retried] = field(default_factory=list)  # why it was begun again, each time
    notes: list[Noted] = field(default_factory=list)  # what else is to be known of its trainings
    outcome: Scored | Failed | None = None
    config: Mapping[str, Any] = field(default_factory=dict)  # with which it got its outcome, as plain data

    @property
    def id(self) -> int:
        return self.birth.id

    @property
    def genes(self) -> Genes:
        return self.birth.genes

    @property
    def done(self) -> bool:
        """Whether it has an outcome: a fitness or a failure. One that is early has none."""
        return self.outcome is not None

    @property
    def fitness(self) -> float:
        """Minus infinity unless scored after a whole training, so that all else ranks below every score."""
        found = self.outcome.fitness if isinstance(self.outcome, Scored) else -math.inf
        return found if not math.isnan(found) else -math.inf

    @property
    def failure(self) -> Failed | None:
        return self.outcome if isinstance(self.outcome, Failed) else None

    @property
    def epoch(self) -> int:
        """The last epoch reported, 0 if none."""
        return max(self.reports, default=0)

    @property
    def seconds(self) -> float:
        """Trained in all, rungs included."""
        return sum(score.seconds for score in self.early.values()) + (self.outcome.seconds if self.outcome else 0.0)

    @property
    def epochs(self) -> int:
        """Trained in all, rungs included; of a training that failed also the one that it failed in."""
        before = sum(score.epochs for score in self.early.values())
        if self.outcome and self.outcome.epochs:
            return before + self.outcome.epochs
        return before + (self.epoch if self.status != "early" else 0)


def typed(birth: Birth, space: Mapping[str, AnyGene]) -> Birth:
    """With genes as their types have them: journals up to 0.5.0 hold the whole numbers of integer genes as 4.0."""
    found: Genes = {}
    for name, value in birth.genes.items():
        gene = space.get(name)
        if gene is None or (type(value) is float and isinstance(gene, Gene) and not gene.integer):
            continue  # nearly all of them, and of 10,000 individuals a check takes a tenth of a second
        try:
            found[name] = gene.check(value)
        except ConfigError as error:
            raise StudyError(f"the journal has individual {birth.id} with the gene {name!r}, which {error}") from None
    return replace(birth, genes=birth.genes | found) if found else birth
