"""The search as a searcher of Ray Tune (Liaw and others, *Tune*, 2018): `TuneConfig(search_alg=GaoptSearch(), …)`."""

import json
import math
from collections.abc import Mapping
from copy import deepcopy
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher
from ray.tune.search.sample import Categorical, Domain, Float, Integer, LogUniform, Quantized, Uniform
from ray.tune.search.variant_generator import parse_spec_vars

from gaopt.errors import ConfigError
from gaopt.integrations.axis import Axis, Meant, linear, logarithmic, numbered
from gaopt.space.numbers import real
from gaopt.space.space import Genes, Space
from gaopt.strategies.ask import Observation, ask, check


class GaoptSearch(Searcher):  # type: ignore[misc,unused-ignore]  # Ray has no types
    """Trials that run are pending to it, those that end with an error or without the metric are failures, and those
    that a scheduler stops are told with what they reported last.

    Args:
        space: a gaopt.Space, whose genes then are the config of a trial, or a search space of Tune; None takes
            the `param_space` of the Tuner.
        metric: what a trial reports; None takes the TuneConfig's, as for `mode`: "min" or "max".
        seed: every suggestion follows from it and from what was told.
        population: so many trials are spread evenly over the space before a model chooses.
        strategy: "assisted", or "random".
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
        _check_goal(mode)
        super().__init__(metric=metric, mode=mode)
        self._options: dict[str, Any] = {"seed": seed, "population": population, "strategy": strategy}
        self._own = space is not None
        self._told: dict[str, Observation] = {}
        if space is not None:
            self._read(space)

    def _read(self, space: Any) -> None:
        """Take the genes of a search space of Tune, each with the keys that lead to it; or a space as it is."""
        self._tables: Mapping[str, Any] = {}
        self._parameters: dict[str, tuple[tuple[Any, ...], Axis]] = {}
        self._space = space
        if isinstance(space, Space):
            return
        _, domains, grids = parse_spec_vars(dict(space))
        if grids:
            raise ConfigError(f"the parameter {_name(grids[0][0])!r} is a grid search: must be a range, or tune.choice")
        if not domains:
            raise ConfigError("the search space has no parameters: at least one range or tune.choice is needed")
        self._tables, self._parameters = space, {_name(path): (path, axis(path, domain)) for path, domain in domains}
        self._space = Space(**{name: own.gene for name, (_, own) in self._parameters.items()})

    def _config(self, genes: Genes) -> dict[str, Any]:
        if not self._parameters:
            return dict(genes)
        config = deepcopy(dict(self._tables))
        for name, ((*above, last), own) in self._parameters.items():
            reduce(getitem, above, config)[last] = own.value(genes[name])
        return config

    def set_search_properties(
        self, metric: str | None, mode: str | None, config: Mapping[str, Any], **spec: Any
    ) -> bool:
        """What the Tuner has. False where both have a search space."""
        if self._own and any(parse_spec_vars(config)[1:]):
            return False
        _check_goal(mode)
        self._metric, self._mode = metric or self.metric, mode or self.mode
        if not self._own:
            self._read(config)
        return True

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The config of a trial; Searcher.FINISHED where the space has no more."""
        for name in ("_space", "metric", "mode"):
            if not getattr(self, name, None):
                raise ConfigError(f"the search has no {name.strip('_')}: give it to GaoptSearch, or to the Tuner")
        asked = ask(list(self._told.values()), self._space, **self._options)
        if not asked:
            return str(Searcher.FINISHED)
        self._told[trial_id] = Observation(asked[0])
        return self._config(asked[0])

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """Tell the search how a trial ended."""
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
        told = {id: [one.genes, one.fitness] for id, one in self._told.items()}
        Path(checkpoint_path).write_text(json.dumps(told), "utf-8")

    def restore(self, checkpoint_path: str) -> None:
        """Go on from what `save` wrote."""
        told = json.loads(Path(checkpoint_path).read_text("utf-8"))
        self._told = {id: Observation(genes, fitness) for id, (genes, fitness) in told.items()}


def _check_goal(mode: str | None) -> None:
    if mode not in (None, "min", "max"):
        raise ConfigError(f"the mode is {mode!r}: must be 'min' or 'max'")


def _name(path: tuple[Any, ...]) -> str:
    return "/".join(map(str, path))


def axis(path: tuple[Any, ...], domain: Domain) -> Axis:
    """A parameter of a search space of Tune as a gene."""
    drawn, step = domain.get_sampler(), 0.0
    if isinstance(drawn, Quantized):
        drawn, step = drawn.sampler, drawn.q
    match domain, drawn:
        case Categorical(), Uniform() if not any(isinstance(each, Domain) for each in domain.categories):
            return numbered(len(domain.categories), lambda place: domain.categories[round(place)])
        case (Float(), Uniform()) if not step:
            return linear(domain.lower, domain.upper)
        case (Float(), LogUniform()) if not step:
            return logarithmic(domain.lower, domain.upper)
        case (Float(), Uniform()):
            return _multiples(domain.lower, domain.upper, step, float)
        case (Integer(), LogUniform()) if not step:
            return logarithmic(domain.lower, domain.upper - 1, integer=True, meant=round)
        case (Integer(), Uniform()):
            # Without steps, and with steps of 1, Tune leaves the upper bound out.
            above = domain.upper - 1 if step in (0, 1) else domain.upper
            return _multiples(domain.lower, above, step or 1, round)
    found = f"a {type(domain).__name__} drawn by {type(drawn).__name__}{f' in steps of {step}' if step else ''}"
    known = "uniform, loguniform, quniform, randint, qrandint, lograndint, or a choice among plain values"
    raise ConfigError(f"the parameter {_name(path)!r} is {found}: must be {known}")


def _multiples(low: float, high: float, step: float, meant: Meant) -> Axis:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return linear(first * step, last * step, step, meant)
