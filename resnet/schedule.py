"""The learning rate, step by step: a schedule is a function. fastai's one-cycle is not here. No torch here.

Each function gives how often the rate has been divided, from the recipe, the position in the training (0 … 1) and the
validation errors of the epochs so far. Nothing is kept from step to step, so a resumed training has the same rates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from resnet.recipe import Recipe


def rate(recipe: Recipe, step: int, steps: int, errors: Sequence[float]) -> float:
    """The learning rate of a step.

    Args:
        step: counted from 0 through all epochs.
        steps: how many the whole training has.
        errors: on validation, 0 … 1, one for each epoch that is over.
    """
    if step < recipe.warmup:
        return recipe.warmup_lr
    lr = recipe.lr
    for _ in range(SCHEDULES[recipe.schedule](recipe, step / steps, errors)):
        lr /= recipe.factor  # one by one: a power of the factor may be too large for a float
    return lr


def steps(recipe: Recipe, position: float, errors: Sequence[float]) -> int:
    """Divided at fixed points: section 4.2 of He et al., *Deep Residual Learning for Image Recognition*, 2015."""
    return sum(position >= drop for drop in recipe.drops)


def plateau(recipe: Recipe, position: float, errors: Sequence[float]) -> int:
    """Divided when the error plateaus, as section 3.4 of the same says: after `patience` epochs without a new best."""
    best, waited, divided = math.inf, 0, 0
    for error in errors:
        best, waited = (error, 0) if error < best else (best, waited + 1)
        if waited == recipe.patience:
            divided, waited = divided + 1, 0
    return divided


SCHEDULES: dict[str, Callable[[Recipe, float, Sequence[float]], int]] = {"steps": steps, "plateau": plateau}
