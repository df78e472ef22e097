"""What decides: pure functions from a study's history to its next decision."""

from gaopt.config import StudyConfig
from gaopt.strategies.base import Strategy, keyed
from gaopt.strategies.baseline import Fixed, Grid
from gaopt.strategies.genetic import GeneticSearch

__all__ = ["Fixed", "GeneticSearch", "Grid", "Strategy", "keyed", "strategy"]


def strategy(config: StudyConfig) -> Strategy:
    """The strategy that a config names."""
    match config.strategy:
        case "genetic":
            return GeneticSearch(config.space, config.genetic, config.seed)
        case "assisted":
            from gaopt.strategies.assisted import AssistedSearch  # scipy, half a second

            return AssistedSearch(config.space, config.assisted, config.seed)
        case "grid":
            return Grid(config.space, config.grid.repeats)
        case "fixed":
            return Fixed(config.space, config.fixed)
