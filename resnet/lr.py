"""find(): the learning-rate range test of Smith, *Cyclical Learning Rates for Training Neural Networks*, 2017."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fastai's own torch.jit deprecations
    from fastai.callback.schedule import LRFinder, ParamScheduler, steep
    from fastai.learner import Learner, Recorder

from resnet.callbacks import Aside
from resnet.data import Images
from resnet.learner import default_device, fresh
from resnet.loader import epoch_seed
from resnet.net import usual
from resnet.recipe import Recipe
from resnet.spec import NetSpec

FEWEST = 8  # steps of a falling loss that a suggestion is made from
LAST = 5  # steps that fastai leaves out at the end, where the loss shoots up


class Undecided(ArithmeticError):  # noqa: N818 - named for what happened
    """The losses show no learning rate that could be suggested."""


@dataclass(frozen=True)
class Range:
    """What a range test saw, up to where the loss is four times its least, or no number.

    Attributes:
        lrs: of each step, growing exponentially.
        losses: in training, at each step before its update; smoothed as fastai does (an exponential mean with
            0.98, corrected for its start).
        steep: the learning rate at which the loss falls fastest, on the logarithmic scale.
        valley: the one at which half of the fall is made. fastai's of that name counts steps, so that a curve that
            was flat for long has it there.
    """

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    steep: float
    valley: float


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

    All is as in `train`, with the momentum that it begins with. A data set of fewer batches than steps is gone over
    again. On a CPU the same arguments give the same curve.

    Args:
        step: called after each step; an exception from it ends the test and is raised here.

    Raises:
        Undecided: nothing can be suggested.
    """
    torch.set_num_threads(threads)
    learner = fresh(spec, recipe, data, seed, device or default_device())
    learner.opt.set_hypers(mom=recipe.mom_top if recipe.schedule == "one_cycle" else recipe.mom)
    lrs, losses = _curve(learner, _Steps(seed, step), low, high, steps)
    return Range(lrs, losses, *suggestions(lrs, losses, steps))


class _Finder(LRFinder):
    """fastai's finder without its copy of the network on disk: this network is not used again."""

    def before_fit(self) -> None:
        ParamScheduler.before_fit(self)
        self.best_loss = math.inf

    def after_fit(self) -> None:
        ParamScheduler.after_fit(self)


class _Steps(Aside):
    """Seeds each pass over the data as a training does, and calls back after each step."""

    order = 10

    def __init__(self, seed: int, step: Callable[[], object]) -> None:
        super().__init__()
        self.seed, self.step = seed, step

    def before_train(self) -> None:
        self.dls.train.epoch = self.learn.epoch
        torch.manual_seed(epoch_seed(self.seed, self.learn.epoch))

    def after_batch(self) -> None:
        self.attempt(self.step)


def _curve(
    learner: Learner, each: _Steps, low: float, high: float, steps: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(lrs, smoothed losses) as fastai's lr_find has them, up to the first loss that is no finite number."""
    learner.add_cbs([Recorder(), each, _Finder(low, high, steps)])
    with learner.no_logging():
        learner.fit(steps // len(learner.dls.train) + 1)
    if each.raised:
        raise each.raised
    losses = [float(loss) for loss in learner.recorder.losses]
    end = next((n for n, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    return tuple(map(float, learner.recorder.lrs[:end])), tuple(losses[:end])


def suggestions(lrs: Sequence[float], losses: Sequence[float], steps: int) -> tuple[float, float]:
    """(steep, valley) on fastai's window, which here ends at the smallest loss: the rest is divergence.

    Raises:
        Undecided: the fall of the loss has too few steps, or there is none.
    """
    if not losses:
        raise Undecided("the loss was no finite number from the first step on: no learning rate can be suggested")
    window = slice(steps // 10, max(0, len(losses) - LAST))
    rates, seen = (torch.tensor(values[window], dtype=torch.float64) for values in (lrs, losses))
    falls = int(seen.argmin()) if len(seen) else 0
    if falls < FEWEST:
        raise Undecided(
            f"the loss fell for {falls} of {len(losses)} steps, with learning rates up to {lrs[-1]:.3g}:"
            f" it must fall for at least {FEWEST} for one to be suggested"
        )
    rates, seen = rates[: falls + 1], seen[: falls + 1]
    top = int(seen.argmax())
    half = top + int((seen[top:] <= (seen[top] + seen[-1]) / 2).nonzero()[0])
    return steep(rates, seen, steps)[0], float(rates[half])
