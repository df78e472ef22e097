"""gaopt: a genetic search over the hyperparameters of image classifiers.

    import gaopt
    history = gaopt.run(gaopt.load("quick"), "results/mine")
    print(history.best.genes, history.best.fitness)

The names below are loaded on first use, so that `import gaopt` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.5.0"

_home = {
    "run": "gaopt.study.loop",
    "ask": "gaopt.strategies.ask",
    "Observation": "gaopt.strategies.ask",
    "Told": "gaopt.strategies.ask",
    "load": "gaopt.config",
    "StudyConfig": "gaopt.config",
    "Genetic": "gaopt.config",
    "PoolConfig": "gaopt.config",
    "Gene": "gaopt.space",
    "Choice": "gaopt.space",
    "Space": "gaopt.space",
    "History": "gaopt.journal.history",
    "Report": "gaopt.objectives.base",
    "Score": "gaopt.objectives.base",
    "Task": "gaopt.objectives.base",
    "GaoptError": "gaopt.errors",
}

__all__ = ["__version__", *_home]


def __getattr__(name: str) -> Any:
    if name not in _home:
        raise AttributeError(f"module 'gaopt' has no attribute {name!r}")
    return getattr(import_module(_home[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
