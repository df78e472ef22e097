"""Loggers: callbacks that write a search to other tools while it runs.

    study = gaopt.search(objective, space, callbacks=[gaopt.loggers.TensorBoard()])

On the command line: `gaopt run --log tensorboard`. `gaopt export` writes a study afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gaopt.errors import BadInput

if TYPE_CHECKING:
    from gaopt.loggers.base import Logger
    from gaopt.loggers.mlflow import MLflow
    from gaopt.loggers.tensorboard import TensorBoard
    from gaopt.loggers.wandb import Trackio, WandB

__all__ = ["Logger", "MLflow", "TensorBoard", "Trackio", "WandB"]

_NEEDED = {
    "Logger": ("base", (), ""),
    "TensorBoard": ("tensorboard", ("tensorboardX",), "tensorboardX"),
    "MLflow": ("mlflow", ("mlflow", "sqlalchemy", "alembic"), "gaopt[mlflow]"),
    "WandB": ("wandb", ("wandb",), "wandb"),
    "Trackio": ("wandb", ("trackio",), "trackio"),
}
"""By name: the module, the packages that it needs, and what to install for them."""

NAMES = {name.lower(): name for name in __all__ if name != "Logger"}
"""As the command line calls them."""


def made(names: Iterable[str]) -> list[Logger]:
    """The loggers that the command line names, each once.

    Raises:
        BadInput: a package that one needs is missing.
    """
    try:
        return [__getattr__(NAMES[name])() for name in dict.fromkeys(names)]
    except ImportError as error:
        raise BadInput(str(error)) from None


def __getattr__(name: str) -> Any:
    if name not in _NEEDED:
        raise AttributeError(f"module 'gaopt.loggers' has no attribute {name!r}")
    module, packages, install = _NEEDED[name]
    if missing := [package for package in packages if find_spec(package) is None]:
        raise ImportError(f"{missing[0]} is not installed, and the logger {name} needs it: pip install '{install}'")
    return getattr(import_module(f"gaopt.loggers.{module}"), name)
