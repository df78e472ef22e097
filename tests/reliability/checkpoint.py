"""Checkpoints that cannot be used: found out, the one before used instead, and said so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from resnet import weights
from resnet.data import DataSpec, Images, load
from resnet.recipe import Recipe
from resnet.spec import NetSpec
from resnet.train import Trained, train
from tests.reliability.row import Tally

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
    return Tally(len(DAMAGE) + 1, survived, 0, "; ".join((*DAMAGE, "of an older version, which is gone on from")))


def reads_older(folder: Path, alone: Trained) -> bool:
    """Whether a training goes on from a checkpoint as an older version wrote it, with nothing to say of it."""
    path = shutil.copytree(folder / "killed", folder / "older") / "checkpoint.safetensors"
    older(path)
    path.with_name("checkpoint.before.safetensors").unlink()
    notes: list[str] = []
    resumed = train(SPEC, RECIPE, images(), checkpoint=path, note=notes.append)
    return notes == [] and resumed.seconds > LONG and same(alone, resumed)


def same(one: Trained, other: Trained) -> bool:
    """Whether two trainings came to the same weights, to the bit."""
    mine, theirs = one.net.state_dict(), other.net.state_dict()
    return all(torch.equal(mine[name], theirs[name]) for name in mine)
