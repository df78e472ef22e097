"""The methods of a comparison: what each is called, and the config of its searches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gaopt.compare.plan import Plan
from gaopt.config import COMPARED, Assisted, Fidelity, Genetic, GridConfig, Noise, Operators, Stop, StudyConfig, Warm
from gaopt.errors import ConfigError, nearest
from gaopt.objectives.base import Comparable, epochs, resolve

BASELINES = ("baseline", "paper")  # trainings without a search, which not every objective has
GIVEN = "given"  # the first individual that the config gives by hand, again and again

MOST = 3  # trainings that a search may begin, as a multiple of whole ones in its budget: many fail early
LIMIT = 2000  # trainings that a search may begin at all
APART = 10_000  # between the first seeds of trainings without a search: more than each has, so that no two share one


@dataclass(frozen=True)
class Methods:
    """The methods that a plan names; while a baseline is looked for `step` is called often, and may raise."""

    plan: Plan
    shared: Any = None
    step: Callable[[], object] = lambda: None

    def title(self, method: str) -> str:
        """In a few words."""
        if self._own(method):
            searches = COMPARED.get(self.plan.config(method).strategy, "no search")
            return f"{searches}, as {'the study' if self.plan.studies else 'the config'} {method} has it"
        if method == GIVEN:
            return "the genes given by hand"
        return COMPARED.get(method) or self._baselines(self.plan.base)[method].title

    def configured(self, method: str, seed: int) -> StudyConfig:
        """The config of a method's search, its budget in it."""
        base = self.plan.config(method) if method in self.plan.configs else self.plan.base
        # A method of which all fails must not keep the others from their answers: that is for who runs them to see.
        faults = replace(base.faults, max_alike_failures=0)
        # Nor may a search of ours begin with a default that those of others are not told.
        own = replace(base, noise=Noise(), stop=self._stop, faults=faults, default_first=False)
        config = replace(own, seed=base.seed + seed)
        strategy = config.strategy if self._own(method) else method
        if strategy == "grid":
            raise ConfigError(f"study.strategy of {method} is 'grid', which spends no budget: must be another")
        if strategy in COMPARED:
            return self._searching(config, strategy)
        found = replace(_bare(config), seed=base.seed + seed * APART)
        if method == GIVEN:
            found = replace(found, strategy="fixed", fixed=config.given[0])
        elif strategy != "fixed":
            found = self._baselines(found)[method].configured()
        return replace(found, grid=GridConfig(repeats=self._most(config, "fixed")))

    def _own(self, method: str) -> bool:
        """Whether it is a config by its name, whatever else is called so; one alone lends its name to no method."""
        return method in self.plan.configs and (method not in COMPARED or len(self.plan.configs) > 1)

    def _searching(self, config: StudyConfig, strategy: Any) -> StudyConfig:
        """A search by a strategy, with so many generations that its budget ends it."""
        most, own = self._most(config, strategy), config if config.strategy == strategy else _bare(config)
        if strategy == "assisted":
            found = own.assisted if config.strategy == strategy else Assisted(population=_population(config))
            generations = 1 + max(0, most - found.population) // found.offspring
            own = replace(own, assisted=replace(found, generations=min(1000, generations), trainings=0))
        else:
            genetic = config.genetic if config.strategy == "genetic" else Genetic(population=_population(config))
            generations = 2 + most // max(1, genetic.offspring)
            own = replace(own, genetic=replace(genetic, generations=min(1000, generations), trainings=0))
        return replace(own, strategy=strategy)

    @property
    def _stop(self) -> Stop:
        if self.plan.cost == "epochs":
            return Stop(epochs=int(self.plan.budget), exact=True)
        return Stop(seconds=self.plan.budget)

    def _most(self, config: StudyConfig, strategy: str) -> int:
        """Trainings that it may begin: what ASHA begins may end with its first epoch."""
        if self.plan.cost == "seconds":
            return LIMIT
        if strategy == "ray-asha":
            return int(self.plan.budget)
        return min(LIMIT, MOST * max(_population(config), int(self.plan.budget) // epochs(config)))

    def _baselines(self, config: StudyConfig) -> Mapping[str, Any]:
        objective = resolve(config.objective)
        return objective.baselines(config, self.shared, self.step) if isinstance(objective, Comparable) else {}


def usual(base: StudyConfig) -> tuple[str, ...]:
    """The methods that a config is compared by where nobody names any: its own first."""
    own = [base.strategy] if base.strategy in COMPARED else []
    there = BASELINES if isinstance(resolve(base.objective), Comparable) else ()
    given = (GIVEN,) if base.given else ()
    return tuple(dict.fromkeys([*own, *COMPARED, *there, *given]))


def check(names: tuple[str, ...], base: StudyConfig, configs: Mapping[str, Any]) -> None:
    """Raise a ConfigError where there is no such method, or not for this objective."""
    known = [*usual(base), *(configs if len(configs) > 1 else ())]
    for name in names:
        if name not in known:
            raise ConfigError(f"--methods names {name!r}, which is no method here: {nearest(name, known)}")
    if len(set(names)) < len(names):
        raise ConfigError("--methods names one twice: each must be there once")


def _population(config: StudyConfig) -> int:
    return config.assisted.population if config.strategy == "assisted" else config.genetic.population


def _bare(config: StudyConfig) -> StudyConfig:
    """Without what only some searches read."""
    own: dict[str, Any] = {"operators": Operators(), "fidelity": Fidelity(), "warm": Warm(), "given": ()}
    return replace(config, assisted=Assisted(), genetic=Genetic(), **own)
