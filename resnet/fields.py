"""Fields of configs: paths that are checked, genes that replace them. No torch here."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, TypeVar

T = TypeVar("T")

KINDS = {float: "a number", int: "a whole number", bool: "true or false", str: "a word"}


def changed(table: T, genes: Mapping[str, Any], what: str, never: Collection[str]) -> T:
    """The same table with some fields replaced; whole numbers stay whole.

    A ValueError where a gene is no field that can be one, or of another kind, or the fields do not go together.
    """
    kinds = {f.name: type(f.default) for f in fields(table) if type(f.default) in KINDS and f.name not in never}  # type: ignore[arg-type]
    for name in genes:
        if name not in kinds:
            raise ValueError(f"{name!r} is no field of the {what} that can be a gene: known: {', '.join(kinds)}")
    return replace(table, **{name: _as(kinds[name], name, value) for name, value in genes.items()})  # type: ignore[type-var]


def _as(kind: type, name: str, value: Any) -> Any:
    if (found := kind(value)) != value:
        raise ValueError(f"{name} is {value!r}: must be {KINDS[kind]}")
    return found


def check_path(key: str, path: str) -> None:
    """A ValueError where the system can have no file of that name: a NUL, or half a character."""
    with suppress(UnicodeEncodeError):
        if b"\0" not in os.fsencode(path):
            return
    raise ValueError(f"{key} is {path!r}: must be a path, and no path holds that")
