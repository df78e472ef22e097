"""Paths in configs."""

from __future__ import annotations

import os


def check_path(key: str, path: str) -> None:
    """
    Raises:
        ValueError: the system can have no file of that name: a NUL, or half a character.
    """
    try:
        possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise ValueError(f"{key} is {path!r}: must be a path, and no path holds that")
