"""What a config says and nobody would read: refused, for whoever wrote it meant something by it."""

from dataclasses import asdict
from typing import Any

from gaopt.config.strategies import STRATEGIES
from gaopt.config.study import DECIDING, StudyConfig
from gaopt.errors import ConfigError
from gaopt.space.conditions import Expression

_READ_WHERE = {
    "operators.step": "operators.mutation == 'gaussian' or operators.adaptive",
    "operators.eta": "operators.mutation == 'polynomial' or operators.crossover == 'sbx'",
    "operators.alpha": "operators.crossover == 'blend'",
    "operators.rivals": "operators.selection == 'tournament'",
    "operators.adaptive": "operators.mutation in ['gaussian', 'polynomial']",
    "fidelity.keep": "fidelity.rungs != []",
    "genetic.generations": "genetic.trainings == 0",
    "assisted.generations": "assisted.trainings == 0",
    "noise.repeats": "noise.finalists > 0",
    "stop.price": "stop.money > 0",
    "warm.best": "warm.studies != []",
}
"""Keys that only some values of others give a meaning."""


def check_unused_keys(config: StudyConfig, begun: StudyConfig | None = None) -> None:
    """Refuse what nobody would read; what was not read when the study was `begun` may stay as it is."""
    usual = StudyConfig(config.space, "")
    read = {*STRATEGIES[config.strategy].reads}
    if config.strategy == "assisted" and config.assisted != usual.assisted:
        read.add("genetic")  # the numbers of another search: `--set study.strategy` is enough to change it
    for name in sorted({*DECIDING, "given", "fixed"} - read):
        if getattr(config, name) not in (getattr(usual, name), getattr(begun, name, None)):
            raise ConfigError(f"[{name}] is not read by the strategy {config.strategy!r}: leave it out, or set another")
    values, defaults, before = _keys(config), _keys(usual), _keys(begun) if begun else {}
    for key, condition in _READ_WHERE.items():
        if values[key] not in (defaults[key], before.get(key)) and not Expression(condition).holds(values):
            raise ConfigError(f"{key} is {values[key]!r}, which is read only where {condition}: leave it out")


def _keys(config: StudyConfig) -> dict[str, Any]:
    flat = {f"{name}.{key}": value for name in DECIDING for key, value in asdict(getattr(config, name)).items()}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in flat.items()}
