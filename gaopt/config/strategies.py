"""The strategies: to add one, write a row here and the file that its factory is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaopt.config.study import StudyConfig

_AROUND = ("fidelity", "noise", "stop", "warm", "given")

MOST = 10_000_000  # trainings of a study: nobody waits for more


@dataclass(frozen=True)
class StrategyRow:
    """What there is to know of a strategy."""

    factory: str  # "module:callable" that makes the strategy of a config and what is known before; loaded on first use
    reads: tuple[str, ...]  # the tables that it reads, and those of others that may stand beside them
    litters: Callable[[StudyConfig], list[int]]  # how many individuals each generation begins to train, at most
    title: str = ""  # what a comparison calls it; "" if it is compared under another name, or not at all
    breeds: bool = False  # whether it has generations, which rungs, rules to stop and finalists can wrap


def _peer(factory: str, title: str) -> StrategyRow:
    """A search of another library: as many trainings as "genetic" has, each begun when there is room for it."""
    return StrategyRow(
        factory, ("genetic", "assisted", "stop"), lambda of: [1] * min(sum(of.genetic.litters), MOST + 1), title
    )


STRATEGIES = {
    "assisted": StrategyRow(
        "gaopt.strategies.surrogate.assisted:AssistedSearch",
        (*_AROUND, "assisted", "operators"),
        lambda of: of.assisted.litters,
        "genetic search, a model choosing among the offspring",
        breeds=True,
    ),
    "genetic": StrategyRow(
        "gaopt.strategies.genetic:GeneticSearch",
        (*_AROUND, "genetic", "operators", "assisted"),
        lambda of: of.genetic.litters,
        "the genetic search as it was first",
        breeds=True,
    ),
    "random": StrategyRow(
        "gaopt.strategies.baselines:RandomSearch",
        (*_AROUND, "genetic", "assisted"),
        lambda of: of.genetic.litters,
        "random search",
        breeds=True,
    ),
    "optuna-tpe": _peer("gaopt.strategies.optuna:Sampled", "Optuna's TPE sampler"),
    "optuna-gp": _peer("gaopt.strategies.optuna:Sampled", "Optuna's Gaussian process sampler"),
    "ray-asha": _peer("", "Ray Tune's random search with ASHA"),
    "grid": StrategyRow(
        "gaopt.strategies.baselines:Grid",
        ("grid", "genetic", "assisted"),
        lambda of: [of.grid.repeats * of.space.levels],
    ),
    "fixed": StrategyRow(
        "gaopt.strategies.baselines:Fixed",
        ("fixed", "grid", "stop"),
        lambda of: [1] * of.grid.repeats,
    ),
}
SEARCHES = tuple(name for name, row in STRATEGIES.items() if row.breeds)  # the strategies that breed generations
COMPARED = {name: row.title for name, row in STRATEGIES.items() if row.title}
"""The searches that a comparison knows by their own names, with their titles."""
