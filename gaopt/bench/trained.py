"""A problem that is no table: every score is a real training of a preset."""

from __future__ import annotations

import math
import random
import tempfile
from functools import cache
from pathlib import Path

from gaopt.bench import table
from gaopt.config import StudyConfig, load
from gaopt.events import Scored
from gaopt.objective import Objective, Task, resolve
from gaopt.pools.base import outcomes
from gaopt.space import Genes, Space


def top1(
    config: StudyConfig, objective: Objective, shared: object, genes: Genes, seed: int, share: float = 1.0
) -> float:
    """The validation accuracy of one training, in this process; nan if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        task = Task("bench", 0, 0, genes, seed, config.settings, here, here, share=share, shared=shared)
        *_, last = outcomes(objective, task)
    return last.fitness if isinstance(last, Scored) else math.nan


class Trained:
    """The preset of the table of digits, trained anew for every individual, with seed 0: a `Problem`.

    Regret is measured as on the table, whose best is that of its rows: a lucky training may lie below 0.
    """

    def __init__(self) -> None:
        self._config = load(table.PRESET)
        self._objective = resolve(self._config.objective)
        self._shared = self._objective.prepare(self._config)
        self._table = table.digits()
        self._score = cache(self._train)  # what a search held for the best is asked for again

    @property
    def space(self) -> Space:
        return self._config.space

    @property
    def epochs(self) -> int:
        return self._table.epochs

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
        return self._table.regret(score)
