"""python -m benchmarks.search.cifar --data CIFAR-10: the trainings of the problem `cifar10` of `gaopt bench search`.

Trains a ResNet-20 on 4,500 images of CIFAR-10 for five epochs at 256 points of a scrambled Sobol set of the space of
the preset `cifar10`, a quarter of them with three seeds, and appends each to results/bench/search/cifar10.csv with its
accuracy after every epoch. What is there is not trained again. 384 trainings take about three hours on two cores.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.search import csv_log
from benchmarks.search.digits import points
from benchmarks.search.table import Surface, training
from gaopt.config import StudyConfig, load
from gaopt.errors import BadInput
from gaopt.journal.events import Reported
from gaopt.objectives.base import Objective, resolve
from gaopt.space.space import Genes, Space

FILE = Path(__file__).parents[2] / "results" / "bench" / "search" / "cifar10.csv"
EPOCHS = 5
COLUMNS = ("lr", "wd", "mom", "seed", *(f"top1_{epoch}" for epoch in range(1, EPOCHS + 1)))
CUT = (
    *("net.name=resnet20", "data.limit=4500", "data.valid=0.4445", f"recipe.epochs={EPOCHS}", "recipe.batch=64"),
    *("recipe.cutout=0", "pool.gpus=0"),
)
"""4,500 images to train on and 3,601 to measure by, which leave a deviation of 0.8 points to an accuracy of a half."""
CHANCE = 10.0  # percent, of ten classes
POINTS, REPEATED, SEEDS = 8, 64, 3  # 2⁸ points with seed 0; the first 64 also with the seeds 1 and 2


def trainings(space: Space) -> list[tuple[Genes, int]]:
    """Genes and seed of each."""
    found = points(space, POINTS)
    repeated = [(genes, seed) for seed in range(1, SEEDS) for genes in found[:REPEATED]]
    return [*((genes, 0) for genes in found), *repeated]


@cache
def prepared(data: str) -> tuple[StudyConfig, Objective, Any]:
    """The config, what trains it and its images; once per process."""
    config = load("cifar10", [f'data.path="{data}"', *CUT])
    objective = resolve(config.objective)
    config = objective.check(config)
    return config, objective, objective.prepare(config)


def curve(data: str, genes: Genes, seed: int) -> list[float]:
    """The accuracy on validation after each epoch; shorter where the training failed."""
    found = training(*prepared(data), genes, seed)
    return [outcome.metrics["top1"] for outcome in found if isinstance(outcome, Reported)]


def surface(path: Path = FILE) -> Surface:
    """The problem `cifar10`."""
    found: dict[tuple[float, ...], list[list[float]]] = defaultdict(list)
    try:
        for lr, wd, mom, _seed, *curve in csv_log.read(path, COLUMNS):
            found[float(lr), float(wd), float(mom)].append([100 * float(top1) for top1 in curve if top1])
    except ValueError as error:
        raise BadInput(f"{path} has a row that is not a training: {error}") from None
    if len(found) < REPEATED:
        raise BadInput(f"{path} has {len(found)} settings: a surface needs {REPEATED}, of benchmarks.search.cifar")
    return Surface(load("cifar10").space, CHANCE, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    given = parser.parse_args()
    config, _, _ = prepared(given.data)
    there = {tuple(row[:4]) for row in csv_log.read(FILE, COLUMNS)}
    with csv_log.appending(FILE, COLUMNS) as append, ProcessPoolExecutor(given.workers) as pool:
        running = {
            pool.submit(curve, given.data, genes, seed): key
            for genes, seed in trainings(config.space)
            if (key := tuple(str(value) for value in (*config.space.vector(genes), seed))) not in there
        }
        for done in as_completed(running):
            found = [f"{top1:.4f}" for top1 in done.result()]
            append([*running[done], *found, *[""] * (EPOCHS - len(found))])


if __name__ == "__main__":
    main()
