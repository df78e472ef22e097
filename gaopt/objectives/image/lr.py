"""The learning-rate range test on the network, data and recipe of a config."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gaopt.config import StudyConfig
from gaopt.errors import Undecided, out_of_memory
from gaopt.objectives.image.settings import Settings
from resnet.data import Images

if TYPE_CHECKING:
    from resnet.lr import Range


def find_lr(config: StudyConfig, images: Images, step: Callable[[], object]) -> Range:
    """The curve and what it suggests; threads are the config's pool.cpus.

    Args:
        images: what the objective prepared.
        step: called after each step; an exception from it ends the test and is raised here.

    Raises:
        Undecided: nothing can be suggested.
    """
    from resnet import lr

    settings = Settings.of(config.settings)
    try:
        return lr.find(
            settings.net,
            settings.recipe,
            images,
            seed=config.seed,
            threads=config.pool.cpus,
            step=step,
        )
    except lr.Undecided as error:
        raise Undecided(str(error)) from None
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        batch, net = settings.recipe.batch, settings.net.name
        raise Undecided(f"a step of {net} with batches of {batch} images has no room in memory") from None
