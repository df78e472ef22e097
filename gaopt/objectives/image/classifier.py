"""Training an image classifier as an objective. Importing this is cheap; torch and fastai are loaded by what trains."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import resnet
from gaopt import __version__
from gaopt.config import StudyConfig
from gaopt.config.source_digest import digests
from gaopt.errors import ConfigError, DataError, Diverged
from gaopt.journal.atomic_write import tidy
from gaopt.journal.events import Data
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Cycle, Report, Score, Task
from gaopt.objectives.image import model, predictions
from gaopt.objectives.image.model import about, described, kept, network
from gaopt.objectives.image.probes import baselines, mean_seconds
from gaopt.objectives.image.settings import Settings, check_individuals, individuals
from gaopt.space.space import Genes
from resnet import data as datasets
from resnet.data import Images
from resnet.spec import NetSpec

if TYPE_CHECKING:
    from torch import nn

    from resnet.callbacks import Report as Told
    from resnet.train import Trained


LIBRARIES = ("torch", "torchvision", "fastai", "numpy")  # another version of these may give a training other numbers

TRAINED = ("train_loss", "train_top1", "seconds", "images_per_second")
"""The metrics of an epoch that say nothing of the validation images."""


class Classifier:
    """Fitness: top-1 accuracy, or another metric, on the validation split after the last epoch."""

    judges = True

    seconds = staticmethod(mean_seconds)
    baselines = staticmethod(baselines)
    joined = staticmethod(datasets.joined)

    def check(self, config: StudyConfig) -> StudyConfig:
        settings = Settings.of(config.settings)
        settings.check_genes(config)
        settings.check_rungs(config)
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

    def prepare(self, config: StudyConfig) -> Images:
        settings = Settings.of(config.settings)
        fixed = config.strategy == "fixed"
        drawn = [config.fixed] if fixed else individuals(config.space)
        nets = list(dict.fromkeys(settings.with_genes(genes).basic(settings.net) for genes in drawn))
        images = loaded(settings, nets)
        check_metric(settings.fitness.metric, images)
        if fixed:
            check_steps(settings.with_genes(config.fixed), images)
        else:
            check_individuals(config.space, lambda genes: check_steps(settings.with_genes(genes), images))
        for net in nets:
            check_net(net, images)
        return images

    def load_libraries(self) -> None:
        import resnet.train  # noqa: F401 - to have it there

    def made_of(self, shared: Images) -> dict[str, str]:
        return {"data": shared.digest} | tools()

    def data(self, shared: Images) -> Data:
        return Data(shared.name, shared.classes, shared.counts, shared.origins, shared.warnings)

    def __call__(self, task: Task, report: Report) -> Score:
        return self._judge(task, report) if task.judge else self._train(task, report)

    def default(self, config: StudyConfig) -> Genes:
        return Settings.of(config.settings).default(config.space)

    def doubts(self, config: StudyConfig) -> list[str]:
        return Settings.of(config.settings).doubts(config)

    def keeps(self, home: Path, individual: int) -> bool:
        return kept(StudyDir(home)) == individual

    def epochs(self, config: StudyConfig) -> int:
        if "epochs" in config.space:
            raise ConfigError("epochs is a gene: a whole training has no length by which budgets could be compared")
        return Settings.of(config.settings).recipe.epochs

    def final(self, task: Task, report: Report) -> Score:
        return self._final(task, report)[0]

    def finish(self, task: Task, report: Report) -> Score:
        score, net = self._final(task, report)
        model.keep(StudyDir(task.home), task, Settings.of_task(task), net, score)
        return score

    ensemble = staticmethod(model.ensemble)

    def _final(self, task: Task, report: Report) -> tuple[Score, nn.Module]:
        """Of an epoch only what was seen in training is reported: the validation images are trained on."""
        from resnet.train import evaluate
        from resnet.zoo import seen

        def told(epoch: int, metrics: Mapping[str, float], cycle: Cycle = ()) -> None:
            report(epoch, {name: value for name, value in metrics.items() if name in TRAINED}, cycle)

        settings = Settings.of_task(task)
        done = trained(task, settings, told, report.note)
        test = evaluate(done.net, task.shared.test, seen(task.shared, settings.net), settings.recipe)
        found = {name: value for name, value in done.metrics.items() if name in TRAINED}
        return Score(test[settings.fitness.key], found | test, done.epochs, done.seconds), done.net

    def _train(self, task: Task, report: Report) -> Score:
        from resnet import weights

        settings = Settings.of_task(task)
        done = trained(task, settings, report, report.note)
        fitness = done.metrics[settings.fitness.key]
        if fitness >= task.keep_from:  # 94 MB of a ResNet-50, and half a second
            weights.write(task.folder / "weights.safetensors", done.net.state_dict(), {"gaopt": __version__})
        return Score(fitness, done.metrics, done.epochs, done.seconds)

    def _judge(self, task: Task, report: Report) -> Score:
        from resnet import weights
        from resnet.train import evaluate
        from resnet.zoo import seen

        settings = Settings.of_task(task)
        images = seen(task.shared, settings.net)
        path = task.folder / "weights.safetensors"
        if (found := weights.read(path)) is None:  # on a CPU the same weights come again
            report.note(f"{path.name} is {'torn or altered' if path.exists() else 'gone'}: trained again")
            self._train(task, report)
            found = weights.read(path)
        assert found
        known = about(task, settings, images)
        net = network(described(known), found[0])
        metrics = evaluate(net, images.test, images, settings.recipe)
        home = StudyDir(task.home)
        predictions.write(home, task.individual, predictions.probabilities(net, images.test, images), images)
        weights.write(home.weights, found[0], {"gaopt": __version__, "individual": str(task.individual)})
        home.write(home.best, json.dumps(known | {"test": metrics}, indent=2) + "\n")
        return Score(metrics[settings.fitness.key], metrics)


objective = Classifier()


@cache
def tools() -> dict[str, str]:
    """Digests of the code that trains and versions of its libraries, from when this process first asked."""
    folders = Path(resnet.__file__).parent, Path(__file__).parent
    sources = {f"{folder.name}/{path.name}": path for folder in folders for path in sorted(folder.glob("*.py"))}
    return {f"library {name}": version(name) for name in LIBRARIES} | digests(sources)


def trained(task: Task, settings: Settings, report: Told, note: Callable[[str], None]) -> Trained:
    """Train what a task asks for, from its checkpoint if there is one; `settings` are the task's own."""
    from resnet.train import Diverged as NotFinite
    from resnet.train import train

    tidy(task.folder)
    library = {"library timm": version("timm")} if settings.net.library == "timm" else {}
    try:
        return train(
            settings.net,
            settings.recipe,
            task.shared,
            seed=task.seed,
            report=report,
            note=note,
            checkpoint=task.folder / "checkpoint.safetensors",
            made_of=" ".join(f"{name} {told}" for name, told in (tools() | library).items()),
            threads=task.threads,
            metric=settings.fitness.key,
        )
    except NotFinite as error:
        raise Diverged(str(error), error.epochs) from None


