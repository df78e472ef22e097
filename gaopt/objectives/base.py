"""What scores an individual: a function of a task, found by its name."""

import importlib
import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from gaopt.config import OWN_TABLES, StudyConfig
from gaopt.config.source_digest import MAIN, here, made_of
from gaopt.errors import ConfigError, nearest
from gaopt.printable import shown
from gaopt.space.space import Genes

Cycle = Sequence[tuple[float, float, float]]


@dataclass(frozen=True)
class Score:
    """How an individual did."""

    # Higher is better, except in a study that minimizes. If it is not finite, the individual fails as "diverged".
    fitness: float
    metrics: Mapping[str, float] = field(default_factory=dict)  # what else is worth knowing, by name
    epochs: int = 0  # epochs trained, for the cost; 0 for as many as were reported, and at least one
    seconds: float = 0.0  # time spent; 0 lets the pool measure it


class Report(Protocol):
    """What an objective calls after each epoch. Raises `Cancelled` when nobody waits any more."""

    def __call__(self, epoch: int, metrics: Mapping[str, float], cycle: Cycle = ()) -> None: ...

    def note(self, message: str) -> None:
        """What whoever reads of this training should know."""


@dataclass(frozen=True)
class Task:
    """One individual, ready to be trained anywhere."""

    study: str  # the study's name, for people
    individual: int
    generation: int
    genes: Genes
    seed: int  # for every random number of the training
    settings: Mapping[str, Any]  # the objective's tables of the config
    folder: Path  # the individual's own folder, kept while it may be needed; on a cluster every node must see it
    home: Path  # the study's folder
    threads: int = 1  # CPU threads to use
    share: float = 1.0  # of a whole training; on a rung less than 1, a complete training of its own, only shorter
    minimize: bool = False  # what the objective gives is a loss: the fitness is minus that
    judge: bool = False  # measure the trained individual on the test split instead of training it
    keep_from: float = -math.inf  # the fitness from which on its model may be the study's best: below it none is kept
    shared: Any = None  # what the objective prepared once for all tasks (read only)

    @property
    def name(self) -> str:
        """What the Ray dashboard shows: "g2 i13 lr=0.003 wd=0.01 mom=0.85"."""
        genes = " ".join(f"{name}={value}" for name, value in shown(self.genes).items())
        return f"g{self.generation} i{self.individual} {'test ' if self.judge else ''}{genes}"


@runtime_checkable
class Objective(Protocol):
    """A function from a task to a score, with what belongs to it. `resolve` makes one of a plain function.

    `shared` is what `prepare` made. More methods are called where there are any: `data(shared)`, a `Data` for a
    report; `doubts(config)`, sentences for the user on values that learn nothing; `keeps(home, individual)`, whether
    what judging left in the study's folder is still whole; `load_libraries()`, in the workers while the study is being
    prepared, to import what takes seconds; `default(config)`, by gene the value that it has without a search, None or
    one that it cannot have where there is none.
    """

    judges: bool  # whether the best individual is measured on a test split at the end, by a task with judge=True

    def __call__(self, task: Task, report: Report) -> Score | float:
        """Train and score. Any exception makes the individual fail with its message."""

    def check(self, config: StudyConfig) -> StudyConfig:
        """The config with the objective's tables checked and complete; a BadInput where they are wrong."""

    def prepare(self, config: StudyConfig) -> Any:
        """What every task needs, made once: it goes into Ray's object store. With Ray it runs in a thread."""

    def seconds(self, config: StudyConfig, shared: Any) -> float | None:
        """An estimate of how long one training takes on this machine; None when it cannot be told."""

    def made_of(self, shared: Any) -> dict[str, str]:
        """What besides the config decides what a training gives, by name: digests of code and data, versions."""


@dataclass(frozen=True)
class Baseline:
    """A setting without a search."""

    title: str  # what it is, in a few words
    configured: Callable[[], StudyConfig]  # the config of a study that trains it again and again


