"""A training on disk: all that it needs to go on, and how it was before that, should the newest be damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from resnet import weights
from resnet.callbacks import Epochs

FORMATS = ("1", "2")
"""Those that are read; the last is written. 2 has a checksum; 1, of gaopt up to 0.4.0, does not say its number. A
training of gaopt's begins anew all the same where one does not say by which code it was made, as none did then."""


class Checkpoint:
    """Network, optimizer and reports of a training. Random numbers follow from the epoch.

    Two files: the newest, and the one before it, which is used where the newest cannot be.
    """

    def __init__(
        self,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        epochs: Epochs,
        path: Path,
        fingerprint: str,
        note: Callable[[str], None],
    ) -> None:
        """
        Args:
            path: of the newest.
            fingerprint: what a checkpoint must have in common with this training.
            note: told of a checkpoint that cannot be used.
        """
        self.net, self.optimizer, self.epochs = net, optimizer, epochs
        self.path, self.before = path, path.with_name(f"{path.stem}.before{path.suffix}")
        self.fingerprint, self.note = fingerprint, note

    @property
    def parameters(self) -> list[nn.Parameter]:
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def save(self, done: int) -> None:
        """
        Raises:
            OSError: it cannot be written; the one before is there still.
        """
        tensors = {f"net/{name}": tensor for name, tensor in self.net.state_dict().items()}
        for index, parameter in enumerate(self.parameters):
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"optimizer/{index}/{key}"] = value
        progress = {"done": done, "reports": self.epochs.reports, "seconds": self.epochs.spent}
        notes = {"format": FORMATS[-1], "fingerprint": self.fingerprint, "progress": json.dumps(progress)}
        with suppress(FileNotFoundError):
            self.path.replace(self.before)
        weights.write(self.path, tensors, notes)

    def load(self, device: torch.device) -> int:
        """The number of epochs already done; 0 where there is no checkpoint that can be used."""
        wrong = []
        for path in (self.path, self.before):
            if not path.exists():
                continue
            found = weights.read(path, device)
            if fault := self._fault(found):
                wrong.append(f"{path.name} {fault}")
                path.unlink()  # or it would take the place of the one before it
                continue
            assert found
            done = self._restore(*found)
            self._tell(wrong, f"gone on from {path.name}, after epoch {done}")
            return done
        self._tell(wrong, "begun anew")
        return 0

    def _tell(self, wrong: list[str], then: str) -> None:
        if wrong:
            self.note(f"{' and '.join(wrong)}: {then}")

    def _fault(self, found: tuple[dict[str, Tensor], dict[str, str]] | None) -> str:
        """Why a file cannot be used; "" where it can."""
        if not found:
            return "is torn or altered"
        tensors, notes = found
        if notes.get("format", "1") not in FORMATS:
            return "is of a later version"
        if notes.get("fingerprint") != self.fingerprint:
            return "is of another training: other network, recipe, data, seed, threads, code or libraries"
        return "" if self._fits(tensors) and _progress(notes) else "holds something else than it should"

    def _fits(self, tensors: Mapping[str, Tensor]) -> bool:
        """Whether it has the network's tensors, all moments of each parameter that has any, and nothing else."""
        net = self.net.state_dict()
        known = {f"net/{name}": (tensor.shape, tensor.dtype) for name, tensor in net.items()}
        found = {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
        plain = isinstance(self.optimizer, torch.optim.SGD)
        for index, parameter in enumerate(self.parameters):
            shapes = {"momentum_buffer": parameter.shape} if plain else _adam(parameter)
            own = {f"optimizer/{index}/{key}": (shape, parameter.dtype) for key, shape in shapes.items()}
            known |= own if own.keys() & found.keys() else {}  # one without a gradient has none
        return known == found and (plain or len(known) > len(net))

    def _restore(self, tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> int:
        self.net.load_state_dict({k.removeprefix("net/"): v for k, v in tensors.items() if k.startswith("net/")})
        parameters = self.parameters
        for name, tensor in tensors.items():
            if name.startswith("optimizer/"):
                _, index, key = name.split("/")
                self.optimizer.state[parameters[int(index)]][key] = tensor
        done, reports, seconds = _progress(notes)
        self.epochs.replay(reports, seconds)
        return done


def _adam(parameter: Tensor) -> dict[str, torch.Size]:
    """What Adam keeps of a parameter."""
    return {"step": torch.Size(), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}


def _progress(notes: Mapping[str, str]) -> tuple[Any, ...]:
    """(epochs done, their reports, seconds); () where that is not what is there."""
    try:
        told = json.loads(notes["progress"])
        reports = [(int(epoch), dict(measures), list(points)) for epoch, measures, points in told["reports"]]
        return int(told["done"]), reports, float(told["seconds"])
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return ()
