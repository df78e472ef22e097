"""find(): the learning-rate range test of Smith, *Cyclical Learning Rates for Training Neural Networks*, 2017."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from resnet.data import Images
from resnet.groups import freeze, set_rate
from resnet.loader import Shuffled, epoch_seed
from resnet.net import usual
from resnet.recipe import Recipe, momentum
from resnet.spec import NetSpec
from resnet.train import default_device, fresh

FEWEST = 8  # steps of a falling loss that a suggestion is made from
LAST = 5  # steps that fastai leaves out at the end, where the loss shoots up
BETA = 0.98  # of the exponential mean
WORSE = 4  # times the least loss at which the test ends


class Undecided(ArithmeticError):  # noqa: N818 - named for what happened
    """The losses show no learning rate that could be suggested."""


@dataclass(frozen=True)
class Range:
    """What a range test saw, up to where the loss is four times its least, or no number."""

    lrs: tuple[float, ...]  # of each step, growing exponentially
    losses: tuple[float, ...]  # in training, before each step's update; an exponential mean as fastai's
    steep: float  # the learning rate at which the loss falls fastest, on the logarithmic scale
    valley: float  # where half of the fall is made; fastai's counts steps, and lies where a curve was long flat


@usual()
def find(
    spec: NetSpec,
    recipe: Recipe,
    data: Images,
    *,
    seed: int = 0,
    threads: int = 1,
    device: torch.device | None = None,
    low: float = 1e-7,
    high: float = 10,
    steps: int = 100,
    step: Callable[[], object] = lambda: None,
) -> Range:
    """Train a fresh network while its learning rate grows from low to high, and see where the loss falls.

    All is as in `train`, with the momentum that it begins with, and as in fastai's lr_find. A data set of fewer batches
    than steps is gone over again. On a CPU the same arguments give the same curve. `step` is called after each step; an
    exception from it ends the test and is raised here. An Undecided where nothing can be suggested.
    """
    torch.set_num_threads(threads)
    learner = fresh(spec, recipe, data, seed, device or default_device())
    net, optimizer = learner.model.train(), learner.opt
    optimizer.set_hypers(wd=learner.wd)
    freeze(optimizer.opt, learner.groups, recipe.freeze_epochs > 0)
    mom = momentum(recipe, 0, 1)
    lrs, losses, mean = list[float](), list[float](), torch.tensor(0.0)
    for number, (images, labels) in zip(range(steps), _endless(learner.dls.train, seed), strict=False):
        set_rate(optimizer.opt, lr := low * (high / low) ** (number / steps), mom)
        loss = learner.loss_func(net(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        step()
        mean = torch.lerp(loss.detach().cpu(), mean, BETA)
        if not math.isfinite(smooth := float(mean / (1 - BETA ** (number + 1)))):
            break
        lrs.append(lr)
        losses.append(smooth)
        if smooth > WORSE * min(losses):
            break
    return Range(tuple(lrs), tuple(losses), *suggestions(lrs, losses, steps))


def _endless(batches: Shuffled, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Pass after pass over the data, each as a training has it."""
    for batches.epoch in count():
        torch.manual_seed(epoch_seed(seed, batches.epoch))
        yield from batches


def suggestions(lrs: Sequence[float], losses: Sequence[float], steps: int) -> tuple[float, float]:
    """(steep, valley), or an Undecided, on fastai's window, which here ends at the smallest loss."""
    if not losses:
        raise Undecided("the loss was no finite number from the first step on: no learning rate can be suggested")
    window = slice(steps // 10, max(0, len(losses) - LAST))
    rates, seen = (torch.tensor(values[window], dtype=torch.float64) for values in (lrs, losses))
    falls = int(seen.argmin()) if len(seen) else 0
    if falls < FEWEST:
        found = f"the loss fell for {falls} of {len(losses)} steps, with learning rates up to {lrs[-1]:.3g}"
        raise Undecided(f"{found}: it must fall for at least {FEWEST} for one to be suggested")
    rates, seen = rates[: falls + 1], seen[: falls + 1]
    top = int(seen.argmax())
    half = top + int((seen[top:] <= (seen[top] + seen[-1]) / 2).nonzero()[0])
    slopes = seen.diff() / rates.log().diff()
    return float(rates[slopes.argmin()]), float(rates[half])
