"""The searches that are compared, by name: ours, chance, and Optuna's, as anybody would call them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol

from gaopt.config import Assisted, Genetic, StudyConfig
from gaopt.errors import BadInput, nearest
from gaopt.journal.events import Bred, Failed, Granted, Scored
from gaopt.journal.history import History
from gaopt.search.base import Strategy, keyed
from gaopt.search.genetic import GeneticSearch
from gaopt.search.optuna import kind, quiet, sampler
from gaopt.search.surrogate.assisted import AssistedSearch
from gaopt.space.space import Genes, Space


@dataclass(frozen=True)
class Setting:
    """What a search is told.

    Attributes:
        epochs: of a full training.
        evaluations: full trainings that may be paid for.
        together: how many are trained at once.
        noisy: whether the same genes trained twice may score differently.
    """

    space: Space
    epochs: int
    evaluations: int
    together: int
    seed: int
    noisy: bool = False


@dataclass(frozen=True)
class Trial:
    """What is to be trained, and for how many epochs."""

    genes: Genes
    epochs: int


class Search(Protocol):
    """A search of one problem, made for a `Setting`."""

    def ask(self) -> Sequence[Trial]:
        """What to train next; nothing when the search is over."""

    def tell(self, scores: Sequence[float]) -> None:
        """The scores of the trials asked for last, in their order; nan for a failure."""

    def recommended(self) -> Genes | None:
        """The genes that it holds for the best; None for those of the best score seen at full length."""


FIRST = 10
"""Individuals in the first generation of ours; the peers draw as many at random, or one, before they think."""


class Chance:
    """Genes at random."""

    def __init__(self, setting: Setting) -> None:
        self._setting, self._rng = setting, keyed(setting.seed)

    def ask(self) -> list[Trial]:
        setting = self._setting
        return [Trial(setting.space.sample(self._rng), setting.epochs) for _ in range(setting.together)]

    def tell(self, scores: Sequence[float]) -> None:
        pass

    def recommended(self) -> None:
        return None


class Ours:
    """A strategy of gaopt, with the history that a study would have."""

    def __init__(self, strategy: Strategy, setting: Setting) -> None:
        self._strategy, self._setting, self._history = strategy, setting, History()

    def ask(self) -> list[Trial]:
        decision = self._strategy.decide(self._history, self._setting.together)
        if isinstance(decision, Bred | Granted):
            self._history.add(decision)
        return [Trial(i.genes, max(1, round(i.share * self._setting.epochs))) for i in self._history.unfinished]

    def tell(self, scores: Sequence[float]) -> None:
        for individual, score in zip(self._history.unfinished, scores, strict=True):
            failed = Failed(individual.id, "diverged", "the training failed")
            self._history.add(Scored(individual.id, score) if math.isfinite(score) else failed)

    def recommended(self) -> Genes | None:
        """That of the best mean, once finalists were trained again."""
        best = self._history.best
        return best.genes if best and self._history.means else None


def assisted(setting: Setting) -> Ours:
    later = -(-(setting.evaluations - FIRST) // setting.together)
    config = Assisted(population=FIRST, generations=1 + later, litter=setting.together)
    return Ours(AssistedSearch(StudyConfig(setting.space, "", assisted=config, seed=setting.seed)), setting)


def genetic(setting: Setting) -> Ours:
    """The original: ten, then five new ones a generation, whatever may be trained together."""
    config = Genetic(population=FIRST)
    later = -(-(setting.evaluations - FIRST) // config.litters[-1])
    config = Genetic(population=FIRST, generations=1 + later)
    return Ours(GeneticSearch(StudyConfig(setting.space, "", genetic=config, seed=setting.seed)), setting)


def peer(sampler: str) -> Callable[[Setting], Search]:
    return lambda setting: Optuna(sampler, setting)


SEARCHES: dict[str, Callable[[Setting], Search]] = {
    "assisted": assisted,
    "genetic": genetic,
    "random": Chance,
    "optuna-tpe": peer("TPESampler"),
    "optuna-gp": peer("GPSampler"),
    "optuna-cmaes": peer("CmaEsSampler"),
    "optuna-nsgaii": peer("NSGAIISampler"),
}
OURS = ("assisted",)
"""Those that the others are set against in the summary."""


def known(names: str) -> list[str]:
    """The searches of a list with commas; all without one."""
    found = [name.strip() for name in names.split(",") if name.strip()] or list(SEARCHES)
    for name in found:
        if name not in SEARCHES:
            raise BadInput(f"--searches names {name!r}, which is no search: {nearest(name, SEARCHES)}")
    for package in ("optuna", "cmaes"):
        if any(name.startswith("optuna-") for name in found) and find_spec(package) is None:
            raise BadInput(f"{package} is not installed, and Optuna's searches need it: install gaopt[bench]")
    return found


class Optuna:
    """A sampler of Optuna with its own defaults, but for what `_options` says."""

    def __init__(self, name: str, setting: Setting) -> None:
        import optuna

        with quiet():
            chosen = sampler(name, setting.seed, **_options(name, setting))
            self._study = optuna.create_study(direction="maximize", sampler=chosen)
        self._failed = optuna.trial.TrialState.FAIL
        self._kinds = {name: kind(gene) for name, gene in setting.space.items()}
        self._setting, self._asked = setting, list[Any]()

    def ask(self) -> list[Trial]:
        self._asked = [self._study.ask(self._kinds) for _ in range(self._setting.together)]
        return [Trial(asked.params, self._setting.epochs) for asked in self._asked]

    def tell(self, scores: Sequence[float]) -> None:
        for asked, score in zip(self._asked, scores, strict=True):
            self._study.tell(asked, **({"values": score} if math.isfinite(score) else {"state": self._failed}))

    def recommended(self) -> None:
        return None


def _options(sampler: str, setting: Setting) -> dict[str, Any]:
    match sampler:
        case "GPSampler":
            return {"deterministic_objective": not setting.noisy}
        case "NSGAIISampler":
            return {"population_size": 10}  # with its own fifty, fifty trainings are the first, random, generation
        case _:
            return {}
