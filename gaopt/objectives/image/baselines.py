"""Trainings without a search: what somebody who searches nothing would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gaopt.config import StudyConfig
from gaopt.errors import Undecided
from gaopt.objective import Baseline
from gaopt.objectives.image.lr import find_lr
from gaopt.space import Choice, Space
from resnet.data import Images
from resnet.recipe import RECIPES, Recipe

FIXED_BY_PAPER = ("lr", "wd", "mom", "optimizer", "schedule", "drops", "factor", "decay")
"""What the recipe of He et al. 2015 says of an optimizer; epochs, batch and augmentation stay those of the config."""


def baselines(config: StudyConfig, images: Images, step: Callable[[], object]) -> dict[str, Baseline]:
    """One-cycle with fastai's values, and the steps of the paper."""
    cycle, steps = partial(_cycle, config, images, step), partial(_steps, config)
    return {
        "baseline": Baseline("one-cycle, lr by the range test, wd and mom of fastai", cycle),
        "paper": Baseline("SGD with the step schedule and the values of He et al. 2015", steps),
    }


def _cycle(config: StudyConfig, images: Images, step: Callable[[], object]) -> StudyConfig:
    """lr is what the range test with the study's seed suggests, or fastai's own value where it suggests none."""
    own = Recipe()
    config = _without_search(config, {"lr": own.lr, "wd": own.wd, "mom": own.mom, "schedule": "one_cycle"})
    try:
        lr = float(f"{find_lr(config, images, step).valley:.3g}")
    except Undecided:
        return config
    return _without_search(config, {"lr": lr})


def _steps(config: StudyConfig) -> StudyConfig:
    return _without_search(config, {name: getattr(RECIPES["paper"], name) for name in FIXED_BY_PAPER})


def _without_search(config: StudyConfig, recipe: Mapping[str, Any]) -> StudyConfig:
    """The config with these values in its recipe; its genes are lr, wd and mom, and have them."""
    whole = {**config.settings.get("recipe", {}), **recipe}
    genes = {name: float(whole[name]) for name in ("lr", "wd", "mom")}
    return replace(
        config,
        space=Space(**{name: Choice((value,)) for name, value in genes.items()}),
        strategy="fixed",
        fixed=genes,
        given=(),
        settings={**config.settings, "recipe": whole},
    )