def loaded(settings: Settings, nets: Sequence[NetSpec] = ()) -> Images:
    """The images of a config; a DataError of gaopt's own where they cannot be had.

    Without a size of their own, in the largest that those of the networks take which a library has.
    """
    data = settings.data
    if not data.size and (named := [net for net in nets or (settings.net,) if net.library]):
        from resnet.zoo import LibraryError, wanted

        try:
            data = replace(data, size=max(wanted(net).size for net in named))
        except LibraryError as error:
            raise ConfigError(f"net: {error}") from None
    try:
        return datasets.load(data)
    except datasets.DataError as error:
        raise DataError(str(error)) from None


def check_metric(metric: str, images: Images) -> None:
    """Raise a ConfigError for a metric that tells nothing of these images."""
    said = f"fitness.metric is {metric!r}"
    if metric == "top5" and len(images.classes) <= 5:
        raise ConfigError(f"{said}: with {len(images.classes)} classes it is always 1: must be another")
    for split in ("valid", "test"):
        missing = [name for name, count in zip(images.classes, images.counts[split], strict=True) if not count]
        if metric == "auc" and missing:
            raise ConfigError(f"{said}: it takes images of each class, and {split} has none of {missing[0]!r}")


def check_training(settings: Settings, images: Images) -> None:
    """Raise a ConfigError for a training that would end in its warm-up, or a network that cannot be begun with."""
    check_steps(settings, images)
    check_net(settings.net, images)


def check_steps(settings: Settings, images: Images) -> None:
    """Raise a ConfigError for a warm-up that is too long. One that fits the whole training fits each share of it."""
    recipe = settings.recipe
    steps = recipe.epochs * (len(images.train.labels) // min(recipe.batch, len(images.train.labels)))
    if recipe.warmup >= steps:
        raise ConfigError(f"recipe.warmup is {recipe.warmup}: must be less than the {steps} steps of the training")


def check_net(spec: NetSpec, images: Images) -> None:
    """Raise a ConfigError where a library has no such network, or none for these images, or there are no weights."""
    if not (spec.library or spec.pretrained):
        return
    from resnet import weights
    from resnet.net import build, check_library
    from resnet.zoo import LibraryError

    size, channels, classes = *images.train.images.shape[2:], len(images.classes)
    try:
        if spec.library:
            check_library(spec, size, channels, classes)
        if spec.pretrained:
            weights.start(build(spec, channels, classes), spec)
    except (LibraryError, weights.WeightsError) as error:
        raise ConfigError(f"net: {error}") from None
