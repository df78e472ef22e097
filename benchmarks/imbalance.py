"""One digit against the nine others, 5 % to 95 %: how many of the rare are found by what helps against imbalance.

`python -m benchmarks.imbalance` writes results/bench/imbalance.csv and prints the table of docs/data.md.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from statistics import fmean, stdev

import numpy as np
import torch

from gaopt.objectives.image.predictions import probabilities
from resnet.data import DataSpec, Images, load
from resnet.metrics import measured
from resnet.recipe import Recipe
from resnet.spec import NetSpec
from resnet.split import Split
from resnet.train import train
from tests.conftest import ROOT

RARE, SHARE = 8, 0.05
SIZES = (4, 8)
"""Pixels a side: at 4 the classes overlap, so that finding more of the rare costs some of the others."""
SEEDS = 5
TRIED = 8
"""Random settings that a search chooses among."""
RECIPE = Recipe(lr=5e-3, epochs=5, batch=32)
METHODS = {
    "plain": RECIPE,
    'class_weights = "balanced"': replace(RECIPE, class_weights="balanced"),
    'sampler = "weighted"': replace(RECIPE, sampler="weighted"),
}


@dataclass(frozen=True)
class Row:
    """A training on the test images."""

    size: int
    method: str
    seed: int
    recall: float  # of the rare class
    top1: float
    balanced: float
    macro_f1: float


def images(size: int) -> Images:
    """The digits, 40 % of them for the test; in each split 5 % are of the rare one."""
    whole = load(DataSpec("digits", size=size, valid=0.2, test=0.4))
    splits = {}
    for name, split in whole.splits.items():
        rare = split.labels == RARE
        found = np.flatnonzero(rare)[: round((~rare).sum() * SHARE / (1 - SHARE))]
        part = split.take(np.sort(np.concatenate([np.flatnonzero(~rare), found])))
        splits[name] = Split(part.images, (part.labels == RARE).astype(np.int64), part.names)
    return replace(whole, **splits, classes=("another", str(RARE)))


def tested(method: str, recipe: Recipe, seed: int, data: Images) -> tuple[dict[str, float], Row]:
    """What a training scores on validation, and on test."""
    done = train(NetSpec("resnet20"), recipe, data, seed=seed)
    said = probabilities(done.net, data.test, data)
    found = measured(np.log(np.maximum(said, 1e-30)), data.test.labels)
    right = said.argmax(1) == data.test.labels
    recall, top1 = right[data.test.labels == 1].mean(), right.mean()
    size = data.train.images.shape[1]
    return done.metrics, Row(size, method, seed, float(recall), float(top1), found["balanced"], found["macro_f1"])


def chosen(data: Images) -> Iterator[Row]:
    """The best of some random settings by what a search may look for; each seed has its own settings."""
    for seed in range(SEEDS):
        rng, tried = random.Random(seed), []
        for number in range(TRIED):
            lr = 10 ** rng.uniform(-4, -1.7)
            recipe = replace(RECIPE, lr=lr, class_weights=rng.choice(["none", "balanced"]))
            recipe = replace(recipe, sampler=rng.choice(["shuffled", "weighted"]))
            tried.append(tested("", recipe, 100 * seed + number, data))
        for metric in ("top1", "balanced"):
            _, row = max(tried, key=lambda each, metric=metric: each[0][metric])  # type: ignore[misc]
            yield replace(row, method=f'best of {TRIED} by metric = "{metric}"', seed=seed)


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    for data in map(images, SIZES):
        rows += [tested(method, recipe, seed, data)[1] for method, recipe in METHODS.items() for seed in range(SEEDS)]
        rows += chosen(data)
    path = ROOT / "results/bench/imbalance.csv"
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, [each.name for each in fields(Row)], lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(row) for row in rows)
    print("| pixels | | recall of the rare class | top-1 | balanced | macro F1 |\n|---|---|---|---|---|---|")
    for size, method in dict.fromkeys((row.size, row.method) for row in rows):
        of = [row for row in rows if (row.size, row.method) == (size, method)]
        columns = ([getattr(row, name) for row in of] for name in ("recall", "top1", "balanced", "macro_f1"))
        print(
            f"| {size} | {method} | " + " | ".join(f"{fmean(each):.3f} ± {stdev(each):.3f}" for each in columns) + " |"
        )


if __name__ == "__main__":
    main()
