"""train(): a network from a spec, a recipe and data, by fastai; resumable from its checkpoint."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fastai's own torch.jit deprecations
    from fastai.callback import schedule  # noqa: F401 - gives the Learner its fit_one_cycle
    from fastai.learner import Learner

from resnet import weights
from resnet.callbacks import Aside, Checkpoints, Diverged, Epochs, Learns, Report, Scheduled, Watch
from resnet.data import Images, Split
from resnet.learner import Loss, default_device, fresh, loss_function
from resnet.loader import Plain
from resnet.metrics import Meter
from resnet.recipe import Recipe
from resnet.spec import NetSpec

__all__ = ["Diverged", "Trained", "default_device", "evaluate", "loss_function", "train"]

MEASURES = ("train_loss", "valid_loss", "train_top1", "top1", "top3", "top5")


@dataclass(frozen=True)
class Trained:
    """A trained network and how it did.

    Attributes:
        metrics: those of the last epoch: train_loss and train_top1; valid_loss, top1, top3, top5 on validation.
        seconds: spent on all epochs, those before a checkpoint included.
    """

    net: nn.Module
    metrics: dict[str, float]
    epochs: int
    seconds: float


def _silent(epoch: int, metrics: Any, cycle: Any = ()) -> None:
    """Report to nobody."""


def train(
    spec: NetSpec,
    recipe: Recipe,
    data: Images,
    *,
    seed: int = 0,
    report: Report = _silent,
    checkpoint: Path | None = None,
    threads: int = 1,
    device: torch.device | None = None,
) -> Trained:
    """Train a network. On a CPU the same arguments give the same weights, resumed or not.

    Args:
        seed: for the initial weights, the order of the images, and the augmentations.
        report: called after each epoch; an exception from it ends the training and is raised here.
        checkpoint: where to save now and then, and to go on from if it is there and fits. Removed by nobody here.
        threads: of torch on the CPU; another number gives other weights.
        device: by default the GPU, if there is one.

    Raises:
        Diverged: the loss is not finite any more, or the recipe's `chance` has come.
    """
    torch.set_num_threads(threads)  # a reused process keeps what its first task set
    learner = fresh(spec, recipe, data, seed, device or default_device())
    epochs = Epochs(seed, report)
    state = _State(learner, epochs, checkpoint, _fingerprint(spec, recipe, data, seed))
    done = state.load()
    learner.add_cbs([Watch(), epochs, *([Checkpoints(state.save, recipe.checkpoint)] if checkpoint else [])])
    if recipe.chance:
        learner.add_cb(Learns(epochs, recipe.chance, data.valid.chance))
    _fit(learner, recipe, epochs, done)
    measures = {key: epochs.reports[-1][1][key] for key in MEASURES}
    return Trained(learner.model, measures, recipe.epochs, epochs.spent)


def _fit(learner: Learner, recipe: Recipe, epochs: Epochs, done: int) -> None:
    if recipe.schedule == "one_cycle":
        # fastai's one-cycle overwrites whatever momentum the optimizer was made with: mom must go in here.
        moms = (recipe.mom_top, recipe.mom, recipe.mom_top)
        shape = {"div": recipe.div, "div_final": recipe.div_final, "pct_start": recipe.pct_start}
        learner.fit_one_cycle(recipe.epochs, recipe.lr, moms=moms, start_epoch=done, **shape)
    else:
        learner.fit(recipe.epochs, recipe.lr, cbs=Scheduled(recipe, epochs), start_epoch=done)
    for callback in learner.cbs:
        if isinstance(callback, Aside) and callback.raised:
            raise callback.raised


@torch.no_grad()
def evaluate(
    net: nn.Module, split: Split, data: Images, loss: Loss, device: torch.device | None = None
) -> dict[str, float]:
    """loss, top1, top3, top5 of a network on a split."""
    device = device or default_device()
    net, meter = net.to(device).eval(), Meter()
    for images, labels in Plain(split, data, 256, device):
        logits = net(images)
        meter.add(logits, labels, loss(logits, labels))
    return meter.result()


def _fingerprint(spec: NetSpec, recipe: Recipe, data: Images, seed: int) -> str:
    """What a checkpoint must have in common with a training to be gone on from."""
    shaping = {name: value for name, value in asdict(recipe).items() if name != "chance"}  # which changes no weight
    said = json.dumps([asdict(spec), shaping, data.digest, seed, torch.get_num_threads()], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


class _State:
    """All that a training needs to go on: network, optimizer, reports. Random numbers follow from the epoch."""

    def __init__(self, learner: Learner, epochs: Epochs, path: Path | None, fingerprint: str) -> None:
        self.net, self.optimizer, self.epochs = learner.model, learner.opt.opt, epochs
        self.device = learner.dls.device
        self.path, self.fingerprint = path, fingerprint

    @property
    def parameters(self) -> list[nn.Parameter]:
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def save(self, done: int) -> None:
        assert self.path
        tensors = {f"net/{name}": tensor for name, tensor in self.net.state_dict().items()}
        for index, parameter in enumerate(self.parameters):
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"optimizer/{index}/{key}"] = value
        progress = {"done": done, "reports": self.epochs.reports, "seconds": self.epochs.spent}
        weights.write(self.path, tensors, {"fingerprint": self.fingerprint, "progress": json.dumps(progress)})

    def load(self) -> int:
        """The number of epochs already done; 0 where there is no checkpoint that fits."""
        found = weights.read(self.path, self.device) if self.path else None
        if not found or found[1].get("fingerprint") != self.fingerprint:
            return 0
        tensors, progress = found[0], json.loads(found[1]["progress"])
        self.net.load_state_dict({k.removeprefix("net/"): v for k, v in tensors.items() if k.startswith("net/")})
        self._load_optimizer(tensors)
        self.epochs.replay([tuple(report) for report in progress["reports"]], progress["seconds"])
        return int(progress["done"])

    def _load_optimizer(self, tensors: dict[str, Tensor]) -> None:
        parameters = self.parameters
        for name, tensor in tensors.items():
            if name.startswith("optimizer/"):
                _, index, key = name.split("/")
                self.optimizer.state[parameters[int(index)]][key] = tensor
