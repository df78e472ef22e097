"""Trainings before a search and without one: how long one takes, which learning rate suits it, what nobody tuned."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any

from gaopt.config import StudyConfig
from gaopt.errors import Undecided, out_of_memory
from gaopt.objectives.base import Baseline
from gaopt.objectives.image.settings import Settings
from gaopt.space.gene import Choice
from gaopt.space.space import Space
from resnet.data import Images, Split
from resnet.recipe import RECIPES, Recipe

if TYPE_CHECKING:
    from resnet.lr import Range

DRAWN = 5  # individuals that are timed where genes change what a training costs

OPTIMIZING = (
    *("lr", "wd", "mom", "optimizer", "schedule", "drops", "factor", "patience", "warmup", "decay"),
    *("mom_top", "div", "div_final", "pct_start", "sqr_mom", "eps", "freeze_epochs", "lr_mult", "layer_decay"),
)
"""What a recipe says of its optimizer and schedule; epochs, batch, loss and augmentation stay those of the config."""


def mean_seconds(config: StudyConfig, images: Images) -> float | None:
    """The mean time of a whole training, over individuals drawn where genes change it; None where one has no room."""
    base, rng = Settings.of(config.settings), random.Random(0)
    drawn = [config.fixed] if config.strategy == "fixed" else [config.space.sample(rng) for _ in range(DRAWN)]
    known: dict[object, float] = {}
    found = []
    try:
        for settings in (base.with_genes(genes) for genes in drawn):
            recipe = settings.recipe
            net = replace(settings.net, drop_rate=-1.0, drop_path_rate=-1.0)
            deciding = (net, recipe.epochs, recipe.batch, recipe.precision, recipe.recompute)
            if deciding not in known:
                known[deciding] = seconds(settings, images, config.pool.cpus)
            found.append(known[deciding])
    except (RuntimeError, MemoryError) as error:
        if out_of_memory(error):
            return None
        raise
    return fmean(found)


def seconds(settings: Settings, images: Images, threads: int) -> float:
    """The time of a whole training, scaled up from three steps of one epoch."""
    from resnet.train import train

    recipe = settings.recipe.shortened(1 / settings.recipe.epochs)
    few = Split(images.train.images[: 3 * recipe.batch], images.train.labels[: 3 * recipe.batch])
    valid = Split(images.valid.images[: recipe.batch], images.valid.labels[: recipe.batch])
    timed = train(settings.net, recipe, replace(images, train=few, valid=valid), threads=threads)
    # Measuring an image costs about a third of training on it.
    cost = len(few.labels) + len(valid.labels) / 3
    whole = len(images.train.labels) + len(images.valid.labels) / 3
    return timed.seconds / cost * whole * settings.recipe.epochs


def find_lr(config: StudyConfig, images: Images, step: Callable[[], object]) -> Range:
    """The learning-rate range test of a config's network and recipe: the curve and what it suggests, or an Undecided.

    `step` is called after each step; an exception from it ends the test and is raised here.
    """
    from resnet import lr

    settings, threads = Settings.of(config.settings), config.pool.cpus
    try:
        return lr.find(settings.net, settings.recipe, images, seed=config.seed, threads=threads, step=step)
    except lr.Undecided as error:
        raise Undecided(str(error)) from None
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        batch, net = settings.recipe.batch, settings.net.name
        raise Undecided(f"a step of {net} with batches of {batch} images has no room in memory") from None


def baselines(config: StudyConfig, images: Images, step: Callable[[], object]) -> dict[str, Baseline]:
    """One-cycle with fastai's values, and the steps of the paper."""
    cycle = partial(_cycle, config, images, step)
    steps = partial(_without_search, config, _optimizing(RECIPES["paper"]))
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
