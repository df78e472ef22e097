"""Fields of configs: paths that are checked, genes that replace them. No torch here."""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, TypeVar

T = TypeVar("T")


def changed(table: T, genes: Mapping[str, Any], what: str, never: Collection[str]) -> T:
    """The same table with some fields replaced; a ValueError where a gene is no field, or they do not go together."""
    whole: Any = table
    kinds: dict[str, Any] = {each.name: type(each.default) for each in fields(whole) if each.name not in never}
    known = [name for name, kind in kinds.items() if kind in (float, int, bool, str)]
    for name in genes:
        if name not in known:
            raise ValueError(f"{name!r} is no field of the {what} that can be a gene: known: {', '.join(known)}")
    changed: T = replace(whole, **{name: kinds[name](value) for name, value in genes.items()})
    return changed


def check_path(key: str, path: str) -> None:
    """A ValueError where the system can have no file of that name: a NUL, or half a character."""
    with suppress(UnicodeEncodeError):
        if b"\0" not in os.fsencode(path):
            return
    raise ValueError(f"{key} is {path!r}: must be a path, and no path holds that")
