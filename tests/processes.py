"""The processes below one, as Linux's /proc tells them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def below(pid: int) -> Iterator[int]:
    """All processes that descend from one, whichever of its threads began them."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text("ascii").split()):
                yield child
                yield from below(child)


def name(pid: int) -> str:
    """What a process calls itself, without its folder; "" where there is none, or only its entry."""
    with suppress(OSError):
        return Path(os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0])).name
    return ""
