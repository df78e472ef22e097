"""Trainings that die, ask for too much memory, learn nothing, hang, or all fail."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
import tomli_w

from gaopt import PoolConfig, StudyConfig, load
from gaopt.config import Faults
from gaopt.errors import Hopeless
from gaopt.journal.events import Failed, Reported, Retried
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.study import timeouts
from gaopt.study.loop import run
from tests.faults.nodes import study as naps
from tests.faults.studies import Tally, born, each_once, events, gaopt, gone, lost, on_ray, ray_of, study, table
from tests.faulty import finished


def dies_once(folder: Path, population: int = 12) -> Tally:
    """Every worker dies with the first try of its individual."""
    with ray_of():
        how = "the worker of every individual of a search dies once: SIGKILL, a segmentation fault, os._exit"
        return each_once(folder, study("dies_once", population, generations=4), how, "killed")


def dies_always(folder: Path, population: int = 6) -> Tally:
    """The worker of every second individual dies with each of its tries."""
    home = StudyDir(folder / "always")
    with ray_of():
        history = run(on_ray(study("dies_always", population)), home)
    retried = Counter(event.individual for event in events(home, Retried))
    came_to = {i.id: i.failure.reason if i.failure else "" for i in history.individuals.values()}
    well = sum(came_to[n] == "killed" and retried[n] == 1 for n in range(0, population, 2))
    others = all(came_to[n] == "" and not retried[n] for n in range(1, population, 2))
    return Tally(
        len(range(0, population, 2)),
        well * others,
        lost(home, finished(home)),
        "of some at every try: failed as killed after one retry",
    )


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


EPOCHS = 4
TINY = (
    *("pool.kind=inline", "assisted.population=4", "assisted.generations=1"),
    *("data.limit=500", f"recipe.epochs={EPOCHS}"),
)
GOOD = {"lr": 1e-2, "wd": 0.01, "mom": 0.85}
"""Learns the digits."""


def loss(folder: Path) -> Tally:
    """Weight decay times learning rate so large that weights grow without bounds."""
    config = _config(
        "space.lr.high=100.0", "space.wd.high=1.0", bad=[GOOD | {"lr": lr, "wd": 1.0} for lr in (100, 50, 25)]
    )
    return _tally(config, StudyDir(folder / "loss"), "real trainings: learning rates of 25 and more, the loss is NaN")


def chance(folder: Path) -> Tally:
    """Learning rates so low that nothing is learnt."""
    config = _config("space.lr.low=1e-12", "recipe.chance=0.5", bad=[GOOD | {"lr": lr} for lr in (1e-12, 1e-11, 1e-10)])
    return _tally(config, StudyDir(folder / "chance"), "of 1e-10 and less, stuck at chance (`recipe.chance`)")


def _config(*overrides: str, bad: list[dict[str, float]]) -> StudyConfig:
    return replace(load("quick", [*TINY, *overrides]), given=(*bad, GOOD))


def _tally(config: StudyConfig, home: StudyDir, how: str) -> Tally:
    """All individuals but the last go wrong: ended before their last epoch, below every score, the last the best."""
    history = run(config, home)
    *bad, good = history.individuals.values()
    early = [i.failure is not None and i.failure.reason == "diverged" and i.epochs < EPOCHS for i in bad]
    return Tally(len(bad), sum(early) * (history.best is good), lost(home, born(home)), how)


def beyond_the_limit(folder: Path, population: int = 12) -> Tally:
    """Some wait, some compute, for ever; the config sets a limit."""
    how = "two of six hang, one asleep, one holding the interpreter: beyond `faults.seconds`"
    return _hung(folder, population, Faults(seconds=15.0), how)


def beyond_siblings(folder: Path, population: int = 6) -> Tally:
    """No limit is set, but their siblings were through long ago."""
    how = "and silent for longer than siblings took (the least of 60 s lowered to 10)"
    with patch.object(timeouts, "LEAST", 10.0):
        return _hung(folder, population, Faults(), how)


def driver_suspended(folder: Path, seconds: float = 12.0) -> Tally:
    """The driver is stopped for longer than a training may take, while its trainings go on and end."""
    home, alone, config = (
        StudyDir(folder / "results" / "suspended"),
        StudyDir(folder / "alone"),
        naps(faults=Faults(seconds=6.0)),
    )
    run(replace(config, pool=PoolConfig(kind="inline")), alone)
    (folder / "naps.toml").write_text(tomli_w.dumps(config.plain()), "utf-8")
    driver = gaopt(home.path.parent, "run", str(folder / "naps.toml"), "--name", home.name)
    while driver.poll() is None and not (home.journal.is_file() and events(home, Reported)):
        time.sleep(0.05)
    driver.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    driver.send_signal(signal.SIGCONT)
    well = driver.wait(timeout=120) == 0 and table(home, "pid") == table(alone, "pid")
    how = f"SIGSTOP of the driver for {seconds:g} s, then SIGCONT: what ended meanwhile has its score"
    return Tally(1, int(well), lost(home, finished(home)), how)


def _hung(folder: Path, population: int, faults: Faults, how: str) -> Tally:
    home = StudyDir(folder / "hanging")
    with ray_of(3):  # two hang, and the others must come through beside them
        history = run(on_ray(study("hangs", population, faults=faults)), home)
        killed = [i for i in history.failed if 1 in i.reports and gone(int(i.reports[1].metrics["pid"]))]
    caused = [n for n in range(population) if n % 6 in (1, 3)]
    timed_out = [event.individual for event in events(home, Failed) if event.reason == "timed out"]
    well = len({i.id for i in killed} & {*timed_out} & {*caused})
    others = len(history.scored) == population - len(caused)
    return Tally(len(caused), well * others, lost(home, finished(home)), how)


def stopped(folder: Path, most: int = 10) -> Tally:
    """After 1, 2, … failures of one kind; once it is mended, the rest is trained."""
    tallies = [_stopped(StudyDir(folder / str(number)), number) for number in range(1, most + 1)]
    return Tally(
        len(tallies),
        sum(well for well, _ in tallies),
        sum(gone for _, gone in tallies),
        "every training raises: stops after 1 to 10 of them with the first traceback, goes on once that is mended",
    )


def _stopped(home: StudyDir, number: int) -> tuple[bool, int]:
    config = study("fails", population=12, faults=Faults(max_alike_failures=number))
    try:
        run(config, home)
    except Hopeless as error:
        told = 'raise ValueError("no such luck")' in str(error)
    else:
        return False, lost(home, ())
    before = History(Journal(home.journal))
    failed = len(before.failed)
    (home.path / "mended").touch()
    history = run(config, home)
    well = told and failed == len(history.failed) == number and len(history.scored) == 12 - number
    return well, lost(home, finished(home))
