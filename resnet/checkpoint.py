"""A training on disk: all that it needs to go on, and how it was before that, should the newest be damaged."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn

from resnet import weights
from resnet.callbacks import Epochs, Honest

FORMATS = ("1", "2")
"""Those that are read; the last is written. 2 has a checksum; 1, of gaopt up to 0.4.0, does not say its number."""


class Checkpoint(Honest):
    """Saves network, optimizer and reports of a training now and then: the newest, and the one before it."""

    order = 20  # the epoch has been reported

    def __init__(
        self,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        epochs: Epochs,
        path: Path,
        fingerprint: str,
        note: Callable[[str], None],
        every: float = 0.0,
    ) -> None:
        """`note` is told of a checkpoint that cannot be used, `every` is seconds between two."""
        self.net, self.optimizer, self.epochs = net, optimizer, epochs
        self.path, self.before = path, path.with_name(f"{path.stem}.before{path.suffix}")
        self.fingerprint, self.note = fingerprint, note
        self.every, self.last = every, time.monotonic()

    @property
    def parameters(self) -> list[nn.Parameter]:
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def after_validate(self) -> None:
        done = self.learn.epoch + 1
        if done < self.learn.n_epoch and time.monotonic() - self.last >= self.every:  # the last epoch needs none
            self.save(done)
            self.last = time.monotonic()

    def save(self, done: int) -> None:
        """An OSError where it cannot be written; the one before is there still."""
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
        wrong, done, then = list[str](), 0, "begun anew"
        for path in (self.path, self.before):
            if not path.exists():
                continue
            found = weights.read(path, device)
            if found and not (fault := self._fault(found[1])):
                done = self._restore(*found)
                then = f"gone on from {path.name}, after epoch {done}"
                break
            wrong.append(f"{path.name} {fault if found else 'is torn or altered'}")
            path.unlink()  # or it would take the place of the one before it
        if wrong:
            self.note(f"{' and '.join(wrong)}: {then}")
        return done

    def _fault(self, notes: Mapping[str, str]) -> str:
        """Why a file that is whole cannot be used; "" where it can."""
        if notes.get("format", "1") not in FORMATS:
            return "is of a later version"
        if notes.get("fingerprint") != self.fingerprint:
            return "is of another training: other network, recipe, data, seed, threads, code or libraries"
        return ""

    def _restore(self, tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> int:
        self.net.load_state_dict({k.removeprefix("net/"): v for k, v in tensors.items() if k.startswith("net/")})
        parameters = self.parameters
        for name, tensor in tensors.items():
            if name.startswith("optimizer/"):
                _, index, key = name.split("/")
                parameter = parameters[int(index)]
                if tensor.shape == parameter.shape:  # laid out as the weights are, or the fused step mixes them up
                    tensor = torch.empty_like(parameter).copy_(tensor)
                self.optimizer.state[parameter][key] = tensor
        told = json.loads(notes["progress"])
        self.epochs.replay([(epoch, measures, points) for epoch, measures, points in told["reports"]], told["seconds"])
        return int(told["done"])
