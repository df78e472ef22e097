"""What decides: pure functions from a study's history to its next decision."""

from dataclasses import replace
from typing import assert_never

from gaopt.config import PEERS, SEARCHES, Stop, StudyConfig
from gaopt.errors import ConfigError
from gaopt.objective import default, epochs
from gaopt.strategies.base import Strategy, keyed
from gaopt.strategies.baseline import Fixed, Grid, RandomSearch
from gaopt.strategies.budget import Budget
from gaopt.strategies.finalists import Finalists, finalists
from gaopt.strategies.genetic import GeneticSearch
from gaopt.strategies.known import Known, nearest
from gaopt.strategies.rungs import Rungs
from gaopt.strategies.stopping import Stopping

__all__ = ["Fixed", "GeneticSearch", "Grid", "RandomSearch", "Strategy", "finalists", "keyed", "strategy"]


MOST_OF_A_GRID, MOST = 100_000, 10_000_000
"""Trainings of a study: a grid's are all born at once, and nobody waits for more of any."""


def strategy(config: StudyConfig) -> Strategy:
    """The strategy that a config names, in the wrappers that its tables ask for.

    Raises:
        ConfigError: the strategy cannot use the genes, or more are given than its first generation has places.
    """
    _check_size(config)
    search, bred = _bare(config), config.strategy in SEARCHES
    if bred and len(config.given) > config.litters[0]:
        raise ConfigError(f"given has {len(config.given)} individuals: the first generation has {config.litters[0]}")
    if bred and config.fidelity.rungs:
        search = Rungs(search, config.fidelity)
    stop = config.stop
    if stop.exact:
        search, stop = Budget(search, stop.epochs, epochs(config)), replace(stop, epochs=0, exact=False)
    if stop != Stop():
        search = Stopping(search, config.space, stop, config.fidelity)
    if bred and config.noise.finalists:
        search = Finalists(search, config.noise)
    return search


def _check_size(config: StudyConfig) -> None:
    """Not when a config is read: a study that ended early may have been to go further."""
    trained_by = config.genetic.litters if config.strategy in PEERS else config.litters
    most = MOST_OF_A_GRID if config.strategy == "grid" else MOST
    if sum(trained_by) > most:
        why = "narrow the ranges, or give a gene a step" if config.strategy == "grid" else "take fewer generations"
        raise ConfigError(f"the plan has more than {most:,} trainings: {why}")


def _known(config: StudyConfig) -> Known:
    own = default(config) if config.default_first and not config.given and config.strategy in SEARCHES else None
    return Known(config.given, config.warm.best, nearest(config.space, own) if own else None)


def _bare(config: StudyConfig) -> Strategy:
    known = _known(config)
    match config.strategy:
        case "genetic":
            return GeneticSearch(config.space, config.genetic, config.seed, known, config.operators)
        case "assisted":
            from gaopt.strategies.assisted import AssistedSearch  # scipy, half a second

            return AssistedSearch(config.space, config.assisted, config.seed, known, config.operators)
        case "random":
            return RandomSearch(config.space, config.genetic, config.seed, known)
        case "grid":
            return Grid(config.space, config.grid.repeats)
        case "fixed":
            return Fixed(config.space, config.fixed, config.grid.repeats)
        case "optuna-tpe" | "optuna-gp":
            from gaopt.strategies.sampled import Sampled  # Optuna, an extra

            return Sampled(config.space, config.strategy, config.trainings, config.seed)
        case "ray-asha":
            raise ConfigError("study.strategy is 'ray-asha', a search in a loop of its own: `gaopt compare` runs it")
        case other:  # pragma: no cover - the config allows no other
            assert_never(other)
