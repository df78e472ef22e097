"""What a config says and nobody would read: refused, for whoever wrote it meant something by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    "noise.repeats": "noise.finalists > 0",
    "stop.price": "stop.money > 0",
    "warm.best": "warm.studies != []",
}
"""Keys that only some values of others give a meaning."""


def check_unused_keys(config: StudyConfig, begun: StudyConfig | None = None) -> None:
    """Refuse what nobody would read.

    Args:
        begun: how the study was begun, if it goes on: what was not read then may stay as it is.

    Raises:
        ConfigError: a table or a key has another value than the default, and nothing reads it.
    """
    for name, sentence in _unread(config):
        if begun is None or _value(config, name) != _value(begun, name):
            raise ConfigError(sentence)


def _unread(config: StudyConfig) -> Iterator[tuple[str, str]]:
    """(table or table.key, what is to be said of it)"""
    defaults = {name: kind() for name, kind in DECIDING.items()}
    for name in sorted(_changed(config, defaults) - _read(config, defaults)):
        yield name, f"[{name}] is not read by the strategy {config.strategy!r}: leave it out, or set study.strategy"
    values, usual = _keys({name: getattr(config, name) for name in defaults}), _keys(defaults)
    for key, condition in _READ_WHERE.items():
        if values[key] != usual[key] and not Expression(condition).holds(values):
            yield key, f"{key} is {values[key]!r}, which is read only where {condition}: leave it out"


def _changed(config: StudyConfig, defaults: Mapping[str, Any]) -> set[str]:
    changed = {name for name, table in defaults.items() if getattr(config, name) != table}
    return changed | {name for name in ("given", "fixed") if getattr(config, name)}


def _read(config: StudyConfig, defaults: Mapping[str, Any]) -> set[str]:
    """With the numbers of another search: `--set study.strategy` is enough to change it."""
    others = {"genetic"} if config.strategy == "assisted" and config.assisted != defaults["assisted"] else set()
    return {*STRATEGIES[config.strategy].reads, *others}


def _keys(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Their values by table.key, lists as a condition writes them."""
    flat = {f"{name}.{key}": value for name, table in tables.items() for key, value in asdict(table).items()}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in flat.items()}


def _value(config: StudyConfig, name: str) -> Any:
    table, _, key = name.partition(".")
    return getattr(getattr(config, table), key) if key else getattr(config, table)
