"""Training an image classifier as an objective: the only door from gaopt to resnet.

Importing this is cheap; torch and fastai are loaded by what trains or predicts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gaopt import __version__
from gaopt.config import OWN_TABLES, StudyConfig, parse
from gaopt.errors import ConfigError, DataError, Diverged, StudyError, nearest
from gaopt.home import Home
from gaopt.objective import Report, Score, Task
from resnet import data as datasets
from resnet.data import DataSpec, Images
from resnet.recipe import Recipe
from resnet.spec import NetSpec

if TYPE_CHECKING:
    from torch import nn

TABLES = ("data", "net", "recipe")


@dataclass(frozen=True)
class Settings:
    """The objective's tables of the config."""

    data: DataSpec
    net: NetSpec
    recipe: Recipe

    @classmethod
    def of(cls, tables: Any) -> Settings:
        """
        Raises:
            ConfigError: an unknown table or key, or a value out of range.
        """
        for table in tables:
            if table not in TABLES:
                raise ConfigError(f"unknown table [{table}]: {nearest(table, (*OWN_TABLES, *TABLES))}")
        return cls(
            parse(DataSpec, tables.get("data", {}), "data"),
            parse(NetSpec, tables.get("net", {}), "net"),
            parse(Recipe, tables.get("recipe", {}), "recipe"),
        )


class Classifier:
    """Fitness: top-1 accuracy on the validation split after the last epoch."""

    judges = True

    def check(self, config: StudyConfig) -> StudyConfig:
        settings = Settings.of(config.settings)
        for name, gene in config.space.items():
            for bound in (gene.low, gene.high):
                self._check_gene(settings.recipe, name, bound)
            if isinstance(getattr(settings.recipe, name), int) and not gene.integer:
                raise ConfigError(f"the gene {name!r} is a whole number of the recipe: set space.{name}.integer = true")
        for name, value in config.fixed.items():
            self._check_gene(settings.recipe, name, value)
        data = settings.data
        if data.path:  # so that it means the same when the study is resumed from another folder
            data = replace(data, path=os.path.abspath(os.path.expanduser(data.path)))
        return replace(config, settings=asdict(replace(settings, data=data)))

    @staticmethod
    def _check_gene(recipe: Recipe, name: str, value: float) -> None:
        try:
            changed = recipe.with_genes({name: value})
        except ValueError as error:
            raise ConfigError(str(error)) from None
        parse(Recipe, asdict(changed), "as a gene, recipe")

    def prepare(self, config: StudyConfig) -> Images:
        try:
            return datasets.load(Settings.of(config.settings).data)
        except datasets.DataError as error:
            raise DataError(str(error)) from None

    def seconds(self, config: StudyConfig, shared: Images) -> float:
        """Time three steps of one epoch, and scale."""
        from resnet.train import train

        settings = Settings.of(config.settings)
        recipe = replace(settings.recipe, epochs=1)
        few = datasets.Split(shared.train.images[: 3 * recipe.batch], shared.train.labels[: 3 * recipe.batch])
        valid = datasets.Split(shared.valid.images[: recipe.batch], shared.valid.labels[: recipe.batch])
        timed = train(settings.net, recipe, replace(shared, train=few, valid=valid), threads=config.pool.cpus)
        # Measuring an image costs about a third of training on it.
        cost = len(few.labels) + len(valid.labels) / 3
        whole = len(shared.train.labels) + len(shared.valid.labels) / 3
        return timed.seconds / cost * whole * settings.recipe.epochs

    def __call__(self, task: Task, report: Report) -> Score:
        return self._judge(task, report) if task.judge else self._train(task, report)

    def _train(self, task: Task, report: Report) -> Score:
        from resnet import weights
        from resnet.train import Diverged as NotFinite
        from resnet.train import train

        settings = Settings.of(task.settings)
        try:
            trained = train(
                settings.net,
                settings.recipe.with_genes(task.genes),
                task.shared,
                seed=task.seed,
                report=report,
                checkpoint=task.folder / "checkpoint.safetensors",
                threads=task.threads,
            )
        except NotFinite as error:
            raise Diverged(str(error)) from None
        weights.write(task.folder / "weights.safetensors", trained.net.state_dict(), {"gaopt": __version__})
        return Score(trained.metrics["top1"], trained.metrics, trained.epochs, trained.seconds)

    def _judge(self, task: Task, report: Report) -> Score:
        """Measure on the test split, and leave the best model in the study's folder."""
        from resnet import weights
        from resnet.train import evaluate, loss_function

        settings, images = Settings.of(task.settings), task.shared
        path = task.folder / "weights.safetensors"
        if (found := weights.read(path)) is None:  # removed since: on a CPU the same weights come again
            self._train(task, report)
            found = weights.read(path)
        assert found
        about = _about(task, settings, images)
        net = _net(about, found[0])
        metrics = evaluate(net, images.test, images, loss_function(settings.recipe.with_genes(task.genes)))
        home = Home(task.home)
        weights.write(home.weights, found[0], {"gaopt": __version__})
        home.write(home.best, json.dumps(about | {"test": metrics}, indent=2) + "\n")
        return Score(metrics["top1"], metrics)


objective = Classifier()


def _about(task: Task, settings: Settings, images: Images) -> dict[str, Any]:
    """All that is needed to use the weights, and where they come from."""
    return {
        "study": task.study,
        "individual": task.individual,
        "generation": task.generation,
        "genes": dict(task.genes),
        "net": asdict(settings.net),
        "channels": int(images.train.images.shape[3]),
        "size": int(images.train.images.shape[1]),
        "classes": list(images.classes),
        "mean": list(images.mean),
        "std": list(images.std),
        "data": {"name": images.name, "digest": images.digest},
        "gaopt": __version__,
    }


def _net(about: dict[str, Any], tensors: Any) -> nn.Module:
    from resnet.net import build

    net = build(NetSpec(**about["net"]), about["channels"], len(about["classes"]))
    net.load_state_dict(tensors)
    return net


def predict(home: Home, paths: Sequence[Path], top: int = 5) -> list[list[tuple[str, float]]]:
    """For each image the most probable classes with their probabilities, by the study's best model.

    Raises:
        StudyError: the study has no best model yet.
        DataError: an image cannot be read.
    """
    import torch

    from resnet import weights
    from resnet.augment import normalise

    found = weights.read(home.weights)
    if found is None or not home.best.is_file():
        raise StudyError(
            f"the study {home.name!r} has no best model: the image objective writes one when its search ends"
        )
    try:
        about = json.loads(home.best.read_text("utf-8"))
        net, size, channels, classes = _net(about, found[0]).eval(), about["size"], about["channels"], about["classes"]
        mean, std = (torch.tensor(about[key]).reshape(1, -1, 1, 1) for key in ("mean", "std"))
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise StudyError(f"{home.best} and {home.weights.name} do not fit together: {error!r:.200}") from None
    try:
        images = [datasets.read_image(path, size, channels) for path in paths]
    except datasets.DataError as error:
        raise DataError(str(error)) from None
    batch = torch.stack([torch.tensor(image).permute(2, 0, 1) for image in images])
    with torch.no_grad():
        probabilities = net(normalise(batch, mean, std)).softmax(1)
    best = probabilities.topk(min(top, probabilities.shape[1]))
    return [
        [(classes[index], value) for index, value in zip(row.tolist(), values.tolist(), strict=True)]
        for row, values in zip(best.indices, best.values, strict=True)
    ]
