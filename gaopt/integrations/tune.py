"""The search as a searcher of Ray Tune (Liaw and others, *Tune*, 2018).

from ray import tune
from gaopt.integrations.tune import GaoptSearch

tuner = tune.Tuner(
    train,
    param_space={"lr": tune.loguniform(1e-5, 1e-1), "layers": tune.randint(1, 5)},
    tune_config=tune.TuneConfig(search_alg=GaoptSearch(), metric="loss", mode="min", num_samples=40),
)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher
from ray.tune.search.sample import Categorical, Domain, Float, Integer, LogUniform, Quantized, Uniform
from ray.tune.search.variant_generator import parse_spec_vars

from gaopt.errors import ConfigError, StudyError
from gaopt.integrations.axis import Axis, linear, logarithmic, numbered
from gaopt.search.ask import Observation, ask, check
from gaopt.space.numbers import real
from gaopt.space.space import Genes, Space


@dataclass(frozen=True)
class Parameter:
    """One parameter of a search space of Tune.

    Attributes:
        path: the keys that lead to it.
        meant: what Tune hands to a trial for a number of the axis.
    """

    path: tuple[Any, ...]
    axis: Axis
    meant: Callable[[float], Any]

    @property
    def name(self) -> str:
        return "/".join(map(str, self.path))


@dataclass(frozen=True)
class Searched:
    """What is searched.

    Attributes:
        tables: the search space of Tune, constants included.
        parameters: what varies in it; none where the genes themselves are the config of a trial.
    """

    space: Space
    tables: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()

    def config(self, genes: Genes) -> dict[str, Any]:
        """Of a trial."""
        if not self.parameters:
            return dict(genes)
        config = deepcopy(dict(self.tables))
        for parameter in self.parameters:
            place: Any = config
            for key in parameter.path[:-1]:
                place = place[key]
            place[parameter.path[-1]] = parameter.meant(parameter.axis.value(genes[parameter.name]))
        return config


class GaoptSearch(Searcher):  # type: ignore[misc,unused-ignore]  # Ray has no types
    """Trials that run are pending to it, those that end with an error or without the metric are failures, and those
    that a scheduler stops are told with what they reported last.

    Args:
        space: a gaopt.Space, whose genes then are the config of a trial, or a search space of Tune; None takes
            the `param_space` of the Tuner.
        metric: what a trial reports; None takes the TuneConfig's, as for `mode`.
        mode: "min" or "max".
        seed: every suggestion follows from it and from what was told.
        population: so many trials are spread evenly over the space before a model chooses.
        strategy: "assisted", or "random".

    Raises:
        ConfigError: an argument cannot be used; a parameter is of a kind that the search does not know.
    """

    def __init__(
        self,
        space: Space | Mapping[str, Any] | None = None,
        metric: str | None = None,
        mode: str | None = None,
        *,
        seed: int = 0,
        population: int = 10,
        strategy: str = "assisted",
    ) -> None:
        check(seed, strategy, population)
        _check_goal(metric, mode)
        super().__init__(metric=metric, mode=mode)
        self._options: dict[str, Any] = {"seed": seed, "population": population, "strategy": strategy}
        self._own = space is not None
        self._searched = None if space is None else _read(space)
        self._told: dict[str, Observation] = {}

    def set_search_properties(
        self, metric: str | None, mode: str | None, config: Mapping[str, Any], **spec: Any
    ) -> bool:
        """What the Tuner has. False where both have a search space."""
        if self._own and any(parse_spec_vars(config)[1:]):
            return False
        _check_goal(metric, mode)
        self._metric, self._mode = metric or self.metric, mode or self.mode
        if not self._own:
            self._searched = _read(config)
        return True

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The config of a trial; Searcher.FINISHED where the space has no more.

        Raises:
            ConfigError: there is no space, no metric or no mode.
        """
        lacking = [] if self._searched else ["space"]
        lacking += [name for name in ("metric", "mode") if not getattr(self, name)]
        if self._searched is None or lacking:
            raise ConfigError(f"the search has no {lacking[0]}: give it to GaoptSearch, or to the Tuner")
        asked = ask(list(self._told.values()), self._searched.space, **self._options)
        if not asked:
            return str(Searcher.FINISHED)
        self._told[trial_id] = Observation(asked[0])
        return self._searched.config(asked[0])

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """Tell the search how a trial ended.

        Raises:
            ConfigError: the metric is no number.
        """
        if trial_id not in self._told:
            return
        if result is None and not error:
            del self._told[trial_id]  # called off before it reported anything
            return
        value = None if error else (result or {}).get(self.metric)
        self._told[trial_id] = Observation(self._told[trial_id].genes, None if value is None else self._fitness(value))

    def _fitness(self, value: Any) -> float:
        try:
            return -real(value) if self.mode == "min" else real(value)
        except ConfigError as error:
            raise ConfigError(f"the metric {self.metric!r} {error}") from None

    def save(self, checkpoint_path: str) -> None:
        """What was told, as JSON. The space is not in it: who restores has it."""
        told = {id: [one.genes, _finite(one.fitness)] for id, one in self._told.items()}
        Path(checkpoint_path).write_text(json.dumps(told), "utf-8")

    def restore(self, checkpoint_path: str) -> None:
        """Go on from what `save` wrote.

        Raises:
            StudyError: there is no such file, or it was not saved by `save`.
        """
        try:
            told = json.loads(Path(checkpoint_path).read_text("utf-8"))
            self._told = {id: Observation(genes, fitness) for id, (genes, fitness) in told.items()}
        except (OSError, ValueError, TypeError, AttributeError, ConfigError) as error:
            raise StudyError(f"{checkpoint_path} cannot be restored: {error}") from error


