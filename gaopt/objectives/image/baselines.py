"""Trainings without a search: what somebody who searches nothing would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gaopt.config import StudyConfig
from gaopt.errors import Undecided
from gaopt.objectives.base import Baseline
from gaopt.objectives.image.probes import find_lr
from gaopt.space.gene import Choice
from gaopt.space.space import Space
from resnet.data import Images
from resnet.recipe import RECIPES, Recipe

OPTIMIZING = (
    *("lr", "wd", "mom", "optimizer", "schedule", "drops", "factor", "patience", "warmup", "decay"),
    *("mom_top", "div", "div_final", "pct_start", "sqr_mom", "eps"),
)
"""What a recipe says of its optimizer and schedule; epochs, batch, loss and augmentation stay those of the config."""


def baselines(config: StudyConfig, images: Images, step: Callable[[], object]) -> dict[str, Baseline]:
    """One-cycle with fastai's values, and the steps of the paper."""
    cycle, steps = partial(_cycle, config, images, step), partial(_steps, config)
    return {
        "baseline": Baseline("one-cycle, lr by the range test, the rest as fastai has it", cycle),
        "paper": Baseline("SGD with the step schedule and the values of He et al. 2015", steps),
    }


def _cycle(config: StudyConfig, images: Images, step: Callable[[], object]) -> StudyConfig:
    """lr is what the range test with the study's seed suggests, or fastai's own value where it suggests none."""
    config = _without_search(config, _optimizing(Recipe()))
    try:
        lr = float(f"{find_lr(config, images, step).valley:.3g}")
    except Undecided:
        return config
    return _without_search(config, {"lr": lr})


def _steps(config: StudyConfig) -> StudyConfig:
    return _without_search(config, _optimizing(RECIPES["paper"]))


def _optimizing(recipe: Recipe) -> dict[str, Any]:
    return {name: getattr(recipe, name) for name in OPTIMIZING}


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
