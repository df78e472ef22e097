"""How long a training takes, by three steps of it."""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import fmean

from gaopt.config import StudyConfig
from gaopt.errors import out_of_memory
from gaopt.objectives.image.settings import Settings
from resnet import data as datasets
from resnet.data import Images

DRAWN = 5
"""Individuals that are timed where genes change what a training costs."""


def mean_seconds(config: StudyConfig, images: Images) -> float | None:
    """Of a whole training: the mean over some individuals drawn evenly, where it is not the same for all.

    None where it cannot be told, as one of them has no room in memory.
    """
    try:
        return _mean_seconds(config, images)
    except (RuntimeError, MemoryError) as error:
        if out_of_memory(error):
            return None
        raise


def _mean_seconds(config: StudyConfig, images: Images) -> float:
    base, rng = Settings.of(config.settings), random.Random(0)
    drawn = [config.fixed] if config.strategy == "fixed" else [config.space.sample(rng) for _ in range(DRAWN)]
    known: dict[object, float] = {}
    found = []
    for settings in (base.with_genes(genes) for genes in drawn):
        recipe = settings.recipe
        deciding = (settings.net, recipe.epochs, recipe.batch, recipe.precision, recipe.recompute)
        if deciding not in known:
            known[deciding] = seconds(settings, images, config.pool.cpus)
        found.append(known[deciding])
    return fmean(found)


def seconds(settings: Settings, images: Images, threads: int) -> float:
    """Time three steps of one epoch, and scale."""
    from resnet.train import train

    recipe = settings.recipe.shortened(1 / settings.recipe.epochs)
    few = datasets.Split(images.train.images[: 3 * recipe.batch], images.train.labels[: 3 * recipe.batch])
    valid = datasets.Split(images.valid.images[: recipe.batch], images.valid.labels[: recipe.batch])
    timed = train(settings.net, recipe, replace(images, train=few, valid=valid), threads=threads)
    # Measuring an image costs about a third of training on it.
    cost = len(few.labels) + len(valid.labels) / 3
    whole = len(images.train.labels) + len(images.valid.labels) / 3
    return timed.seconds / cost * whole * settings.recipe.epochs
