"""train(): a network from a spec, a recipe and data, by fastai; resumable from its checkpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet import weights
from resnet.callbacks import Diverged, Epochs, Meter, Report, Scheduled
from resnet.checkpoint import Checkpoint
from resnet.data import Images, Split
from resnet.groups import Group, grouped
from resnet.lean import Callback, Learner, OptimWrapper, TrainEvalCallback
from resnet.loader import Loaders, Plain, class_weights
from resnet.net import build, heads, usual
from resnet.optimizers import SGD, AdamW
from resnet.recipe import LATER, Recipe
from resnet.spec import NetSpec
from resnet.step import placed
from resnet.zoo import seen

__all__ = ["Diverged", "Trained", "default_device", "evaluate", "fresh", "loss_function", "train"]

MEASURES = ("train_loss", "valid_loss", "train_top1", "top1", "top3", "top5")


Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Trained:
    """A trained network and how it did."""

    net: nn.Module
    metrics: dict[str, float]  # of the last epoch: train_loss, train_top1; valid_loss, top1, … on validation
    epochs: int
    seconds: float  # spent on all epochs, those before a checkpoint included


@usual()
def train(
    spec: NetSpec,
    recipe: Recipe,
    data: Images,
    *,
    seed: int = 0,
    report: Report = lambda *_: None,
    note: Callable[[str], None] = lambda _: None,
    checkpoint: Path | None = None,
    made_of: str = "",
    threads: int = 1,
    device: torch.device | None = None,
    metric: str = "top1",
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
        device: by default the GPU or other accelerator, if there is one.
        metric: a measure of `metrics.measured` to report of each epoch, too; the result has all of them.

    Raises:
        Diverged: the loss is not finite any more, or the recipe's `chance` has come.
        OSError: the checkpoint cannot be written.
    """
    torch.set_num_threads(threads)  # a reused process keeps what its first task set
    learner = fresh(spec, recipe, data, seed, device or default_device())
    epochs = Epochs(seed, report, recipe.chance, data.valid.chance, metric)
    learner.add_cb(epochs)
    done = 0
    if checkpoint:
        fingerprint = _fingerprint(spec, recipe, data, seed, made_of)
        saved = Checkpoint(learner.model, learner.opt.opt, epochs, checkpoint, fingerprint, note, recipe.checkpoint)
        done = saved.load(learner.dls.device)
        learner.add_cb(saved)
    learner.fit(recipe.epochs, recipe.lr, cbs=Scheduled(recipe, epochs), start_epoch=done)
    learner.remove_cbs(list(learner.cbs))  # they refer back to it: gradients and moments are freed now, not by chance
    measures = {key: epochs.reports[-1][1][key] for key in MEASURES} | epochs.measured.together()
    return Trained(learner.model, measures, recipe.epochs, epochs.spent)


@usual()
@torch.no_grad()
def evaluate(net: nn.Module, split: Split, data: Images, recipe: Recipe) -> dict[str, float]:
    """loss, top1, top3, top5 and what `measured` gives, of a network on a split, normalised as `data` says."""
    device = default_device()
    loss = _loss_of(recipe, data, device)
    net, meter = net.to(device).eval(), Meter(keep=True)
    for images, labels in Plain(split, data, 256, device):
        logits = net(images)
        meter.add(logits, labels, loss(logits, labels))
    return meter.result() | meter.together()


