"""How to train: every knob of one training, as plain data. No torch here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt

from resnet.fields import changed


@dataclass(frozen=True)
class Recipe:
    """One training, by one-cycle (Smith, *A disciplined approach to neural network hyper-parameters*, 2018), by two of
    them, the first with a frozen body (fastai's `fine_tune`; Howard and Ruder, *Universal Language Model Fine-tuning*,
    2018), or by dividing the learning rate now and then (He et al., *Deep Residual Learning for Image Recognition*,
    2015).

    Its fields are the keys of [recipe] in docs/config.md, which says what each is. The papers give no number for
    `patience`: at a high lr the error jumps by points from epoch to epoch, so a few epochs say little. For `warmup`
    He et al. take 400 steps, in 2015 for 110 layers (section 4.2), in 2016 for all of CIFAR (appendix).
    """

    name: Literal["one_cycle", "paper", "fine_tune"] = "one_cycle"
    lr: Annotated[float, Gt(0), Le(100)] = 1e-3
    wd: Annotated[float, Ge(0), Le(10)] = 0.01
    mom: Annotated[float, Ge(0), Le(10)] = 0.85
    epochs: Annotated[int, Ge(1), Le(100_000)] = 5
    batch: Annotated[int, Ge(2), Le(65_536)] = 64
    optimizer: Literal["adam", "sgd"] = "adam"
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0
    schedule: Literal["one_cycle", "steps", "plateau", "fine_tune"] = "one_cycle"
    freeze_epochs: Annotated[int, Ge(0), Le(100_000)] = 0
    lr_mult: Annotated[float, Ge(1), Le(1e6)] = 1.0
    layer_decay: Annotated[float, Gt(0), Le(1)] = 1.0
    drops: tuple[Annotated[float, Gt(0), Lt(1)], ...] = (0.5, 0.75)
    factor: Annotated[float, Gt(1), Le(1e6)] = 10.0
    patience: Annotated[int, Ge(1), Le(100_000)] = 10
    warmup: Annotated[int, Ge(0), Le(10_000_000)] = 0
    warmup_lr: Annotated[float, Gt(0), Le(100)] = 0.01
    decay: Literal["weights", "all"] = "weights"
    mom_top: Annotated[float, Ge(0), Lt(1)] = 0.95
    div: Annotated[float, Ge(1), Le(1e9)] = 25.0
    div_final: Annotated[float, Ge(1), Le(1e12)] = 1e5
    pct_start: Annotated[float, Gt(0), Lt(1)] = 0.25
    sqr_mom: Annotated[float, Ge(0), Lt(1)] = 0.99
    eps: Annotated[float, Gt(0), Le(1)] = 1e-5
    crop: Annotated[int, Ge(0), Le(512)] = 0
    flip: bool = False
    cutout: Annotated[int, Ge(0), Le(512)] = 0
    rand_augment: Annotated[int, Ge(0), Le(30)] = 0
    trivial_augment: Annotated[float, Ge(0), Le(1)] = 0.0
    mixup: Annotated[float, Ge(0), Le(100)] = 0.0
    cutmix: Annotated[float, Ge(0), Le(100)] = 0.0
    class_weights: Literal["none", "balanced"] = "none"
    sampler: Literal["shuffled", "weighted"] = "shuffled"
    precision: Literal["float32", "bfloat16"] = "float32"
    recompute: bool = False
    checkpoint: Annotated[float, Ge(0), Le(86_400)] = 60.0
    chance: Annotated[float, Ge(0), Le(1)] = 0.0

    def __post_init__(self) -> None:
        if self.loss == "focal" and self.label_smoothing:
            raise ValueError(f"label_smoothing is {self.label_smoothing} with the focal loss: must be 0")
        if self.loss == "focal" and (self.mixup or self.cutmix):
            name, value = ("mixup", self.mixup) if self.mixup else ("cutmix", self.cutmix)
            raise ValueError(f"{name} is {value:g} with the focal loss, which takes no shares of classes: must be 0")
        if list(self.drops) != sorted(set(self.drops)):
            raise ValueError(f"drops is {list(self.drops)}: must be increasing")
        if self.warmup and self.schedule in ("one_cycle", "fine_tune"):
            raise ValueError(
                f"warmup is {self.warmup} with the schedule {self.schedule!r}: must be 0, or another schedule"
            )
        if self.freeze_epochs and self.schedule != "fine_tune":
            said = f"freeze_epochs is {self.freeze_epochs} with the schedule {self.schedule!r}"
            raise ValueError(f"{said}: must be 0, or the schedule 'fine_tune'")
        if self.freeze_epochs >= self.epochs:
            raise ValueError(f"freeze_epochs is {self.freeze_epochs} of {self.epochs} epochs: must be fewer")

    def with_genes(self, genes: Mapping[str, Any]) -> Recipe:
        """The same recipe with some fields replaced, as `changed` does."""
        return changed(self, genes, "recipe", never=("name", "checkpoint", "chance"))

    def shortened(self, share: float) -> Recipe:
        """The training scaled down to a share of its epochs, at least one; warm-up and freezing keep their shares.

        Of two epochs or more one stays frozen where any is.
        """
        epochs = max(1, round(share * self.epochs))
        warmup, patience = (count * epochs // self.epochs for count in (self.warmup, self.patience))
        frozen = min(epochs - 1, -(-self.freeze_epochs * epochs // self.epochs))
        return replace(self, epochs=epochs, warmup=warmup, patience=max(1, patience), freeze_epochs=frozen)


LATER = frozenset(
    {"rand_augment", "trivial_augment", "mixup", "cutmix", "class_weights", "sampler"}
    | {"freeze_epochs", "lr_mult", "layer_decay", "drop_rate", "drop_path_rate"}
)
"""Fields of recipe and network that 0.5.0 did not have: at its default none changes a training, so that a checkpoint
without it fits."""

RECIPES: dict[str, Recipe] = {
    "one_cycle": Recipe(),
    # Section 4.2 of He et al. 2015: 64k iterations, which are 164 epochs of the 50,000 training images.
    "paper": Recipe(
        name="paper",
        lr=0.1,
        wd=1e-4,
        mom=0.9,
        epochs=164,
        batch=128,
        optimizer="sgd",
        schedule="steps",
        decay="all",
        crop=4,
        flip=True,
    ),
    # fastai's Learner.fine_tune, whose epochs do not count the frozen ones.
    "fine_tune": Recipe(
        name="fine_tune", lr=2e-3, schedule="fine_tune", freeze_epochs=1, lr_mult=100.0, pct_start=0.3, div=5.0
    ),
}
"""Whole trainings by name."""


def rate(recipe: Recipe, step: int, steps: int, errors: Sequence[float]) -> float:
    """The learning rate of a step.

    Steps are counted from 0 through all epochs; `errors` are on validation, 0 … 1, one for each epoch that is over.
    Nothing is kept from step to step, so a resumed training has the same rates.
    """
    if cycle := _cycle_of(recipe, step, steps):
        position, lr, pct_start, div = cycle
        return _cycle(pct_start, position, lr / div, lr, lr / recipe.div_final)
    if step < recipe.warmup:
        return recipe.warmup_lr
    if recipe.schedule == "steps":  # section 4.2 of He et al., *Deep Residual Learning for Image Recognition*, 2015
        divided = sum(step / steps >= drop for drop in recipe.drops)
    else:
        divided = _plateaus(recipe.patience, errors)
    lr = recipe.lr
    for _ in range(divided):
        lr /= recipe.factor  # one by one: a power of the factor may be too large for a float
    return lr


def momentum(recipe: Recipe, step: int, steps: int) -> float:
    """The momentum of a step, Adam's first beta; see `rate`."""
    if cycle := _cycle_of(recipe, step, steps):
        position, _, pct_start, _ = cycle
        return _cycle(pct_start, position, recipe.mom_top, recipe.mom, recipe.mom_top)
    return recipe.mom