def _check_goal(metric: str | None, mode: str | None) -> None:
    if metric is not None and not isinstance(metric, str):
        raise ConfigError(f"the metric is {metric!r}: must be one name")
    if mode not in (None, "min", "max"):
        raise ConfigError(f"the mode is {mode!r}: must be 'min' or 'max'")


def _finite(fitness: float | str | None) -> float | str | None:
    """As JSON can hold it: a number that is not finite is a failure all the same."""
    return fitness if fitness is None or isinstance(fitness, str) or abs(fitness) < float("inf") else None


def _read(space: Space | Mapping[str, Any]) -> Searched:
    if isinstance(space, Space):
        return Searched(space)
    if not isinstance(space, Mapping):
        raise ConfigError(f"the space is {space!r}: must be a gaopt.Space or a search space of Tune")
    _, domains, grids = parse_spec_vars(dict(space))
    if grids:
        raise ConfigError(f"the parameter {_named(grids[0][0])} is a grid search: must be a range, or tune.choice")
    parameters = tuple(_parameter(path, domain) for path, domain in domains)
    if not parameters:
        raise ConfigError("the search space has no parameters: at least one range or tune.choice is needed")
    return Searched(Space(**{one.name: one.axis.gene for one in parameters}), space, parameters)


def _named(path: tuple[Any, ...]) -> str:
    return repr("/".join(map(str, path)))


def _parameter(path: tuple[Any, ...], domain: Domain) -> Parameter:
    """
    Raises:
        ConfigError: it is of a kind that the search does not know.
    """
    drawn, step = domain.get_sampler(), 0.0
    if isinstance(drawn, Quantized):
        drawn, step = drawn.sampler, drawn.q
    match domain, drawn:
        case Categorical(), Uniform() if not any(isinstance(each, Domain) for each in domain.categories):
            return Parameter(path, numbered(len(domain.categories)), lambda place: domain.categories[round(place)])
        case (Float(), Uniform()) if not step:
            return Parameter(path, linear(domain.lower, domain.upper), float)
        case (Float(), LogUniform()) if not step:
            return Parameter(path, logarithmic(domain.lower, domain.upper), float)
        case (Float(), Uniform()):
            return Parameter(path, _multiples(domain.lower, domain.upper, step), float)
        case (Integer(), LogUniform()) if not step:
            return Parameter(path, logarithmic(domain.lower, domain.upper - 1, integer=True), round)
        case (Integer(), Uniform()):
            # Without steps, and with steps of 1, Tune leaves the upper bound out.
            above = domain.upper - 1 if step in (0, 1) else domain.upper
            return Parameter(path, _multiples(domain.lower, above, step or 1), round)
        case _:
            raise ConfigError(
                f"the parameter {_named(path)} is a {type(domain).__name__} drawn by {type(drawn).__name__}"
                f"{f' in steps of {step}' if step else ''}: must be uniform, loguniform, quniform, randint, qrandint,"
                " lograndint, or a choice among plain values"
            )


def _multiples(low: float, high: float, step: float) -> Axis:
    """The multiples of a step between two bounds, both allowed."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return linear(first * step, last * step, step)