def _fingerprint(spec: NetSpec, recipe: Recipe, data: Images, seed: int, made_of: str) -> str:
    """What a checkpoint must have in common with a training to be gone on from."""
    net, shaping = (
        {name: v for name, v in asdict(each).items() if name not in LATER or v != getattr(type(each), name)}
        for each in (spec, recipe)
    )
    shaping.pop("chance")  # which changes no weight
    parts = [net, shaping, data.digest, seed, torch.get_num_threads(), *([made_of] if made_of else [])]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def default_device() -> torch.device:
    """The accelerator that torch finds (CUDA, ROCm, MPS, XPU, …), else the CPU."""
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def fresh(spec: NetSpec, recipe: Recipe, data: Images, seed: int, device: torch.device) -> Lean:
    """A Learner with an untrained network on the device, ready to fit but for its schedule."""
    torch.manual_seed(seed)
    net = build(spec, data.train.images.shape[3], len(data.classes))
    if spec.pretrained:
        weights.start(net, spec)
    groups = grouped(net, heads(net, spec), recipe)
    learner = Lean(
        Loaders(seen(data, spec), recipe, seed, device),
        placed(net, recipe, device),
        loss_func=_loss_of(recipe, data, device),
        opt_func=lambda groups, lr: _optimizer(groups, lr, recipe),
        splitter=lambda _: list(groups.values()),
        wd=[recipe.wd if group.decays or recipe.decay == "all" else 0.0 for group in groups],
        wd_bn_bias=True,  # these two have no effect on a wrapped torch optimizer, and take time
        train_bn=False,
        default_cbs=False,
        cbs=[TrainEvalCallback()],
    )
    learner.create_opt()
    learner.groups = list(groups)
    return learner


class Lean(Learner):
    """A Learner whose loop does what the callbacks here need, and asks of them only those that have something to do.

    fastai's own asks all of them at each of eight events a batch, moves the batch and copies its loss: 1.1 ms a step on
    a CPU, where a small network's step takes 14.
    """

    groups: list[Group]  # of the optimizer

    def one_batch(self, i: int, b: tuple[Tensor, Tensor]) -> None:
        self.iter, self.xb, self.yb = i, b[:1], b[1:]
        self("before_batch")
        self.pred = self.model(*self.xb)
        loss = self.loss_func(self.pred, *self.yb)
        self.loss = loss.detach()
        if self.training:
            loss.backward()
            self.opt.step()
            self.opt.zero_grad()
        self("after_batch")

    @torch.inference_mode()
    def _do_epoch_validate(self, *chosen: Any) -> None:
        super()._do_epoch_validate(*chosen)

    def __call__(self, event_name: str) -> None:
        if event_name == "before_fit":
            self._listening: dict[str, list[Callback]] = {}
        found = self.__dict__.get("_listening", {})
        if event_name not in found:
            found[event_name] = [each for each in self.cbs.sorted("order") if hasattr(type(each), event_name)]
        for callback in found[event_name]:
            callback(event_name)


def _optimizer(groups: list[list[nn.Parameter]], lr: float, recipe: Recipe) -> OptimWrapper:
    """torch's fused optimizers: one kernel per step, where fastai's own loop over all parameters."""
    if recipe.optimizer == "sgd":
        return OptimWrapper(groups, SGD, lr=lr, momentum=recipe.mom_top, fused=True)
    betas = (recipe.mom_top, recipe.sqr_mom)
    return OptimWrapper(groups, AdamW, lr=lr, betas=betas, eps=recipe.eps, fused=True)


def _loss_of(recipe: Recipe, data: Images, device: torch.device) -> Loss:
    if recipe.class_weights == "none":
        return loss_function(recipe)
    return loss_function(recipe, class_weights(torch.tensor(data.train.labels), len(data.classes)).to(device))


def loss_function(recipe: Recipe, weights: Tensor | None = None) -> Loss:
    """From logits (n, classes) and labels, (n,) or shares (n, classes), to the mean loss ()."""
    if recipe.loss == "focal":
        return lambda logits, labels: _focal(logits, labels, weights)
    smoothing = recipe.label_smoothing
    return lambda logits, labels: F.cross_entropy(logits.float(), labels, weights, label_smoothing=smoothing)


def _focal(logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    """Lin et al., *Focal Loss for Dense Object Detection*, 2017, equation 5 with gamma 2; alpha are the weights."""
    log_p = -F.cross_entropy(logits.float(), labels, reduction="none")
    losses = -((1 - log_p.exp()) ** 2) * log_p
    return losses.mean() if weights is None else (weights[labels] * losses).sum() / weights[labels].sum()
