"""The search as a sampler of Optuna (Akiba and others, *Optuna*, 2019): `create_study(sampler=GaoptSampler())`."""

import math
import secrets
from collections.abc import Mapping
from statistics import median
from typing import Any

from gaopt.errors import ConfigError
from gaopt.integrations.axis import Axis, linear, logarithmic, numbered
from gaopt.space.space import Space
from gaopt.strategies.ask import Observation, ask, check
from gaopt.strategies.base import keyed

try:
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.samplers import BaseSampler
    from optuna.search_space import intersection_search_space
    from optuna.study import Study, StudyDirection
    from optuna.trial import FrozenTrial, TrialState
except ImportError as error:  # pragma: no cover - a test hides Optuna, in another process
    raise ImportError("Optuna is not installed: pip install 'gaopt[optuna]'") from error

Distributions = Mapping[str, BaseDistribution]


class SeveralObjectivesError(ConfigError, ValueError):
    """Optuna's users expect a ValueError."""


class GaoptSampler(BaseSampler):
    """Parameters that every completed trial has are searched together; any other is drawn at random.

    Completed trials are told with their value, failed ones as failures, running ones as pending. A pruned trial is
    told with what it reported last, but never as better than the median of the completed: whoever pruned it saw
    no promise in it. One that reported nothing is a failure.

    It keeps no state: what it suggests follows from the seed, the study and the number of the trial, so that threads
    and processes may share a study, and `reseed_rng` has nothing to do. A ConfigError where a study has two objectives.

    Args:
        seed: every suggestion follows from it; None draws one.
        population: so many trials are spread evenly over the space before a model chooses.
        strategy: "assisted", or "random".
    """

    def __init__(self, *, seed: int | None = None, population: int = 10, strategy: str = "assisted") -> None:
        self._seed = secrets.randbits(62) if seed is None else seed
        self._population, self._strategy = population, strategy
        check(self._seed, strategy, population)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        shared = intersection_search_space(study.get_trials(deepcopy=False))
        return {name: distribution for name, distribution in shared.items() if not distribution.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        _check_single(study)
        if not search_space:
            return {}
        axes = {name: axis(distribution) for name, distribution in search_space.items()}
        others = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        known = [other for other in others if _has(other, search_space)]
        told = [_told(other, search_space, axes, study) for other in known if other.state != TrialState.WAITING]
        # A trial that is about to get its parameters will get what this one would: this one takes what comes after.
        ahead = [other for other in others if other.state == TrialState.RUNNING and other not in known]
        place = sum(other.number < trial.number for other in ahead)
        space = Space(**{name: own.gene for name, own in axes.items()})
        asked = ask(told, space, place + 1, seed=self._seed, strategy=self._strategy, population=self._population)
        if len(asked) <= place:
            # Every combination was tried: what is tried again is drawn at random.
            return {name: self.sample_independent(study, trial, name, each) for name, each in search_space.items()}
        return {name: axes[name].value(gene) for name, gene in asked[place].items()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        _check_single(study)
        own = axis(param_distribution)
        draw = keyed(self._seed, trial.number, int.from_bytes(param_name.encode(), "big"))
        return own.value(own.gene.at(draw.random()))  # type: ignore[arg-type]


def _check_single(study: Study) -> None:
    if len(study.directions) > 1:
        raise SeveralObjectivesError(f"the study has {len(study.directions)} objectives: GaoptSampler searches for one")


def axis(distribution: BaseDistribution) -> Axis:
    """A distribution as a gene, of what Optuna calls the internal representation of its values."""

    def meant(number: float) -> Any:
        return distribution.to_external_repr(number if isinstance(distribution, FloatDistribution) else round(number))

    match distribution:
        case CategoricalDistribution():
            return numbered(len(distribution.choices), meant)
        case FloatDistribution() | IntDistribution() if distribution.log:
            return logarithmic(distribution.low, distribution.high, isinstance(distribution, IntDistribution), meant)
        case FloatDistribution() | IntDistribution():
            return linear(distribution.low, distribution.high, distribution.step or 0.0, meant)
        case _:
            raise ConfigError(f"the distribution is {distribution!r}: must be float, int or categorical")


def _has(trial: FrozenTrial, search_space: Distributions) -> bool:
    return all(trial.distributions.get(name) == distribution for name, distribution in search_space.items())


def _told(trial: FrozenTrial, search_space: Distributions, axes: Mapping[str, Axis], study: Study) -> Observation:
    genes = {
        name: axes[name].told(distribution.to_internal_repr(trial.params[name]))
        for name, distribution in search_space.items()
    }
    return Observation(genes) if trial.state == TrialState.RUNNING else Observation(genes, _fitness(trial, study))


def _fitness(trial: FrozenTrial, study: Study) -> float | None:
    """Higher is better; None for a failure."""
    sign = -1.0 if study.direction == StudyDirection.MINIMIZE else 1.0
    if trial.state == TrialState.COMPLETE:
        return sign * trial.value if trial.value is not None else None
    if trial.state == TrialState.FAIL or trial.last_step is None:
        return None
    reached = sign * trial.intermediate_values[trial.last_step]
    completed = [t.value for t in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))]
    fine = [sign * value for value in completed if value is not None and math.isfinite(value)]
    return min(reached, median(fine)) if fine and not math.isnan(reached) else reached