def _cycle_of(recipe: Recipe, step: int, steps: int) -> tuple[float, float, float, float] | None:
    """The cycle that a step is in: (position in it, lr, pct_start, div); None for a schedule without cycles.

    fastai's `fine_tune` has two: that of the frozen epochs, nearly all of which warms up, and one at half of the lr.
    """
    if recipe.schedule == "one_cycle":
        return step / steps, recipe.lr, recipe.pct_start, recipe.div
    if recipe.schedule != "fine_tune":
        return None
    frozen = steps * recipe.freeze_epochs // recipe.epochs
    if step < frozen:
        return step / frozen, recipe.lr, 0.99, 25.0
    return (step - frozen) / (steps - frozen), recipe.lr / 2, recipe.pct_start, recipe.div


def _cycle(pct_start: float, position: float, start: float, middle: float, end: float) -> float:
    """fastai's one-cycle (`fit_one_cycle`): half a cosine up and half a cosine down, by the position in 0 … 1."""
    if position < pct_start:
        return _cosine(start, middle, position / pct_start)
    return _cosine(middle, end, (position - pct_start) / (1 - pct_start))


def _cosine(start: float, end: float, position: float) -> float:
    return start + (1 - math.cos(math.pi * position)) * (end - start) / 2


def _plateaus(patience: int, errors: Sequence[float]) -> int:
    """How often the error stood still for `patience` epochs without a new best, as section 3.4 of the same says."""
    best, waited, found = math.inf, 0, 0
    for error in errors:
        best, waited = (error, 0) if error < best else (best, waited + 1)
        if waited == patience:
            found, waited = found + 1, 0
    return found
