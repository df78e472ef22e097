"""Trainings that ask for more memory than there is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.faults.row import Tally
from tests.faults.studies import each_once, ray_of, study

REASON = "out of memory"
GROUPS = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
"""Where control groups of version 1 and 2 are."""
LIMITS = "memory.limit_in_bytes", "memory.max"
ROOM = 256 << 20
"""Bytes that a training may take in a group of its own."""


def refused(folder: Path, population: int = 6) -> Tally:
    """More is allocated than the process may have: Python and torch raise."""
    with ray_of():
        how = "host: a limit of the process, every individual beyond it once"
        return each_once(folder, study("fills_its_limit", population, generations=2), how, REASON)


def killed_by_the_kernel(folder: Path, population: int = 4) -> Tally:
    """In a control group that is too small the kernel kills the worker."""
    with group() as place:
        if place is None:
            pytest.skip("host: no right to make a control group in which the kernel would kill")
        with ray_of():
            config = study("fills_its_group", population, generations=2, group=str(place))
            return each_once(folder, config, "the kernel's killer in a small control group", REASON)


def killed_by_ray(folder: Path, population: int = 2) -> Tally:
    """Ray's own watch over the node's memory kills the worker before the kernel would."""
    total, free = (_meminfo(name) for name in ("MemTotal", "MemAvailable"))
    short = {
        "RAY_memory_usage_threshold": f"{(total - free + (2 << 30)) / total:.4f}",  # two GiB more than is used now
        "RAY_memory_monitor_refresh_ms": "100",
    }
    with patch.dict(os.environ, short), ray_of(1):
        return each_once(folder, study("fills_the_node", population), "Ray's watch over the node", REASON)


def on_the_gpu(folder: Path, population: int = 8) -> Tally:
    """What torch raises when a GPU is full, by filling it where there is one. The worker is thrown away, the next try
    alone."""
    import torch

    with ray_of():
        why = "by filling it" if torch.cuda.is_available() else "raised by hand, for no GPU is at hand"
        how = f"GPU: torch's OutOfMemoryError, {why}; its worker serves no other"
        tally = each_once(folder, study("spoils_its_worker", population, generations=2), how, REASON)
    served = [line.split() for line in (folder / "faulty" / "workers.txt").read_text("ascii").splitlines()]
    begun: set[str] = set()
    spoilt: set[str] = set()
    for individual, pid in served:
        if pid in spoilt:
            return replace(tally, survived=0)
        if individual not in begun:
            spoilt.add(pid)
        begun.add(individual)
    return tally


@contextmanager
def group() -> Iterator[Path | None]:
    """A control group with little memory; None where none can be made."""
    place = _made()
    try:
        yield place
    finally:
        if place:
            place.rmdir()


def _made() -> Path | None:
    for root, limit in zip(GROUPS, LIMITS, strict=True):
        place = root / f"gaopt-{os.getpid()}"
        with suppress(OSError):
            place.mkdir()
            with suppress(OSError):
                (place / limit).write_text(str(ROOM), "ascii")
                return place
            place.rmdir()
    return None


def _meminfo(name: str) -> int:
    """Bytes."""
    lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))
