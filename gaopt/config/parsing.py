"""Dataclasses from tables: each value checked against its annotation, each mistake one clear sentence."""

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from gaopt.errors import ConfigError, nearest

T = TypeVar("T")


def parse(kind: type[T], table: Any, where: str) -> T:
    """A dataclass from a table, each value checked against its annotation."""
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where} is {table!r}: must be a table")
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise ConfigError(f"unknown key {where}.{key}: {nearest(key, known)}")
    try:
        # As JSON, so that a list may stand for a tuple while "3" still does not stand for 3.
        parsed: T = _adapter(kind).validate_json(json.dumps(table, default=str), strict=True)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigError(sentence_of(error, where)) from None
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    return parsed


def parse_value(kind: type[Any], field: str, value: Any, where: str) -> None:
    """Check a value against the annotation of a dataclass's field, whatever the other fields are."""
    try:
        hint = get_type_hints(kind, include_extras=True)[field]
        _adapter(hint).validate_json(json.dumps(value, default=str), strict=True)
    except ValidationError as error:
        raise ConfigError(sentence_of(error, where)) from None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Made once: it takes longer than all that is checked with it."""
    return TypeAdapter(kind)


def sentence_of(error: ValidationError, where: str) -> str:
    """The first mistake that pydantic found, as one sentence: what is wrong, the value found, what is allowed."""
    first = error.errors(include_url=False)[0]
    parts = [part for part in first["loc"] if not str(part).startswith("function-")]
    key = where + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    if first["type"] == "missing":
        return f"{key} is missing"
    what = first["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    what = what.replace("an object", "a table")
    return f"{key} is {first['input']!r}: {what}" if first["type"] != "value_error" else f"{where}: {what}"


def table(tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """One of several tables, empty where it is not there."""
    found = tables.get(name, {})
    if not isinstance(found, Mapping):
        raise ConfigError(f"{name} is {found!r}: must be a table")
    return found
