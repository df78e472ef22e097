"""What has changed since a study was opened last, and whether it may go on with that.

How far and where it goes on is free. How individuals are trained may change where whoever resumes it says so, and the
journal says what it was. What the search is – its genes, its strategy, its seed – makes it another study.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gaopt.config import DECIDING, SEARCHES, StudyConfig, check_unused_keys, from_tables
from gaopt.config.tables import LARGEST, read_toml, renamed
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Objective, resolve

FREE = (
    "study.default_first",  # matters to the first generation alone, which a study has from its start
    *("genetic.generations", "assisted.generations", "genetic.trainings", "assisted.trainings", "grid.repeats"),
    *("pool.kind", "pool.address", "pool.gpus", "pool.dashboard"),
    *("noise.finalists", "noise.repeats", "notify.url"),
    *(f"faults.{key}" for key in ("retries", "seconds", "stall_factor", "max_alike_failures")),
    *("stop.target", "stop.generations", "stop.spread", "stop.gain"),
    *("stop.epochs", "stop.seconds", "stop.money", "stop.price"),
)
"""What may differ when a study is gone on with."""

TRAINING = ("data.", "net.", "recipe.", "settings.", "study.objective", "pool.cpus")
"""What the keys begin with that say how individuals are trained. With other threads a CPU gives other numbers."""

ALLOW = "go on all the same with --allow-changed (in Python allow_changed=True), which writes it down"


def begun_with(home: StudyDir, history: History, allowed: bool) -> Mapping[str, Any]:
    """The tables that a study goes on with: those of its config.toml, which somebody may have changed.

    Those of its journal where there is no such file, and where the file is that of a driver before the last: one that
    was killed between opening the study and writing its own has done nothing else.

    Raises:
        StudyError: somebody changed what must be allowed, and it is not.
        ConfigError: the file cannot be read. One that is no text at all nobody wrote, and it may be passed over.
    """
    tables = _written(home, allowed)
    if tables is None or (history.untouched and any(tables == opened.config for opened, _ in history.openings[:-1])):
        return history.config
    found = list(_differing(history.config, tables))
    if found and not allowed:
        allow = f", or {ALLOW}" * all(key.startswith(TRAINING) for key, _, _ in found)
        raise StudyError(f"{home.config} was changed: {_told(*found[0])}: put it back{allow}")
    return tables


def _written(home: StudyDir, allowed: bool) -> Mapping[str, Any] | None:
    """What config.toml says; None if there is none, or it is lost and may be."""
    if not home.config.is_file():
        return None
    try:
        if tables := read_toml(home.config):
            return tables
        raise ConfigError(f"{home.config} is empty")
    except ConfigError as error:
        if allowed and _lost(home.config):
            return None
        raise ConfigError(f"{error}: mend it, or remove it to go on with what the journal says") from error


def _lost(path: Path) -> bool:
    """Whether a disk left something else than a text."""
    if not os.access(path, os.R_OK):
        return True
    with open(path, "rb") as file:
        text = file.read(LARGEST).decode("utf-8", "replace")
    return not text.strip() or any(sign in text for sign in "\0\N{REPLACEMENT CHARACTER}")


def changes(
    history: History, config: StudyConfig, made_of: Mapping[str, str] | None = None, allowed: bool = False
) -> tuple[str, ...]:
    """How individuals are trained otherwise than before: a phrase for each thing that changed.

    Args:
        made_of: of which trainings are made now, see `Objective.made_of`.
        allowed: whether it may have changed.

    Raises:
        StudyError: it is another search; or something changed, and it is not allowed. With what changed.
        ConfigError: what may differ does, and is not read.
    """
    if not history.config:
        return ()
    begun = from_tables(history.config)
    now = then = resolve(config.objective)
    if begun.objective != config.called:
        with suppress(ConfigError):  # it may be gone, or in another program
            then = resolve(begun.objective)
    found = list(_differing(_whole(begun, then), _whole(config, now)))
    for key, old, new in found:
        if not key.startswith(TRAINING):
            raise StudyError(f"the study was begun with {_told(key, old, new)}: start a new one")
    said = (*(_told(*each) for each in found), *parts(history.made_of, made_of or {}))
    if said and not allowed:
        raise StudyError(f"the study was begun with {said[0]}: start a new one, or {ALLOW}")
    check_unused_keys(config, begun)
    _check_length(history, config)
    return said


def _check_length(history: History, config: StudyConfig) -> None:
    if config.strategy == "grid" and config.trainings < len(history.individuals):
        raise StudyError(
            f"grid.repeats is {config.grid.repeats}: the study has {len(history.individuals)} individuals already"
        )
    own = getattr(config, config.numbers)
    if config.strategy in SEARCHES and own.trainings:
        if own.trainings < history.born:
            said = f"{config.numbers}.trainings is {own.trainings}"
            raise StudyError(f"{said}: the study has {history.born} individuals already")
    elif config.strategy != "grid" and config.generations < len(history.populations):
        raise StudyError(
            f"{config.numbers}.generations is {config.generations}: the study has {len(history.populations)} already"
        )


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each key, "table.key", with what it was and what it is now."""
    before, after = flat(renamed(old)), flat(renamed(new))
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key) and key not in FREE:
            yield key, before.get(key), after.get(key)


def _told(key: str, old: Any, new: Any) -> str:
    return f"{key} = {old!r}, now it is {new!r}"


def parts(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """What trainings are made of otherwise than before, in words.

    A study that was begun before parts were written down, or with a pool that tells none, has none.
    """
    if old and new:
        differing = [name for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name)]
        if differing:
            yield "other " + ", ".join(differing[:5]) + (f" and {len(differing) - 5} more" * (len(differing) > 5))


def _whole(config: StudyConfig, objective: Objective) -> dict[str, Any]:
    """With the defaults of this version: a study may have been begun with another, that had fewer keys."""
    whole = objective.check(config)
    return whole.plain() | {name: asdict(getattr(whole, name)) for name in (*DECIDING, "faults")}


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The keys of nested tables as "table.key"."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return found
