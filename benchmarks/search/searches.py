"""The searches that are compared, by name: ours, chance, Optuna's and other peers, as anybody would call them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from importlib.util import find_spec
from typing import Any

from benchmarks.search import peers
from benchmarks.search.protocol import FIRST, Search, Setting, Trial
from gaopt.config import Assisted, Fidelity, Genetic, StudyConfig, load
from gaopt.errors import BadInput, nearest
from gaopt.journal.events import Bred, Failed, Granted, Scored, Started
from gaopt.journal.history import History, Individual
from gaopt.objectives.base import default
from gaopt.space.space import Genes
from gaopt.strategies.base import Strategy, keyed
from gaopt.strategies.genetic import GeneticSearch
from gaopt.strategies.initial_design import nearest as nearest_individual
from gaopt.strategies.optuna import kind, quiet, sampler
from gaopt.strategies.surrogate.assisted import AssistedSearch
from gaopt.strategies.wrappers import Breeder, Budget, Rungs, Steady


class Chance(Search):
    """Genes at random."""

    def __init__(self, setting: Setting) -> None:
        self._setting, self._batches, self._rng = setting, setting.batches(), keyed(setting.seed)

    def ask(self) -> list[Trial]:
        setting = self._setting
        return [Trial(setting.space.sample(self._rng), setting.epochs) for _ in range(next(self._batches))]

    def tell(self, scores: Sequence[float]) -> None:
        pass


class Baseline(Search):
    """The recipe's default: the setting that a training without a search has, again and again."""

    def __init__(self, setting: Setting) -> None:
        self._setting, self._batches = setting, setting.batches()
        found = nearest_individual(setting.space, default(load("cifar10")) or {})
        if found is None:
            raise BadInput("baseline needs the genes of a recipe: run it on digits or cifar10")
        self._genes = found

    def ask(self) -> list[Trial]:
        return [Trial(self._genes, self._setting.epochs)] * next(self._batches)

    def tell(self, scores: Sequence[float]) -> None:
        pass


class Ours(Search):
    """A strategy of gaopt, with the history that a study would have."""

    def __init__(self, strategy: Strategy, setting: Setting) -> None:
        self._strategy, self._setting, self.history = strategy, setting, History()

    def ask(self) -> list[Trial]:
        decision = self._strategy.decide(self.history, self._setting.together)
        if isinstance(decision, Bred | Granted):
            self.history.add(decision)
        return [Trial(i.genes, self._epochs(i)) for i in self.history.unfinished]

    def tell(self, scores: Sequence[float]) -> None:
        for individual, score in zip(self.history.unfinished, scores, strict=True):
            self._end(individual, score)

    def _end(self, individual: Individual, score: float) -> None:
        epochs = self._epochs(individual)
        failed = Failed(individual.id, "diverged", "the training failed", epochs=epochs)
        self.history.add(Scored(individual.id, score, epochs=epochs) if math.isfinite(score) else failed)

    def _epochs(self, individual: Individual) -> int:
        return max(1, round(individual.share * self._setting.epochs))

    def recommended(self) -> Genes | None:
        """That of the best mean, once finalists were trained again."""
        best = self.history.best
        return best.genes if best and self.history.means else None


class OursSteady(Ours):
    """A strategy of gaopt in the mode "steady", on workers whose trainings last from 1 to 3 units of time."""

    def __init__(self, search: Breeder, config: StudyConfig, setting: Setting) -> None:
        super().__init__(Steady(search, config.litters), setting)
        self._clock, self._durations = 0.0, keyed(setting.seed, 3)
        self._training: list[tuple[float, int]] = []  # when each ends

    def ask(self) -> list[Trial]:
        """The training that ends next, once every worker has one."""
        self._start()
        while isinstance(decision := self._strategy.decide(self.history, self._free), Bred):
            self.history.add(decision)
            self._start()
        if not self._training:
            return []
        self._clock, self._next = heappop(self._training)
        return [Trial(self.history.individuals[self._next].genes, self._setting.epochs)]

    def tell(self, scores: Sequence[float]) -> None:
        self._end(self.history.individuals[self._next], scores[0])

    @property
    def _free(self) -> int:
        return self._setting.together - len(self._training)

    def _start(self) -> None:
        for individual in self.history.waiting[: self._free]:
            self.history.add(Started(individual.id))
            heappush(self._training, (self._clock + self._durations.uniform(1.0, 3.0), individual.id))


