"""Checkpoints that cannot be used: found out, the one before used instead, and said so."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from gaopt.journal.atomic_write import tidy
from resnet import weights
from resnet.callbacks import Epochs
from resnet.checkpoint import Checkpoint
from resnet.data import DataSpec, Images, load
from resnet.recipe import Recipe
from resnet.spec import NetSpec
from resnet.train import Trained, train
from tests.faults.forks import Ended, Forks
from tests.faults.studies import Tally
from tests.faults.walk import spread

SPEC = NetSpec("resnet20")
RECIPE = Recipe(lr=5e-3, epochs=3, batch=32, checkpoint=0.0)


def images() -> Images:
    return load(DataSpec("digits", limit=100))


class Killed(Exception):  # noqa: N818
    """Stands for the end of a process."""


def killed_in_its_last_epoch(path: Path) -> None:
    """A training that leaves two checkpoints: after its first epoch, and after its second."""

    def dies(epoch: int, metrics: Any, cycle: Any = ()) -> None:
        if epoch == RECIPE.epochs:
            raise Killed

    try:
        train(SPEC, RECIPE, images(), report=dies, checkpoint=path)
    except Killed:
        return
    raise AssertionError("it was not killed")


def flip(path: Path, place: int) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def _later(path: Path) -> None:
    found = weights.read(path)
    assert found
    weights.write(path, found[0], found[1] | {"format": "3"})


LONG = 1e6
"""Seconds that an older version's checkpoint says it took: who goes on from it has taken longer."""


def older(path: Path, fingerprint: str = "") -> None:
    """Write it as gaopt 0.4.0 did: no format, no checksum, an entry of the header for each note.

    Args:
        fingerprint: another than it has.
    """
    found = weights.read(path)
    assert found
    tensors, notes = found
    progress = json.dumps(json.loads(notes["progress"]) | {"seconds": LONG})
    told = {"fingerprint": fingerprint or notes["fingerprint"], "progress": progress}
    path.write_bytes(save(tensors, told))


def _another(path: Path) -> None:
    other = path.with_name("other.safetensors")
    train(replace(SPEC, width=2), RECIPE, images(), checkpoint=other)
    other.replace(path)


ALTERED = "is torn or altered"
DIFFERS = "is of another training: other network, recipe, data, seed, threads, code or libraries"
DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "torn": (lambda path: path.write_bytes(path.read_bytes()[:-100]), ALTERED),
    "zeroed": (lambda path: path.write_bytes(bytes(path.stat().st_size)), ALTERED),
    "empty": (lambda path: path.write_bytes(b""), ALTERED),
    "a bit of its weights": (lambda path: flip(path, -1000), ALTERED),
    "a bit of its notes": (lambda path: flip(path, path.read_bytes().index(b"seconds")), ALTERED),
    "of another net": (_another, DIFFERS),
    "of an older version, which trained otherwise": (lambda path: older(path, "0" * 64), DIFFERS),
    "of a later version": (_later, "is of a later version"),
}
"""What is done to the newest checkpoint, and what is then said of it."""


def damaged(folder: Path) -> Tally:
    """Each damage once, in a training that is then gone on with."""
    alone = train(SPEC, RECIPE, images())
    killed_in_its_last_epoch(folder / "killed" / "checkpoint.safetensors")
    survived = 0
    for number, (harm, said) in enumerate(DAMAGE.values()):
        path = shutil.copytree(folder / "killed", folder / str(number)) / "checkpoint.safetensors"
        harm(path)
        notes: list[str] = []
        resumed = train(SPEC, RECIPE, images(), checkpoint=path, note=notes.append)
        expected = f"{path.name} {said}: gone on from checkpoint.before.safetensors, after epoch 1"
        survived += notes == [expected] and same(alone, resumed)
    survived += reads_older(folder, alone)
    return Tally(
        len(DAMAGE) + 1,
        survived,
        0,
        "; ".join((*DAMAGE, "of an older version, as a learner without gaopt would: gone on from")),
    )


def reads_older(folder: Path, alone: Trained) -> bool:
    """Whether a training goes on from a checkpoint as an older version wrote it, with nothing to say of it."""
    path = shutil.copytree(folder / "killed", folder / "older") / "checkpoint.safetensors"
    older(path)
    path.with_name("checkpoint.before.safetensors").unlink()
    notes: list[str] = []
    resumed = train(SPEC, RECIPE, images(), checkpoint=path, note=notes.append)
    return notes == [] and resumed.seconds > LONG and same(alone, resumed)


def saves() -> None:
    """In a process of its own, whose one argument is a path: save three times, and say each time that it is done."""
    saved = small(Path(sys.argv[1]))
    for done in (1, 2, 3):
        saved.save(done)
        print(done, flush=True)


def small(path: Path, kind: Any = torch.optim.AdamW, note: Callable[[str], None] = print) -> Checkpoint:
    """The checkpoint of a network that has made a step."""
    net = nn.Linear(2, 1)
    optimizer = kind(net.parameters(), lr=0.1, **({"momentum": 0.9} if kind is torch.optim.SGD else {}))
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return Checkpoint(net, optimizer, Epochs(0, lambda *told: None), path, "x", note)


def interrupted(folder: Path, most: int | None = None) -> Tally:
    """Each system call of some saves is a training's last, or fails.

    Args:
        most: so many of the calls only.
    """
    faults = "signal=SIGKILL", "error=ENOSPC", "error=EIO"
    how = "SIGKILL, ENOSPC, EIO at each system call of three saves: gone on from the last that was told to be done"
    tally = Tally(0, 0, 0, how)
    with Forks(folder, f"{__name__}:{saves.__name__}", imports=["torch._dynamo"]) as forks:  # asked for by a step
        path = forks.results / "individual" / "checkpoint.safetensors"
        calls = forks.command(path, strace=("-e", "signal=none")).writes(forks.results)
        for call, fault in product(spread(calls, most), faults):
            shutil.rmtree(path.parent, ignore_errors=True)
            ended = forks.command(path, strace=("-e", f"inject={call.name}:{fault}:when={call.count}"))
            tally += _gone_on(path, ended, how)
    return tally


def _gone_on(path: Path, ended: Ended, how: str) -> Tally:
    """What is found after a save that did not come to its end; and nothing of it is left."""
    notes: list[str] = []
    told = max([0, *(int(line) for line in ended.said.splitlines() if line.isdigit())])
    tidy(path.parent)
    found = small(path, note=notes.append).load(torch.device("cpu"))
    clean = not list(path.parent.glob("*.tmp"))
    return Tally(
        1, int(ended.injected and clean and not notes and found in (told, told + 1)), max(0, told - found), how
    )


def same(one: Trained, other: Trained) -> bool:
    """Whether two trainings came to the same weights, to the bit."""
    mine, theirs = one.net.state_dict(), other.net.state_dict()
    return all(torch.equal(mine[name], theirs[name]) for name in mine)
