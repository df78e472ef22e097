# ruff: noqa: A004, F401
"""gaopt: a genetic search over hyperparameters, of image classifiers or of any function.

    import gaopt
    space = gaopt.Space(x=gaopt.Gene(-1, 1), y=gaopt.Gene(-1, 1))
    study = gaopt.search(lambda genes: genes["x"] ** 2 + genes["y"] ** 2, space, minimize=True)
    print(study.best.genes, study.best.value)

The names below are loaded on first use, so that `import gaopt` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gaopt import loggers
    from gaopt.api import Best, Callback, Study, open, search
    from gaopt.config import Assisted, Genetic, PoolConfig, Stop, StudyConfig, load
    from gaopt.errors import GaoptError
    from gaopt.journal import events
    from gaopt.journal.history import History
    from gaopt.objectives.base import Report, Score, Task
    from gaopt.space import Choice, Gene, Space
    from gaopt.strategies.ask import Observation, Told, ask
    from gaopt.study.loop import run

__version__ = "0.5.0"

_home = {
    "search": "gaopt.api",
    "open": "gaopt.api",
    "Study": "gaopt.api",
    "Best": "gaopt.api",
    "Callback": "gaopt.api",
    "Gene": "gaopt.space",
    "Choice": "gaopt.space",
    "Space": "gaopt.space",
    "Assisted": "gaopt.config",
    "Genetic": "gaopt.config",
    "Stop": "gaopt.config",
    "PoolConfig": "gaopt.config",
    "Report": "gaopt.objectives.base",
    "Score": "gaopt.objectives.base",
    "Task": "gaopt.objectives.base",
    "events": "gaopt.journal",
    "loggers": "gaopt",
    "run": "gaopt.study.loop",
    "load": "gaopt.config",
    "StudyConfig": "gaopt.config",
    "History": "gaopt.journal.history",
    "ask": "gaopt.strategies.ask",
    "Observation": "gaopt.strategies.ask",
    "Told": "gaopt.strategies.ask",
    "GaoptError": "gaopt.errors",
}

__all__ = ["__version__", *(name for name in _home if name != "open")]  # an `import *` keeps Python's own


def __getattr__(name: str) -> Any:
    if name not in _home:
        raise AttributeError(f"module 'gaopt' has no attribute {name!r}")
    if name in ("events", "loggers"):
        return import_module(f"{_home[name]}.{name}")
    return getattr(import_module(_home[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "open"])
