"""make faults: every fault, caused for real; one line a row, and the table in docs/reliability.md."""

from __future__ import annotations

import os
import platform
import re
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version

import pytest

from tests.conftest import ROOT
from tests.faults import around, checkpoint, disk, nodes, trainings
from tests.faults.cause import caused
from tests.faults.studies import Tally


@dataclass(frozen=True)
class Row:
    """One fault: its name on the command line, what it is, and the functions that cause it in a scratch folder.

    Attributes:
        at_once: so many of them at the same time; more than one where none heeds the time or what the machine has left.
    """

    name: str
    fault: str
    causes: tuple[Callable[..., Tally], ...]
    at_once: int = 1


ROWS = (
    Row(
        "killed",
        "driver killed (SIGKILL) at any system call that writes or syncs",
        (disk.killed_at_every_call, disk.killed_again_and_again),
        at_once=2,
    ),
    Row("disk", "a write fails: disk full, EIO, read-only", (disk.full, disk.failing, disk.read_only), at_once=2),
    Row(
        "workers",
        "worker killed, segmentation fault, `os._exit`",
        (trainings.dies_once, trainings.dies_always),
        at_once=2,
    ),
    Row(
        "memory",
        "out of memory, on the host and on the GPU",
        (trainings.refused, trainings.killed_by_the_kernel, trainings.killed_by_ray, trainings.on_the_gpu),
    ),
    Row("diverged", "loss NaN or infinite, accuracy stuck at chance", (trainings.loss, trainings.chance)),
    Row(
        "hanging",
        "a training that hangs",
        (trainings.beyond_the_limit, trainings.beyond_siblings, trainings.driver_suspended),
    ),
    Row(
        "nodes",
        "node lost, Ray head lost, dashboard's port taken",
        (nodes.node_lost, nodes.head_lost, nodes.head_of_a_cluster_lost, around.taken),
        at_once=2,
    ),
    Row(
        "stopped",
        "told to stop: SIGINT, SIGTERM, SIGHUP, to the driver or to all",
        (nodes.all_told, nodes.told_while_behind),
        at_once=2,
    ),
    Row("holder", "two drivers on one study", (around.two_drivers,)),
    Row(
        "checkpoint",
        "checkpoint torn, zeroed, of another net, of an older version",
        (checkpoint.damaged, checkpoint.interrupted),
        at_once=2,
    ),
    Row("clock", "clock set back a day; a full and a slow disk", (around.set_back, disk.slow)),
    Row(
        "changed",
        "the code, data or config changed before resume",
        (around.code, around.config, around.data),
        at_once=2,
    ),
    Row("hopeless", "most individuals fail in the same way", (trainings.stopped,)),
)


@dataclass(frozen=True)
class Told:
    """What became of a row.

    Attributes:
        tally: of all its causes.
        untried: why some of them could not be tried here.
        broken: the last line of each exception that ended one.
    """

    row: Row
    tally: Tally
    seconds: float
    untried: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        return not self.broken and self.tally.well

    @property
    def line(self) -> str:
        """For the terminal."""
        tally, seconds = self.tally, f"{self.seconds:.0f} s"
        rest = "".join(f"\n    not tried: {why}" for why in self.untried) + "".join(
            f"\n    {why}" for why in self.broken
        )
        told = f"tried {tally.tried:>5}  survived {tally.survived:>5}  lost {tally.lost:>3}  {seconds:>6}"
        return f"{self.row.fault:<64} {told}{rest}"

    @property
    def cells(self) -> str:
        """For docs/reliability.md."""
        tally = self.tally
        how = "; ".join((*filter(None, (tally.how,)), *(f"not tried: {why}" for why in (*self.untried, *self.broken))))
        return f"| {self.row.fault} | {how} | {tally.tried} | {tally.survived} | {tally.lost} | {self.seconds:.0f} |"


HEAD = "| fault | how it is caused | tried | survived | lost | seconds |\n|---|---|---:|---:|---:|---:|"


def gathered(
    row: Row, tallies: Sequence[Tally], seconds: float, untried: Sequence[str] = (), broken: Sequence[str] = ()
) -> Told:
    """The tallies of a row's causes as one. A cause that broke, or tried nothing and did not say why, counts as a
    fault that was not survived."""
    broken = (*broken, *(f"nothing was tried: {tally.how}" for tally in tallies if not tally.tried))
    whole = Tally(
        sum(tally.tried for tally in tallies) + len(broken),
        sum(tally.survived for tally in tallies),
        sum(tally.lost for tally in tallies),
        "; ".join(tally.how for tally in tallies if tally.tried),
    )
    return Told(row, whole, seconds, tuple(untried), broken)


def tried(row: Row) -> Told:
    begun, tallies, untried, broken = time.monotonic(), list[Tally](), list[str](), list[str]()
    with ThreadPoolExecutor(row.at_once) as beside:
        told = [beside.submit(caused, cause) for cause in row.causes]
    for cause, tally in zip(row.causes, told, strict=True):
        try:
            tallies.append(tally.result())
        except pytest.skip.Exception as reason:
            untried.append(str(reason))
        except Exception as error:
            traceback.print_exc()
            broken.append(f"{cause.__name__}: {type(error).__name__}: {error}")
    return gathered(row, tallies, time.monotonic() - begun, untried, broken)


DOCUMENT = ROOT / "docs" / "reliability.md"
MARKED = re.compile(r"(?<=<!-- faults -->\n).*?(?=<!-- /faults -->)", re.S)


def machine(seconds: float) -> str:
    """On what it ran, and for how long."""
    import torch

    gpus, libraries = torch.cuda.device_count(), ", ".join(f"{name} {version(name)}" for name in ("ray", "torch"))
    where = f"On {os.cpu_count()} CPU cores and {gpus or 'no'} GPU; Python {platform.python_version()}, {libraries}."
    return f"{where} All of it took {seconds // 60:.0f} min {seconds % 60:.0f} s."


def main(names: list[str]) -> int:
    if unknown := set(names) - {row.name for row in ROWS}:
        print(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in ROWS)}")
        return 2
    found, begun = [], time.monotonic()
    for row in ROWS:
        if row.name in names or not names:
            found.append(tried(row))
            print(found[-1].line, flush=True)
    if not names:
        lines = "\n".join((machine(time.monotonic() - begun), "", HEAD, *(told.cells for told in found)))
        DOCUMENT.write_text(MARKED.sub(lambda _: f"{lines}\n", DOCUMENT.read_text("utf-8")), "utf-8")
    return 0 if all(told.well for told in found) else 1
