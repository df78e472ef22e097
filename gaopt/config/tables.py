"""Configs as tables of plain data: found, read from TOML, checked, overridden key by key, merged."""

import json
import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

from gaopt.errors import ConfigError, nearest

DEPTH = 50  # how deep lists and tables may be in one another
LARGEST = 16 << 20  # bytes of a text of a study: those that gaopt writes are far smaller


def presets() -> dict[str, Path]:
    """The presets by name."""
    return _shipped("*.toml")


def experiments() -> dict[str, Path]:
    """The experiments of the papers by name: configs with a table [small], what to change for a CPU."""
    return _shipped("reproduce/*.toml")


def _shipped(pattern: str) -> dict[str, Path]:
    """Configs beside the code in an installed package, in configs/ in a checkout."""
    package = Path(__file__).parent.parent
    for folder in (package / "presets", package.parent / "configs"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob(pattern), key=lambda path: path.stem)}
    return {}


def find(source: str | Path) -> Path:
    """The file of a preset's name or of a path; that of `<(…)` and `/dev/stdin` is a pipe."""
    known, path = presets(), Path(source)
    if str(source) in known:
        return known[str(source)]
    with suppress(OSError, ValueError):  # too long, not a path at all, or nobody may look there
        if path.is_file() or path.is_fifo():
            return path
    raise ConfigError(f"there is no preset and no file {str(source)!r}: {nearest(str(source), known)}")


def text_of(path: Path) -> str:
    """The text of a file, which may be somebody else's; a ValueError where it is larger than `LARGEST`, or no UTF-8."""
    with open(path, "rb") as file:
        found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST >> 20} MiB")
    return found.decode("utf-8-sig")  # some editors begin a file with a byte-order mark


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file."""
    try:
        return parse_toml(text_of(path), path)
    except ValueError as error:  # too large, or no UTF-8
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def parse_toml(text: str, source: object) -> dict[str, Any]:
    """The tables of a text; `source` names it where it is refused."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(f"{source} holds lists or tables that are nested too deep") from error
    except ValueError as error:  # no TOML, or a whole number that Python does not read
        raise ConfigError(f"{source} is not valid TOML: {error}") from error


def plain(value: Any, where: str, depth: int = 0) -> Any:
    """What a person gives as a file would hold it: numbers and arrays of numpy as Python's, paths as texts."""
    if depth > DEPTH:
        raise ConfigError(f"{where[:40]}… is nested too deep: at most {DEPTH} lists and tables may be in one another")
    found = value.tolist() if hasattr(value, "tolist") else value
    match found:
        case Mapping():
            return {
                _text(key, f"a key of {where or 'the config'}"): plain(inner, f"{where}.{key}".lstrip("."), depth + 1)
                for key, inner in found.items()
            }
        case list() | tuple():
            return [plain(inner, f"{where}[{index}]", depth + 1) for index, inner in enumerate(found)]
        case os.PathLike():
            return _text(os.fspath(found), where)
        case str():
            return _text(found, where)
        case float() if not math.isfinite(found):
            raise ConfigError(f"{where} is {found}: must be a finite number")
        case bool() | int() | float():
            return found
        case _:
            raise ConfigError(f"{where} is {found}: must be a number, a text, true, false, or a list or table of them")


def _text(value: Any, where: str) -> str:
    """A text; one with bytes of a path that are none is refused."""
    if not isinstance(value, str) or value.encode("utf-8", "replace").decode() != value:
        raise ConfigError(f"{where} is {value!r}: must be a text")
    return value


RENAMED = {
    "faults.times": "stall_factor",
    "faults.alike": "max_alike_failures",
    "assisted.rescored": "promote_by_model",
    "operators.apart": "min_distance",
}
"""Keys that configs and journals of 0.5 and before have by another name."""


def renamed(tables: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which keys have the names of today."""
    copy = dict(tables)
    for old, new in RENAMED.items():
        name, key = old.split(".")
        if isinstance(table := copy.get(name), Mapping) and key in table:
            if new in table:
                raise ConfigError(f"{old} and {name}.{new} are one key: give one of them")
            copy[name] = {new if each == key else each: value for each, value in table.items()}
    return copy


def overridden(tables: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A copy of tables with each "table.key=value" put in; what is no TOML, nor Python's True or .01, is a string."""
    copy = deepcopy(renamed(tables))
    for text in overrides:
        _override(copy, text)
    return copy


def changed(
    tables: Mapping[str, Any], data: str | None, sets: Sequence[str], keys: Mapping[str, str | None]
) -> dict[str, Any]:
    """Tables of a config with --data, --set, and the keys that other options stand for, the last said winning.

    --data is a path, whose images take the place of the digits, which have none, or the name of a packaged set.
    """
    table = tables.get("data")
    name = table.get("name", "digits") if isinstance(table, Mapping) else "digits"
    first = ["data.name=folder"] if data and name == "digits" else []
    if data and is_named(data):  # --set may say in which folder it is
        first, data = [f"data.name={quoted(data)}", 'data.path=""'], None
    named = {**keys, "data.path": quoted(data)}
    given = [f"{key}={value}" for key, value in named.items() if value is not None]
    return overridden(tables, [*first, *sets, *given])


def is_named(data: str) -> bool:
    """Whether what --data says is the name of a packaged set rather than a path."""
    return data.startswith("torchvision:")


def quoted(text: str | None) -> str | None:
    """A string as TOML writes it."""
    return None if text is None else json.dumps(text, ensure_ascii=False)


def merged(tables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of tables with the keys of other tables put in, table by table."""
    copy = deepcopy(dict(tables))
    for key, value in changes.items():
        inner = copy.get(key)
        copy[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else deepcopy(value)
    return copy


def _override(tables: dict[str, Any], text: str) -> None:
    key, sign, value = text.partition("=")
    parts = _key(key) if sign else []
    if len(parts) < 2:
        raise ConfigError(f"the override {text[:100]!r} is not of the form table.key=value")
    if new := RENAMED.get(".".join(parts)):
        parts[-1] = new
    for part in parts[:-1]:
        tables = tables.setdefault(part, {})
        if not isinstance(tables, dict):
            raise ConfigError(f"the override {text!r} goes through {part!r}, which is no table")
    tables[parts[-1]] = _value(value.strip())


def _key(text: str) -> list[str]:
    """The parts of a key, as TOML reads it; none if it is no key."""
    try:
        found: Any = tomllib.loads(f"{text.strip()} = 0")
    except (ValueError, RecursionError):
        return []
    parts = list[str]()
    while isinstance(found, dict) and len(found) == 1 and len(parts) < DEPTH:
        ((part, found),) = found.items()
        parts.append(part)
    return parts if found == 0 and all(parts) else []


def _value(text: str) -> Any:
    if text in ("True", "False"):  # as Python has them
        return text == "True"
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError, KeyError):  # also a whole number that Python does not read
        with suppress(ValueError):  # TOML wants digits on both sides of a point
            return float(text) if "." in text else text
        return text


def reported(metric: str) -> str:
    """The name under which trainings report a metric of [fitness]: loggers take no dash before it."""
    return "neg_log_loss" if metric == "-loss" else metric