@runtime_checkable
class Comparable(Protocol):
    """An objective that comparisons can judge by a test split."""

    def epochs(self, config: StudyConfig) -> int:
        """Of a whole training."""

    def baselines(self, config: StudyConfig, shared: Any, step: Callable[[], object]) -> Mapping[str, Baseline]:
        """Trainings without a search to compare every search with, by name; an exception from `step` is raised."""

    def joined(self, shared: Any) -> Any:
        """What finals are trained on: the training and the validation images together."""

    def final(self, task: Task, report: Report) -> Score:
        """Train on what is joined; the fitness is measured on the test split, once."""


@runtime_checkable
class Finishable(Comparable, Protocol):
    """An objective whose best setting can be trained again for use."""

    def finish(self, task: Task, report: Report) -> Score:
        """As `final`; the model is kept as that of an individual of the study (`StudyDir.model`)."""

    def ensemble(self, models: Sequence[Path]) -> Mapping[str, float]:
        """How the mean of what models give does on the test split, by measure; each model by its folder."""


def epochs(config: StudyConfig) -> int:
    """Of a whole training; those that a user's function has as its attribute `epochs`, or 1."""
    objective = resolve(config.objective)
    if isinstance(objective, Comparable):
        return objective.epochs(config)
    return int(getattr(objective.function, "epochs", 1)) if isinstance(objective, Plain) else 1


def default(config: StudyConfig) -> Mapping[str, Any] | None:
    """The values that the genes have without a search; None where the objective knows none."""
    own = getattr(resolve(config.objective), "default", None)
    return own(config) if own else None


@dataclass(frozen=True)
class Plain:
    """A user's function as an `Objective`: of a task and a report, or of the genes alone."""

    function: Callable[..., Score | float]
    judges: bool = False

    def __call__(self, task: Task, report: Report) -> Score | float:
        return self.function(dict(task.genes)) if takes_genes(self.function) else self.function(task, report)

    def check(self, config: StudyConfig) -> StudyConfig:
        for table in config.settings:
            if table != "settings":
                raise ConfigError(f"unknown table [{table}]: {nearest(table, [*OWN_TABLES, 'settings'])}")
        with suppress(ValueError):  # its signature cannot be read
            try:
                inspect.signature(self.function).bind(*[None] * (1 if takes_genes(self.function) else 2))
            except TypeError as error:
                given = "the genes alone, or a task and a report"
                raise ConfigError(f"the objective {config.called!r} cannot be called with {given}: {error}") from None
        return config

    def prepare(self, config: StudyConfig) -> None:
        return None

    def seconds(self, config: StudyConfig, shared: Any) -> None:
        return None

    def made_of(self, shared: Any) -> dict[str, str]:
        return made_of(self.function)


def takes_genes(function: Callable[..., Any]) -> bool:
    """Whether a function is called with the genes: it has one required argument, and none called `report`.

    False where its signature cannot be read.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters.values() if p.kind in kinds and p.default is p.empty]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
    return len(required) == 1 and not variadic and "report" not in parameters


MOVED = {"gaopt.objectives.image.variants:objective": "gaopt.papers.variants:objective"}
"""Objectives that journals and configs may name where an earlier version had them."""


def resolve(objective: str | Callable[..., Any]) -> Objective:
    """A function as an objective, or the one called "package.module:function", looked for in the current folder too."""
    found = _found(objective) if isinstance(objective, str) else objective
    if not callable(found) or isinstance(found, type):
        raise ConfigError(f"the objective {objective!r} must be a function, and is of type {type(found).__name__}")
    return found if isinstance(found, Objective) else cast("Objective", Plain(found))


def _found(name: str) -> Any:
    module_name, colon, attribute = MOVED.get(name, name).partition(":")
    if not colon or not module_name or not attribute:
        raise ConfigError(f"the objective is {name!r}: must be 'package.module:function'")
    if (folder := here()) not in sys.path:
        sys.path.append(folder)
    if "<" in attribute or (module_name == MAIN and not hasattr(sys.modules[MAIN], attribute)):
        raise ConfigError(
            f"the objective {name!r} is a function of a program: call gaopt.search or gaopt.run there again to go on"
        )
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever a user's module does when it is imported
        raise ConfigError(f"the objective {name!r} cannot be imported: {type(error).__name__}: {error}") from error
    if not hasattr(module, attribute):
        raise ConfigError(f"the module {module_name} has no {attribute!r}: {nearest(attribute, vars(module))}")
    return getattr(module, attribute)
