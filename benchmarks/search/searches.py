"""The searches that are compared, by name: ours, chance, and the peers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from benchmarks.search import peers
from benchmarks.search.search import Search, Setting, Trial
from gaopt.config import Assisted, Genetic
from gaopt.errors import BadInput, nearest
from gaopt.journal.events import Failed, Scored
from gaopt.journal.history import History
from gaopt.search.base import Strategy, keyed
from gaopt.search.genetic import GeneticSearch
from gaopt.search.surrogate.assisted import AssistedSearch
from gaopt.space.space import Genes

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
        if decision := self._strategy.decide(self._history, self._setting.together):
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
    return Ours(AssistedSearch(setting.space, config, setting.seed), setting)


def genetic(setting: Setting) -> Ours:
    """The original: ten, then five new ones a generation, whatever may be trained together."""
    config = Genetic(population=FIRST)
    later = -(-(setting.evaluations - FIRST) // config.litters[-1])
    config = Genetic(population=FIRST, generations=1 + later)
    return Ours(GeneticSearch(setting.space, config, setting.seed), setting)


def peer(sampler: str) -> Callable[[Setting], Search]:
    return lambda setting: peers.Optuna(sampler, setting)


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
    """The searches of a list with commas; all without one.

    Raises:
        BadInput: an unknown name, or a peer that is not installed.
    """
    found = [name.strip() for name in names.split(",") if name.strip()] or list(SEARCHES)
    for name in found:
        if name not in SEARCHES:
            raise BadInput(f"--searches names {name!r}, which is no search: {nearest(name, SEARCHES)}")
    if any(name.startswith("optuna-") for name in found):
        peers.check()
    return found
