"""Groups of parameters: which decay, which are trained while the body is frozen, and at what multiple of the rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from resnet.recipe import Recipe

NORMS = (_NormBase, nn.LayerNorm)  # what fastai trains of a frozen body, at a tenth of the rate
LISTS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(frozen=True)
class Group:
    """What some parameters have in common."""

    decays: bool  # weights do; biases and what normalises only if the recipe says "all"
    scale: float  # multiplies the learning rate
    frozen: float  # the same while the body is frozen: 0 for what is not trained then


def levels(net: nn.Module) -> list[list[nn.Parameter]]:
    """The parameters of a network by layer, from the images on. A block is one; a norm belongs to the one before."""
    found: list[list[nn.Parameter]] = []
    known: set[nn.Parameter] = set()
    for layer in _layers(getattr(net, "net", net)):  # of `Fit` and a library's network the latter
        new = [p for p in layer if p not in known]
        known.update(new)
        if new and (not found or any(p.ndim > 1 for p in new)):
            found.append(new)
        elif new:
            found[-1] += new
    return found


def _layers(module: nn.Module) -> Iterator[list[nn.Parameter]]:
    own = list(module.parameters(recurse=False))  # class tokens, positions: they go with the layer that follows
    for child in module.children():
        listed = isinstance(child, LISTS) or any(_is_list_of_blocks(each) for each in child.children())
        for layer in _layers(child) if listed else [list(child.parameters())]:
            yield own + layer
            own = []


def _is_list_of_blocks(module: nn.Module) -> bool:
    """Whether it holds several modules of one kind, each with modules inside, as the encoder of a transformer does."""
    kinds = {type(each) for each in module.children()}
    inside = all(list(each.children()) and not isinstance(each, LISTS) for each in module.children())
    return isinstance(module, LISTS) and len(module) > 1 and len(kinds) == 1 and inside


def grouped(net: nn.Module, heads: Sequence[str], recipe: Recipe) -> dict[Group, list[nn.Parameter]]:
    """The parameters of a network by their group, those that decay first; `heads` begin the names of its last layers.

    The first layer's rate is the last one's over `lr_mult`, in even multiples from layer to layer between them, as
    fastai's `slice`; and each layer's is `layer_decay` times that of the layer after it.
    """
    head = {p for name, p in net.named_parameters() if name.startswith(tuple(heads))}
    norms = {p for module in net.modules() if isinstance(module, NORMS) for p in module.parameters(recurse=False)}
    body = [level for level in ([p for p in level if p not in head] for level in levels(net)) if level]
    depth = {p: number for number, level in enumerate(body) for p in level}
    found: dict[Group, list[nn.Parameter]] = {}
    for p in net.parameters():
        below = len(body) - depth.get(p, len(body))  # layers from here to the head
        scale = recipe.layer_decay**below * recipe.lr_mult ** (-below / len(body))
        frozen = 1.0 if p in head or not recipe.freeze_epochs else 0.1 if p in norms else 0.0
        found.setdefault(Group(p.ndim > 1, scale, frozen), []).append(p)
    return dict(sorted(found.items(), key=lambda each: not each[0].decays))


def freeze(optimizer: torch.optim.Optimizer, groups: Sequence[Group], frozen: bool) -> None:
    """Train the whole body or, where it is `frozen`, only its norms; `groups` are those of the optimizer."""
    for own, group in zip(optimizer.param_groups, groups, strict=True):
        own["scale"] = group.frozen if frozen else group.scale
        for p in own["params"]:
            p.requires_grad_(own["scale"] > 0)


def set_rate(optimizer: torch.optim.Optimizer, lr: float, mom: float) -> None:
    """Set the learning rate, times each group's multiple, and the momentum."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["scale"]
        group |= {"betas": (mom, group["betas"][1])} if "betas" in group else {"momentum": mom}
