"""A table of a page: cells as words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Cells as words. `text` holds the indices of columns that are not numbers; `strong`, a row to point out."""

    head: list[str]
    rows: list[list[str]]
    text: frozenset[int] = frozenset()
    strong: int = -1
