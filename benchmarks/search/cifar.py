"""python -m benchmarks.search.cifar --data CIFAR-10: the trainings of the problem `cifar10` of `gaopt bench search`.

Trains a ResNet-20 on 4,000 images of CIFAR-10 for five epochs at 256 points of a scrambled Sobol set of the space of
the preset `cifar10`, a quarter of them with three seeds, and appends each to results/bench/search/cifar10.csv with its
accuracy after every epoch. What is there is not trained again. 384 trainings take about three hours on two CPU cores.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from scipy.stats import qmc

from benchmarks.search import csv_log
from gaopt.config import StudyConfig, load
from gaopt.execution.worker import outcomes
from gaopt.journal.events import Reported
from gaopt.objectives.base import Objective, Task, resolve

FILE = Path(__file__).parents[2] / "results" / "bench" / "search" / "cifar10.csv"
EPOCHS = 5
COLUMNS = ("lr", "wd", "mom", "seed", *(f"top1_{epoch}" for epoch in range(1, EPOCHS + 1)))
CUT = (
    *("net.name=resnet20", "data.limit=6000", "data.valid=0.3334", f"recipe.epochs={EPOCHS}", "recipe.batch=64"),
    *("recipe.cutout=0", "pool.gpus=0"),
)
"""4,000 images to train on and 2,000 to measure by, which leave a deviation of a point to an accuracy of a half."""
POINTS, REPEATED, SEEDS = 8, 64, 3  # 2⁸ points with seed 0; the first 64 also with the seeds 1 and 2


def trainings(config: StudyConfig) -> Iterator[tuple[float, float, float, int]]:
    units = qmc.Sobol(len(config.space), rng=0).random_base2(POINTS)
    points = [tuple(gene.at(unit) for gene, unit in zip(config.space.values(), row, strict=True)) for row in units]
    yield from ((*point, 0) for point in points)
    yield from ((*point, seed) for seed, point in itertools.product(range(1, SEEDS), points[:REPEATED]))


@cache
def prepared(data: str) -> tuple[StudyConfig, Objective, Any]:
    """The config, what trains it and its images; once per process."""
    config = load("cifar10", [f'data.path="{data}"', *CUT])
    objective = resolve(config.objective)
    config = objective.check(config)
    return config, objective, objective.prepare(config)


def curve(data: str, vector: tuple[float, float, float], seed: int) -> list[float]:
    """The accuracy on validation after each epoch; shorter where the training failed."""
    config, objective, shared = prepared(data)
    with tempfile.TemporaryDirectory() as folder:
        genes = config.space.genes(list(vector))
        task = Task("bench", 0, 0, genes, seed, config.settings, Path(folder), Path(folder), shared=shared)
        return [found.metrics["top1"] for found in outcomes(objective, task) if isinstance(found, Reported)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    given = parser.parse_args()
    config, _, _ = prepared(given.data)
    there = {tuple(row[:4]) for row in csv_log.read(FILE, COLUMNS)}
    with csv_log.appending(FILE, COLUMNS) as append, ProcessPoolExecutor(given.workers) as pool:
        running = {
            pool.submit(curve, given.data, each[:3], each[3]): each
            for each in trainings(config)
            if tuple(map(str, each)) not in there
        }
        for done in as_completed(running):
            found = [f"{top1:.4f}" for top1 in done.result()]
            append([*map(str, running[done]), *found, *[""] * (EPOCHS - len(found))])


if __name__ == "__main__":
    main()
