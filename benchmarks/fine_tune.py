"""fastai's own `fine_tune` and the recipe of that name, on the same network, weights, images and seeds.

`python -m benchmarks.fine_tune [--data PATH]` pretrains torchvision's ResNet-18 on the first half of the classes of the
digits of scikit-learn, or of the images at a path, and fine-tunes it to few images of the other half. fastai does so
twice: with the three groups that it cuts a ResNet into, and with a group a block as ours. Five minutes on one core; it
writes results/bench/fine_tune.csv.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, product
from pathlib import Path
from typing import Any

import fastai.callback.schedule
import numpy as np
import torch
from fastai.optimizer import Adam
from torch import nn

from resnet import weights
from resnet.data import DataSpec, Images, Split, load
from resnet.groups import levels
from resnet.lean import Callback, Learner, TrainEvalCallback
from resnet.loader import Loaders, epoch_seed
from resnet.net import build, heads
from resnet.recipe import RECIPES, Recipe
from resnet.spec import NetSpec
from resnet.train import default_device, evaluate, loss_function, train
from resnet.zoo import seen

SPEC = NetSpec("torchvision:resnet18")
OUT = Path("results/bench/fine_tune.csv")
SIZE = 32
SETTINGS = ((100, 4), (200, 8))  # training images of the second half; epochs, the frozen one among them
WAYS = ("gaopt", "fastai", "fastai, a group a block")
SEEDS = 5
T_95 = 2.776  # Student's t for five seeds


def halves(images: Images, few: int) -> tuple[Images, Images]:
    """The images of the first half of the classes, and of the other, of whose training images only so many are left."""
    middle = len(images.classes) // 2

    def of(split: Split, low: int, high: int, most: int | None = None) -> Split:
        rows = np.flatnonzero((split.labels >= low) & (split.labels < high))[:most]
        return Split(split.images[rows], split.labels[rows] - low)

    first = {name: of(split, 0, middle) for name, split in images.splits.items()}
    other = {
        name: of(split, middle, len(images.classes), few if name == "train" else None)
        for name, split in images.splits.items()
    }
    return (
        replace(images, classes=images.classes[:middle], **first),
        replace(images, classes=images.classes[middle:], **other),
    )


class Seeded(Callback):
    """Order and augmentation of an epoch as in `train`, counted through both of fastai's fits."""

    def __init__(self, seed: int) -> None:
        self.seed, self.done = seed, 0

    def before_train(self) -> None:
        self.dls.train.epoch = self.done
        torch.manual_seed(epoch_seed(self.seed, self.done))
        self.done += 1


def fastai(spec: NetSpec, recipe: Recipe, data: Images, seed: int, even: bool) -> nn.Module:
    """Trained by `Learner.fine_tune`: with fastai's groups of a ResNet, or `even` with one a block."""
    torch.manual_seed(seed)
    net = build(spec, data.train.images.shape[3], len(data.classes))
    weights.start(net, spec)
    head = {p for name, p in net.named_parameters() if name.startswith(heads(net, spec))}
    body = [level for level in ([p for p in each if p not in head] for each in levels(net)) if level]
    half = 1 + sum(len(getattr(net.get_submodule("net"), f"layer{n}")) for n in (1, 2))
    cut = body if even else [list(chain(*body[:half])), list(chain(*body[half:]))]
    learner = Learner(
        Loaders(seen(data, spec), recipe, seed, default_device()),
        net.to(default_device()),
        loss_func=loss_function(recipe),
        opt_func=Adam,
        splitter=lambda _: [*cut, list(head)],
        default_cbs=False,
        cbs=[TrainEvalCallback(), Seeded(seed)],
    )
    learner.fine_tune(recipe.epochs - recipe.freeze_epochs, recipe.lr, freeze_epochs=recipe.freeze_epochs)
    return net


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="", help="a folder or archive of images; by default the digits")
    given = parser.parse_args()
    torch.set_num_threads(1)
    images = load(DataSpec("folder" if given.data else "digits", given.data, SIZE, valid=0.3, test=0.3))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        spec = replace(SPEC, pretrained=str(Path(folder, "weights.safetensors")))
        done = train(SPEC, Recipe(epochs=5), halves(images, 0)[0])
        weights.write(Path(spec.pretrained), done.net.state_dict(), {})
        print(f"pretrained: {100 * done.metrics['top1']:.2f} % of its own half")
        for few, epochs in SETTINGS:
            data, recipe = halves(images, few)[1], replace(RECIPES["fine_tune"], epochs=epochs, batch=16)
            for seed, way in product(range(SEEDS), WAYS):
                if way == "gaopt":
                    net = train(spec, recipe, data, seed=seed).net
                else:
                    net = fastai(spec, recipe, data, seed, even=way == "fastai, a group a block")
                top1 = evaluate(net, data.test, seen(data, spec), recipe)["top1"]
                rows.append({"images": few, "epochs": epochs, "seed": seed, "way": way, "top1": f"{top1:.5f}"})
                print(*rows[-1].values(), sep=", ", flush=True)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with OUT.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print("\n".join(summary(rows)))


def summary(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each setting and way: the mean, and what ours is above it with its interval of 95 %."""
    for (few, epochs), way in product(SETTINGS, WAYS):
        ours, theirs = (
            [float(row["top1"]) for row in rows if (row["images"], row["way"]) == (few, each)]
            for each in ("gaopt", way)
        )
        leads = [100 * (one - other) for one, other in zip(ours, theirs, strict=True)]
        spread = T_95 * statistics.stdev(leads) / math.sqrt(SEEDS)
        lead = f"ours is {statistics.fmean(leads):.2f} ± {spread:.2f} points above it"
        yield f"{few} images, {epochs} epochs, {way}: {100 * statistics.fmean(theirs):.2f} %; {lead}"


if __name__ == "__main__":
    main()
