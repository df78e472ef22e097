"""A fastai Learner from a spec, a recipe and data: what a training and a range test have in common."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fastai's own torch.jit deprecations
    from fastai.callback.core import TrainEvalCallback
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

from resnet import weights
from resnet.data import Images
from resnet.loader import Loaders
from resnet.net import build, recomputed
from resnet.recipe import Recipe
from resnet.spec import NetSpec

Loss = Callable[[Tensor, Tensor], Tensor]


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fresh(spec: NetSpec, recipe: Recipe, data: Images, seed: int, device: torch.device) -> Learner:
    """A Learner with an untrained network on the device, ready to fit but for its schedule."""
    torch.manual_seed(seed)
    net = build(spec, data.train.images.shape[3], len(data.classes))
    if spec.pretrained:
        weights.start(net, spec)
    learner = Learner(
        Loaders(data, recipe, seed, device),
        _placed(net, recipe, device),
        loss_func=loss_function(recipe),
        opt_func=lambda groups, lr: _optimizer(groups, lr, recipe),
        splitter=_decayed_or_not,
        wd=(recipe.wd, recipe.wd if recipe.decay == "all" else 0.0),
        default_cbs=False,
        cbs=[TrainEvalCallback()],
    )
    learner.create_opt()
    return learner


def _optimizer(groups: list[list[nn.Parameter]], lr: float, recipe: Recipe) -> OptimWrapper:
    """torch's fused optimizers: one kernel per step, where fastai's own loop over all parameters."""
    if recipe.optimizer == "sgd":
        return OptimWrapper(groups, torch.optim.SGD, lr=lr, momentum=recipe.mom_top, fused=True)
    betas = (recipe.mom_top, recipe.sqr_mom)
    return OptimWrapper(groups, torch.optim.AdamW, lr=lr, betas=betas, eps=recipe.eps, fused=True)


def _decayed_or_not(net: nn.Module) -> list[list[nn.Parameter]]:
    """Two groups of parameters: weights, which decay; batch norms and biases, which do so if the recipe says "all".

    fastai's own setting for that has no effect on a wrapped torch optimizer.
    """
    parameters = list(net.parameters())
    return [[p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]]


def _placed(net: nn.Module, recipe: Recipe, device: torch.device) -> nn.Module:
    net = recomputed(net.to(device)) if recipe.recompute else net.to(device)
    if device.type == "cuda":
        net = net.to(memory_format=torch.channels_last)
    if recipe.precision == "bfloat16":
        net.forward = torch.autocast(device.type, dtype=torch.bfloat16)(net.forward)
    return net


def loss_function(recipe: Recipe) -> Loss:
    """From logits (n, classes) and labels (n,) to the mean loss ()."""
    if recipe.loss == "focal":
        return _focal
    return lambda logits, labels: F.cross_entropy(logits.float(), labels, label_smoothing=recipe.label_smoothing)


def _focal(logits: Tensor, labels: Tensor) -> Tensor:
    """Lin et al., *Focal Loss for Dense Object Detection*, 2017, equation 4 with gamma 2."""
    log_p = -F.cross_entropy(logits.float(), labels, reduction="none")
    return (-((1 - log_p.exp()) ** 2) * log_p).mean()
