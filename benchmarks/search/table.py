"""Problems of real trainings: tables, by their nearest row or a surface through all, and trainings made for a score."""

from __future__ import annotations

import math
import random
import tempfile
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.optimize import minimize
from scipy.stats import qmc

from benchmarks.search import csv_log
from gaopt.config import StudyConfig, load
from gaopt.errors import BadInput
from gaopt.execution.worker import outcomes
from gaopt.journal.events import Outcome, Scored
from gaopt.objectives.base import Objective, Task, resolve
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
        """Only of the length of the table's trainings."""
        return self._scores[self._row(genes, epochs)]

    def seen(self, genes: Genes, epochs: int, noise: float, rng: random.Random) -> float:
        row = self._row(genes, epochs)
        return rng.choice(self._seeds[row]) if noise else self._scores[row]

    def regret(self, score: float) -> float:
        return (self.best - score) / (self.best - self.median)

    def share(self, points: float) -> float:
        """Of the rows, those that are no more than so many percentage points below the best."""
        return sum(score >= self.best - points for score in self._ranked) / self.rows

    def _row(self, genes: Genes, epochs: int) -> int:
        if epochs != self.epochs:
            raise BadInput(f"{epochs} epochs: the table has trainings of {self.epochs} alone")
        return int(np.argmin(((self._points - self._point(genes)) ** 2).sum(axis=1)))

    def _point(self, genes: Genes) -> np.ndarray:
        return np.array([gene.unit(genes[name]) for name, gene in self.space.items()])


def digits(path: Path = DIGITS) -> Table:
    """The trainings of a small ResNet on digits that benchmarks/search/digits.py made."""
    config = load(PRESET)
    found: dict[tuple[float, ...], list[float]] = defaultdict(list)
    try:
        for *genes, _seed, score in csv_log.read(path, COLUMNS):
            found[tuple(map(float, genes))].append(100 * float(score or "nan"))
    except ValueError as error:
        raise BadInput(f"{path} has a row that is not a training: {error}") from None
    if not found:
        raise BadInput(f"{path} has no trainings: make them with python -m benchmarks.search.digits")
    return Table(config.space, int(config.settings["recipe"]["epochs"]), dict(found))


class Surface:
    """Trainings of points of a space, their accuracy after each epoch, and what lies between them: a `Problem`.

    The score is that of a smooth surface through the means over the seeds, one for each epoch: a cubic radial basis,
    which needs no length scales and is no search's own model. The nearest point's, as a `Table` has it, would make a
    cell flat, and the best of 256 points the luckiest: held against surfaces that are known, LCBench's with three genes
    at 256 points, it is wrong by three times as much. What is shorter is the beginning of the whole training, not a
    training of its own. With noise it is added to the score.

    Args:
        trained: the curves in percent of each row of genes, one a seed. One that failed goes on as chance would.

    Attributes:
        best: the highest score, by ascents from the best of 2¹⁴ points.
        median: of these points.
        between: the standard deviation between the seeds of a row, at the last epoch.
    """

    def __init__(self, space: Space, chance: float, trained: dict[tuple[float, ...], list[list[float]]]) -> None:
        self.space, self.rows = space, len(trained)
        self.epochs = max(len(curve) for curves in trained.values() for curve in curves)
        whole = [[curve + [chance] * (self.epochs - len(curve)) for curve in curves] for curves in trained.values()]
        points = [space.units(space.genes(row)) for row in trained]
        means = np.array([np.mean(curves, axis=0) for curves in whole])
        self._surface = RBFInterpolator(points, means, kernel="cubic", smoothing=SMOOTHING)
        several = [np.var([curve[-1] for curve in curves], ddof=1) for curves in whole if len(curves) > 1]
        self.between = float(np.mean(several)) ** 0.5
        units = qmc.Sobol(len(space), rng=0).random_base2(14)
        scores = self._surface(units)[:, -1]
        ascents = [
            minimize(lambda at: -self._surface([at])[0, -1], units[start], bounds=[(0, 1)] * len(space))
            for start in np.argsort(scores)[-ASCENTS:]
        ]
        self.best, self.median = max(float(-ascent.fun) for ascent in ascents), float(np.median(scores))

    def score(self, genes: Genes, epochs: int) -> float:
        return float(self._surface([self.space.units(genes)])[0, epochs - 1])

    def seen(self, genes: Genes, epochs: int, noise: float, rng: random.Random) -> float:
        return self.score(genes, epochs) + (rng.gauss(0.0, noise) if noise else 0.0)

    def regret(self, score: float) -> float:
        return (self.best - score) / (self.best - self.median)


ASCENTS = 10
SMOOTHING = 0.01
"""Of those tried (0, 0.001, 0.01, 0.1, 1) the nearest to surfaces that are known, with noise of a few points."""


def training(
    config: StudyConfig, objective: Objective, shared: object, genes: Genes, seed: int, share: float = 1.0
) -> list[Outcome]:
    """What comes of one training, in this process: its epochs, and how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        task = Task("bench", 0, 0, genes, seed, config.settings, here, here, share=share, shared=shared)
        return list(outcomes(objective, task))


def top1(
    config: StudyConfig, objective: Objective, shared: object, genes: Genes, seed: int, share: float = 1.0
) -> float:
    """The validation accuracy of one training; nan if it fails."""
    last = training(config, objective, shared, genes, seed, share)[-1]
    return last.fitness if isinstance(last, Scored) else math.nan


CUT = ("data.limit=500", "recipe.epochs=3", "recipe.batch=64")
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
