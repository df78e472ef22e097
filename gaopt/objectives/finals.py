"""The winners of searches trained again: the objective of the finals of a comparison.

Each individual is one winner, by its number in the table `[[finals.winners]]`. It is trained with a seed that no search
has seen. Where the objective of the searches has a test split, on training and validation images together, and its
fitness is what the test split says, which it reads once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gaopt.config import StudyConfig, from_tables, parse
from gaopt.config.parsing import table
from gaopt.config.tables import text_of
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Comparable, Finishable, Report, Score, Task, resolve
from gaopt.space.gene import Choice
from gaopt.space.space import Space

NAME = "gaopt.objectives.finals:objective"
KEPT = "gaopt.objectives.finals:kept"  # the same, and the models are kept
GENE = "winner"


@dataclass(frozen=True)
class Winner:
    """The best individual of a search, with that search's method, seed and objective's tables."""

    method: str
    seed: int
    genes: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finals:
    keeps_models: bool = False
    judges = False

    def __call__(self, task: Task, report: Report) -> Score:
        winner = winners(task.settings)[int(task.genes[GENE])]
        base = resolve(_base(task.settings).objective)
        again = replace(task, genes=dict(winner.genes), settings=winner.settings, shared=task.shared[0])
        if self.keeps_models and isinstance(base, Finishable):
            return base.finish(again, report)
        found = base.final(again, report) if isinstance(base, Comparable) else base(again, report)
        return found if isinstance(found, Score) else Score(found)

    def check(self, config: StudyConfig) -> StudyConfig:
        """Also the config of the searches is made complete: an earlier version may have written it, with fewer keys."""
        winners(config.settings)
        base = _base(config.settings)
        whole = resolve(base.objective).check(base).plain()
        return replace(config, settings={"finals": {**config.settings["finals"], "base": whole}})

    def prepare(self, config: StudyConfig) -> tuple[Any, dict[str, str]]:
        """What finals are trained on; and what `made_of` says of the searches' trainings, before data were joined."""
        base = _base(config.settings)
        objective = resolve(base.objective)
        shared = objective.prepare(objective.check(base))
        joined = objective.joined(shared) if isinstance(objective, Comparable) else shared
        return joined, objective.made_of(shared)

    def seconds(self, config: StudyConfig, shared: Any) -> None:
        return None

    def made_of(self, shared: tuple[Any, dict[str, str]]) -> dict[str, str]:
        """The same as the searches, so that all journals of a comparison can be held against each other."""
        return shared[1]


objective = Finals()
kept = Finals(keeps_models=True)


def configured(base: StudyConfig, chosen: list[Winner], repeats: int, seed: int, objective: str = NAME) -> StudyConfig:
    """The study that trains winners again, each `repeats` times; `base` is the config of the searches."""
    rows = [{"method": w.method, "seed": w.seed, "genes": dict(w.genes), "settings": w.settings} for w in chosen]
    return StudyConfig(
        space=Space(**{GENE: Choice(tuple(range(len(rows))))}),
        objective=objective,
        strategy="grid",
        seed=seed,
        grid=replace(base.grid, repeats=repeats),
        pool=base.pool,
        faults=replace(base.faults, max_alike_failures=0),  # one winner that fails keeps no other from its score
        settings={"finals": {"base": base.plain(), "winners": rows}},
    )


def winners(tables: Mapping[str, Any]) -> list[Winner]:
    """The winners in the tables of a config; a ConfigError where there are none, or one cannot be read."""
    rows = table(tables, "finals").get("winners", [])
    if not rows or not isinstance(rows, list | tuple):
        raise ConfigError(f"finals.winners is {rows!r}: must be an array of tables, one or more")
    return [parse(Winner, row, f"finals.winners[{number}]") for number, row in enumerate(rows)]


def _base(tables: Mapping[str, Any]) -> StudyConfig:
    return from_tables(tables["finals"]["base"])


@dataclass(frozen=True)
class Finished:
    """What came of training the best setting of a study again, for use."""

    individual: int  # the best of the study
    models: tuple[int, ...]  # the individuals whose models there are, in the order of their seeds
    metric: str  # what the study calls fitness
    scores: tuple[float, ...]  # that of these models on the test split
    ensemble: float | None = None  # that of the mean of what they give, where that is what is used

    @property
    def used(self) -> tuple[int, ...]:
        """The models that are used: all, or the first. The best one would be chosen by the test images."""
        return self.models if self.ensemble is not None else self.models[:1]

    @property
    def title(self) -> str:
        """What is used, in words."""
        if self.ensemble is not None:
            return f"the ensemble of {len(self.models)} trainings on training and validation images"
        which = f"the first of {len(self.models)} trainings" if self.models[1:] else "one training"
        return f"{which} on training and validation images"


def finished(home: StudyDir, best: int) -> Finished | None:
    """What finishing a study came to; None where it was not, or another individual was the best then.

    Raises:
        StudyError: it cannot be read.
    """
    if not home.final.finished.is_file():
        return None
    try:
        found = parse(Finished, json.loads(text_of(home.final.finished)), "finished")
    except (OSError, ValueError, ConfigError) as error:
        raise StudyError(f"{home.final.finished} cannot be read: remove it ({error})") from None
    return found if found.individual == best and found.models else None
