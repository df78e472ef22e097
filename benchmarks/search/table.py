"""A problem that is a table of real trainings: the score of genes is that of the nearest row."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.search import csv_log
from gaopt.config import load
from gaopt.errors import BadInput
from gaopt.space.space import Genes, Space

PRESET = "quick"
"""The preset whose trainings the table of digits has, in its space and at its number of epochs."""

COLUMNS = ("lr", "wd", "mom", "seed", "top1")

DIGITS = Path(__file__).parents[2] / "results" / "bench" / "search" / "digits.csv"


class Table:
    """Trainings of rows of genes with several seeds each: a `Problem`, whose score is the mean over the seeds.

    With noise, what one training comes to is the score of one of the row's seeds, whatever the noise asked for: it
    has its own.

    Args:
        trained: the accuracies in percent of each row of genes, one a seed; nan for a training that failed. One
            failure makes the row's score nan.

    Attributes:
        best: the highest score of a row.
        median: the score of the row in the middle; a failure is the lowest.
        seeds: trainings of a row, at most.
    """

    def __init__(self, space: Space, epochs: int, trained: dict[tuple[float, ...], list[float]]) -> None:
        self.space, self.epochs = space, epochs
        self._points = np.array([self._point(space.genes(list(row))) for row in trained])
        self._seeds = list(trained.values())
        self._scores = [math.fsum(seeds) / len(seeds) for seeds in self._seeds]
        self._ranked = sorted(-math.inf if math.isnan(score) else score for score in self._scores)
        self.best, self.median = self._ranked[-1], self._ranked[len(self._ranked) // 2]
        self.rows, self.seeds = len(trained), max(map(len, self._seeds))

    def score(self, genes: Genes, epochs: int) -> float:
        """
        Raises:
            BadInput: the table has trainings of another length.
        """
        return self._scores[self._row(genes, epochs)]

    def seen(self, genes: Genes, epochs: int, noise: float, rng: random.Random) -> float:
        row = self._row(genes, epochs)
        return rng.choice(self._seeds[row]) if noise else self._scores[row]

    def regret(self, score: float) -> float:
        return (self.best - score) / (self.best - self.median)

    def share(self, points: float) -> float:
        """Of the csv_log, those that are no more than so many percentage points below the best."""
        return sum(score >= self.best - points for score in self._ranked) / self.rows

    def _row(self, genes: Genes, epochs: int) -> int:
        if epochs != self.epochs:
            raise BadInput(f"{epochs} epochs: the table has trainings of {self.epochs} alone")
        return int(np.argmin(((self._points - self._point(genes)) ** 2).sum(axis=1)))

    def _point(self, genes: Genes) -> np.ndarray:
        return np.array([gene.unit(genes[name]) for name, gene in self.space.items()])


def digits(path: Path = DIGITS) -> Table:
    """The trainings of a small ResNet on digits that benchmarks/search/digits.py made.

    Raises:
        BadInput: the file is missing or broken.
    """
    config = load(PRESET)
    found: dict[tuple[float, ...], list[float]] = defaultdict(list)
    try:
        for *genes, _seed, top1 in csv_log.read(path, COLUMNS):
            found[tuple(map(float, genes))].append(100 * float(top1 or "nan"))
    except ValueError as error:
        raise BadInput(f"{path} has a row that is not a training: {error}") from None
    if not found:
        raise BadInput(f"{path} has no trainings: make them with python -m benchmarks.search.digits")
    return Table(config.space, int(config.settings["recipe"]["epochs"]), dict(found))
