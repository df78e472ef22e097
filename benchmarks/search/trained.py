"""A problem that is no table: every score is a real training of a preset."""

from __future__ import annotations

import math
import random
import tempfile
from functools import cache
from pathlib import Path

from gaopt.config import StudyConfig, load
from gaopt.execution.worker import outcomes
from gaopt.journal.events import Scored
from gaopt.objectives.base import Objective, Task, resolve
from gaopt.space.space import Genes, Space


def top1(
    config: StudyConfig, objective: Objective, shared: object, genes: Genes, seed: int, share: float = 1.0
) -> float:
    """The validation accuracy of one training, in this process; nan if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        task = Task("bench", 0, 0, genes, seed, config.settings, here, here, share=share, shared=shared)
        *_, last = outcomes(objective, task)
    return last.fitness if isinstance(last, Scored) else math.nan


PRESET, CUT = "quick", ("data.limit=500", "recipe.epochs=3", "recipe.batch=64")
"""Small, so that a training takes a second; and so short that it is far from what it could come to."""


class Trained:
    """A preset, cut down, trained for every individual with seed 0: a `Problem`.

    Nobody knows its best score: regret is the validation error itself, as a share.
    """

    def __init__(self) -> None:
        config = load(PRESET, CUT)
        self._objective = resolve(config.objective)
        self._config = self._objective.check(config)
        self._shared = self._objective.prepare(self._config)
        self._score = cache(self._train)  # what a search held for the best is asked for again

    @property
    def space(self) -> Space:
        return self._config.space

    @property
    def epochs(self) -> int:
        return int(self._config.settings["recipe"]["epochs"])

    def score(self, genes: Genes, epochs: int) -> float:
        return self._score(tuple(self.space.vector(genes)), epochs)

    def _train(self, vector: tuple[float, ...], epochs: int) -> float:
        genes = self.space.genes(vector)
        return 100 * top1(self._config, self._objective, self._shared, genes, 0, epochs / self.epochs)

    def seen(self, genes: Genes, epochs: int, noise: float, rng: random.Random) -> float:
        """With noise, a training with another seed."""
        if not noise:
            return self.score(genes, epochs)
        return 100 * top1(
            self._config, self._objective, self._shared, genes, rng.randrange(2**31), epochs / self.epochs
        )

    def regret(self, score: float) -> float:
        return 1 - score / 100
