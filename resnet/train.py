"""train(): a network from a spec, a recipe and data, by fastai; resumable from its checkpoint."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fastai's own torch.jit deprecations
    from fastai.callback import schedule  # noqa: F401 - gives the Learner its fit_one_cycle
    from fastai.learner import Learner

from resnet.callbacks import Aside, Checkpoints, Diverged, Epochs, Learns, Meter, Report, Scheduled, Watch
from resnet.checkpoint import Checkpoint
from resnet.data import Images, Split
from resnet.learner import Loss, default_device, fresh, loss_function
from resnet.loader import Plain
from resnet.net import usual
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


def _unheard(*_: Any, **__: Any) -> None:
    """Report to nobody."""


@usual()
def train(
    spec: NetSpec,
    recipe: Recipe,
    data: Images,
    *,
    seed: int = 0,
    report: Report = _unheard,
    note: Callable[[str], None] = _unheard,
    checkpoint: Path | None = None,
    made_of: str = "",
    threads: int = 1,
    device: torch.device | None = None,
) -> Trained:
    """Train a network. On a CPU the same arguments give the same weights, resumed or not.

    Args:
        seed: for the initial weights, the order of the images, and the augmentations.
        report: called after each epoch; an exception from it ends the training and is raised here.
        note: called with remarks for the report, such as a checkpoint that could not be used.
        checkpoint: where to save now and then, and to go on from; where it is damaged or does not fit, it is removed,
            and the one before it is used.
        made_of: a digest of the code and libraries that train; a checkpoint fits only where it is the same.
        threads: of torch on the CPU; another number gives other weights.
        device: by default the GPU, if there is one.

    Raises:
        Diverged: the loss is not finite any more, or the recipe's `chance` has come.
        OSError: the checkpoint cannot be written.
    """
    torch.set_num_threads(threads)  # a reused process keeps what its first task set
    learner = fresh(spec, recipe, data, seed, device or default_device())
    epochs = Epochs(seed, report)
    learner.add_cbs([Watch(), epochs])
    done = 0
    if checkpoint:
        fingerprint = _fingerprint(spec, recipe, data, seed, made_of)
        saved = Checkpoint(learner.model, learner.opt.opt, epochs, checkpoint, fingerprint, note)
        done = saved.load(learner.dls.device)
        learner.add_cb(Checkpoints(saved.save, recipe.checkpoint))
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


@usual()
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


def _fingerprint(spec: NetSpec, recipe: Recipe, data: Images, seed: int, made_of: str) -> str:
    """What a checkpoint must have in common with a training to be gone on from."""
    shaping = {name: value for name, value in asdict(recipe).items() if name != "chance"}  # which changes no weight
    parts = [asdict(spec), shaping, data.digest, seed, torch.get_num_threads(), *([made_of] if made_of else [])]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
