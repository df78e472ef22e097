"""Whether the kernel has killed for memory: a worker that it killed looks like any other that died."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

COUNTS = Path("/proc/vmstat")


def killed(counts: Path = COUNTS) -> int:
    """How many processes of this machine its kernel has killed for memory; it does not say here which.

    0 where nobody counts, as on other systems than Linux. Of other nodes of a cluster nothing is known.
    """
    with suppress(OSError, ValueError):
        for line in counts.read_text("ascii").splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0
