"""Short trainings before a search: how long a whole one takes, and which learning rate suits the network."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

from gaopt.config import StudyConfig
from gaopt.errors import Undecided, out_of_memory
from gaopt.objectives.image.settings import Settings
from resnet.data import Images, Split

if TYPE_CHECKING:
    from resnet.lr import Range

DRAWN = 5
"""Individuals that are timed where genes change what a training costs."""


def mean_seconds(config: StudyConfig, images: Images) -> float | None:
    """The mean time of a whole training, over some individuals drawn evenly where genes change it.

    None where one of them has no room in memory.
    """
    base, rng = Settings.of(config.settings), random.Random(0)
    drawn = [config.fixed] if config.strategy == "fixed" else [config.space.sample(rng) for _ in range(DRAWN)]
    known: dict[object, float] = {}
    found = []
    try:
        for settings in (base.with_genes(genes) for genes in drawn):
            recipe = settings.recipe
            deciding = (settings.net, recipe.epochs, recipe.batch, recipe.precision, recipe.recompute)
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
    """The learning-rate range test of a config's network and recipe: the curve and what it suggests.

    Args:
        images: what the objective prepared.
        step: called after each step; an exception from it ends the test and is raised here.

    Raises:
        Undecided: nothing can be suggested.
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
