"""The strategy that a config names, in the wrappers that its tables ask for."""

from dataclasses import replace
from pkgutil import resolve_name
from typing import cast

from gaopt.config import SEARCHES, STRATEGIES, Stop, StudyConfig
from gaopt.config.strategies import MOST
from gaopt.errors import ConfigError
from gaopt.objectives.base import default, epochs
from gaopt.strategies.base import Strategy
from gaopt.strategies.initial_design import Known, nearest
from gaopt.strategies.stopping import Stopping
from gaopt.strategies.wrappers import Breeder, Budget, Finalists, Rungs, Steady

MOST_OF_A_GRID = 100_000
"""Trainings of a grid, which are all born at once."""


def strategy(config: StudyConfig) -> Strategy:
    """The strategy that a config names, in the wrappers that its tables ask for."""
    _check_size(config)
    bred = config.strategy in SEARCHES
    own = default(config) if config.default_first and not config.given and bred else None
    known = Known(config.given, config.warm.best, nearest(config.space, own) if own else None)
    search = cast("Strategy", resolve_name(STRATEGIES[config.strategy].factory)(config, known))
    if bred and len(config.given) > config.litters[0]:
        raise ConfigError(f"given has {len(config.given)} individuals: the first generation has {config.litters[0]}")
    prospect = getattr(search, "prospect", None)
    if config.mode == "steady":
        search = Steady(_steady(config, search), config.litters)
    if bred and config.fidelity.rungs:
        search = Rungs(search, config.fidelity)
    stop = config.stop
    if stop.exact:
        search, stop = Budget(search, stop.epochs, epochs(config)), replace(stop, epochs=0, exact=False)
    if stop.gain and not prospect:
        said = f"stop.gain is {stop.gain:g} with the strategy {config.strategy!r}"
        raise ConfigError(f"{said}, which has no model to expect any: must be 0, or the strategy 'assisted'")
    if stop != Stop():
        search = Stopping(search, config.space, stop, config.fidelity, prospect)
    if bred and config.noise.finalists:
        search = Finalists(search, config.noise)
    return search


def _steady(config: StudyConfig, search: Strategy) -> Breeder:
    if config.strategy not in SEARCHES:
        raise ConfigError(f"study.mode is 'steady' with the strategy {config.strategy!r}: must be one of {SEARCHES}")
    for key, given in (
        ("fidelity.rungs", config.fidelity.rungs),
        ("genetic.retrain", config.genetic.retrain),
        ("operators.immigrants", config.operators.immigrants),
    ):
        if given:
            raise ConfigError(f"study.mode is 'steady' with {key}, which counts by generations: leave one of them out")
    return cast("Breeder", search)


def _check_size(config: StudyConfig) -> None:
    """Not when a config is read: a study that ended early may have been to go further."""
    if config.strategy == "ray-asha":
        raise ConfigError("study.strategy is 'ray-asha', a search in a loop of its own: `gaopt compare` runs it")
    most = MOST_OF_A_GRID if config.strategy == "grid" else MOST
    if sum(config.litters) > most:
        why = "narrow the ranges, or give a gene a step" if config.strategy == "grid" else "take fewer generations"
        raise ConfigError(f"the plan has more than {most:,} trainings: {why}")
