"""Training an image classifier as an objective. Importing this is cheap; torch and fastai are loaded by what trains."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from gaopt import __version__
from gaopt.config import StudyConfig, parse
from gaopt.errors import ConfigError, DataError, Diverged
from gaopt.home import Home
from gaopt.objective import Report, Score, Task
from gaopt.objectives.image.model import about, network
from gaopt.objectives.image.settings import Settings
from gaopt.space import Choice, Gene
from resnet import data as datasets
from resnet.data import Images
from resnet.recipe import Recipe
from resnet.spec import NetSpec

if TYPE_CHECKING:
    from resnet.train import Trained


class Classifier:
    """Fitness: top-1 accuracy on the validation split after the last epoch."""

    judges = True

    def check(self, config: StudyConfig) -> StudyConfig:
        settings = Settings.of(config.settings)
        for name, gene in config.space.items():
            for value in gene.choices if isinstance(gene, Choice) else (gene.low, gene.high):
                self._check_gene(settings.recipe, name, value)
            if isinstance(getattr(settings.recipe, name), int) and isinstance(gene, Gene) and not gene.integer:
                raise ConfigError(f"the gene {name!r} is a whole number of the recipe: set space.{name}.integer = true")
        for name, value in config.fixed.items():
            self._check_gene(settings.recipe, name, value)
        return replace(config, settings=asdict(self.complete(settings)))

    @staticmethod
    def complete(settings: Settings) -> Settings:
        """The same with absolute paths, so that they mean the same when a study is resumed from another folder."""
        data, net = settings.data, settings.net
        if data.path:
            data = replace(data, path=os.path.abspath(os.path.expanduser(data.path)))
        if net.pretrained not in ("", "imagenet"):
            net = replace(net, pretrained=os.path.abspath(os.path.expanduser(net.pretrained)))
        return replace(settings, data=data, net=net)

    @staticmethod
    def _check_gene(recipe: Recipe, name: str, value: Any) -> None:
        try:
            changed = recipe.with_genes({name: value})
        except ValueError as error:
            raise ConfigError(str(error)) from None
        parse(Recipe, asdict(changed), "as a gene, recipe")

    def prepare(self, config: StudyConfig) -> Images:
        settings = Settings.of(config.settings)
        try:
            images = datasets.load(settings.data)
        except datasets.DataError as error:
            raise DataError(str(error)) from None
        check_training(settings, images)
        return images

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

        done = trained(task, Settings.of(task.settings), report)
        weights.write(task.folder / "weights.safetensors", done.net.state_dict(), {"gaopt": __version__})
        return Score(done.metrics["top1"], done.metrics, done.epochs, done.seconds)

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
        known = about(task, settings, images)
        net = network(known, found[0])
        metrics = evaluate(net, images.test, images, loss_function(settings.recipe.with_genes(task.genes)))
        home = Home(task.home)
        weights.write(home.weights, found[0], {"gaopt": __version__})
        home.write(home.best, json.dumps(known | {"test": metrics}, indent=2) + "\n")
        return Score(metrics["top1"], metrics)


objective = Classifier()


def trained(task: Task, settings: Settings, report: Report) -> Trained:
    """Train what a task asks for, from its checkpoint if there is one.

    Raises:
        Diverged: the loss is not finite any more.
    """
    from resnet.train import Diverged as NotFinite
    from resnet.train import train

    try:
        return train(
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


def check_training(settings: Settings, images: Images) -> None:
    """What can be known of a training only once its images are there.

    Raises:
        ConfigError: it would end in its warm-up, or there are no such weights to start from.
    """
    recipe = settings.recipe
    steps = recipe.epochs * (len(images.train.labels) // min(recipe.batch, len(images.train.labels)))
    if recipe.warmup >= steps:
        raise ConfigError(f"recipe.warmup is {recipe.warmup}: must be less than the {steps} steps of the training")
    if settings.net.pretrained:
        _check_pretrained(settings.net, images)


def _check_pretrained(spec: NetSpec, images: Images) -> None:
    """Have the weights, and see that they fit, before a search begins."""
    from resnet import weights
    from resnet.net import build

    try:
        weights.start(build(spec, images.train.images.shape[3], len(images.classes)), spec)
    except weights.WeightsError as error:
        raise ConfigError(f"net: {error}") from None
