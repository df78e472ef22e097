"""What a run of a study needs before its first training: checked once, for run, resume, compare and dry runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean
from typing import Any

from gaopt.config import SEARCHES, StudyConfig, check_unused_keys, from_tables
from gaopt.config.tables import overridden
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.events import Recalled
from gaopt.journal.history import History, Individual
from gaopt.journal.journal import Journal
from gaopt.journal.lock import check_free
from gaopt.journal.paths import StudyDir
from gaopt.journal.studies import find_study
from gaopt.objectives.base import Objective, Plain, resolve
from gaopt.strategies.base import Strategy
from gaopt.strategies.registry import strategy
from gaopt.study.resume_check import begun_with, changes


@dataclass(frozen=True)
class Ready:
    """A checked config, and what was made of it.

    Attributes:
        config: with all that the objective fills in.
        objective: what scores an individual.
        search: the strategy.
    """

    config: StudyConfig
    objective: Objective
    search: Strategy

    @cached_property
    def recalled(self) -> tuple[Recalled, ...]:
        """See `recalled`."""
        return recalled(self.config)

    @cached_property
    def shared(self) -> Any:
        """What the objective prepares for all trainings, data sets say; loaded when it is first asked for."""
        return self.objective.prepare(self.config)


def prepare(config: StudyConfig) -> Ready:
    """Check a config, whoever made it.

    Raises:
        ConfigError: it cannot be used.
    """
    if not isinstance(config, StudyConfig):
        raise ConfigError(f"the config is {config!r}: must be a StudyConfig, as gaopt.load returns one")
    objective = resolve(config.objective)
    config = objective.check(config.read_back()).read_back()
    if config.minimize and not isinstance(objective, Plain):
        raise ConfigError(f"study.minimize is true with the objective {config.called!r}, whose fitness is no loss")
    return Ready(config, objective, strategy(config))


def prepare_new(config: StudyConfig) -> Ready:
    """The same for a study that is to begin: also what nobody would read is refused, and a study that is not there.

    Raises:
        BadInput: it cannot be used.
    """
    ready = prepare(config)
    check_unused_keys(ready.config)
    _ = ready.recalled
    return ready


def resumed(
    home: StudyDir, overrides: Sequence[str] = (), allow_changed: bool = False, objective: str | Callable[..., Any] = ""
) -> StudyConfig:
    """The config that a study was last opened with, changed in what may be changed.

    Args:
        allow_changed: let also that change by which individuals are trained.
        objective: the function, where it cannot be found by its name.

    Raises:
        BadInput: the journal is empty or cannot be read, a link leads out of the study, another driver holds it, or it
            cannot go on with these overrides.
    """
    home.check_links()
    check_free(home.path)  # before data are loaded and Ray is started, in vain
    history = History(Journal(home.journal))
    if not history.config:
        raise StudyError(f"the study {home.name!r} has an empty journal: remove {home.path} and start again")
    config = from_tables(overridden(begun_with(home, history, allow_changed), overrides))
    config = replace(config, objective=objective or config.objective)
    changes(history, config, allowed=allow_changed)
    return config


def recalled(config: StudyConfig) -> tuple[Recalled, ...]:
    """What the studies found with which this one starts warm.

    Raises:
        StudyError: one of them is not there, or cannot be read.
    """
    return tuple(map(_recalled, config.warm.studies if config.strategy in SEARCHES else ()))


def _recalled(study: str) -> Recalled:
    home = find_study(study)
    with Journal(home.journal) as journal:
        scores: dict[str, list[Individual]] = {}
        for individual in History(journal).scored:
            scores.setdefault(repr(individual.genes), []).append(individual)
    genes = tuple(trials[0].genes for trials in scores.values())
    return Recalled(home.name, genes, tuple(fmean(i.fitness for i in trials) for trials in scores.values()))