def assisted(setting: Setting) -> Ours:
    later = -(-(setting.evaluations - setting.first) // setting.together)
    config = Assisted(population=setting.first, generations=1 + later, litter=setting.together)
    return Ours(AssistedSearch(StudyConfig(setting.space, "", assisted=config, seed=setting.seed)), setting)


def assisted_rungs(setting: Setting) -> Ours:
    """Twenty, then as many as are trained together, on a rung of 12 % first, where it is worth it; a fifth goes on."""
    numbers = Assisted(population=2 * FIRST, generations=setting.evaluations, litter=setting.together)
    search = AssistedSearch(StudyConfig(setting.space, "", assisted=numbers, seed=setting.seed))
    rungs = Rungs(search, Fidelity((0.12,), 0.2))
    return Ours(Budget(rungs, setting.evaluations * setting.epochs, setting.epochs), setting)


def assisted_steady(setting: Setting) -> Ours:
    config = StudyConfig(setting.space, "", assisted=Assisted(FIRST, _generations(setting)), seed=setting.seed)
    return OursSteady(AssistedSearch(config), config, setting)


def genetic(setting: Setting) -> Ours:
    """The original: ten, then five new ones a generation, whatever may be trained together."""
    return Ours(GeneticSearch(_bred(setting)), setting)


def genetic_steady(setting: Setting) -> Ours:
    config = _bred(setting)
    return OursSteady(GeneticSearch(config), config, setting)


def _bred(setting: Setting) -> StudyConfig:
    config = Genetic(population=FIRST, generations=_generations(setting))
    return StudyConfig(setting.space, "", strategy="genetic", genetic=config, seed=setting.seed)


def _generations(setting: Setting) -> int:
    """How many there are of ten, then five new ones each."""
    return 1 + -(-(setting.evaluations - FIRST) // Genetic(population=FIRST).litters[-1])


class Optuna(Search):
    """A sampler of Optuna with its own defaults, but for what `_options` says."""

    def __init__(self, name: str, setting: Setting) -> None:
        import optuna

        with quiet():
            chosen = sampler(name, setting.seed, **_options(name, setting))
            self._study = optuna.create_study(direction="maximize", sampler=chosen)
        self._failed = optuna.trial.TrialState.FAIL
        self._kinds = {name: kind(gene) for name, gene in setting.space.items()}
        self._setting, self._batches, self._asked = setting, setting.batches(), list[Any]()

    def ask(self) -> list[Trial]:
        self._asked = [self._study.ask(self._kinds) for _ in range(next(self._batches))]
        return [Trial(asked.params, self._setting.epochs) for asked in self._asked]

    def tell(self, scores: Sequence[float]) -> None:
        for asked, score in zip(self._asked, scores, strict=True):
            self._study.tell(asked, **({"values": score} if math.isfinite(score) else {"state": self._failed}))


def _options(sampler: str, setting: Setting) -> dict[str, Any]:
    match sampler:
        case "GPSampler":
            return {"deterministic_objective": not setting.noisy}
        case "NSGAIISampler":
            return {"population_size": 10}  # with its own fifty, fifty trainings are the first, random, generation
        case _:
            return {}


SEARCHES: dict[str, Callable[[Setting], Search]] = {
    "assisted": assisted,
    "genetic": genetic,
    "assisted-rungs": assisted_rungs,
    "assisted-steady": assisted_steady,
    "genetic-steady": genetic_steady,
    "random": Chance,
    "baseline": Baseline,
    "optuna-tpe": partial(Optuna, "TPESampler"),
    "optuna-gp": partial(Optuna, "GPSampler"),
    "optuna-cmaes": partial(Optuna, "CmaEsSampler"),
    "optuna-nsgaii": partial(Optuna, "NSGAIISampler"),
    **{name: partial(peers.Child, name) for name in peers.PACKAGES},
}
OURS = "assisted"
"""What the others are set against in the summary."""


def known(names: str) -> list[str]:
    """The searches of a list with commas; without one, all that need no environment of their own."""
    found = [name.strip() for name in names.split(",") if name.strip()]
    found = found or [name for name in SEARCHES if name not in (*peers.PACKAGES, "baseline")]
    for name in found:
        if name not in SEARCHES:
            raise BadInput(f"--searches names {name!r}, which is no search: {nearest(name, SEARCHES)}")
        if name in peers.PACKAGES and not peers.python(name).exists():
            raise BadInput(f"{name} has no environment: make it with python -m benchmarks.search.peers {name}")
    for package, needed in (("optuna", "optuna-"), ("cmaes", "optuna-cmaes")):
        if any(name.startswith(needed) for name in found) and find_spec(package) is None:
            raise BadInput(f"{package} is not installed, and Optuna's searches need it: install gaopt[bench]")
    return found
