"""Networks and recipes side by side as an objective: the gene is a variant, by its name."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from statistics import fmean
from typing import Any

from gaopt.config import StudyConfig, variant_space
from gaopt.errors import ConfigError
from gaopt.journal.events import Data
from gaopt.objectives.base import Report, Score, Task
from gaopt.objectives.image.classifier import check_training, loaded, trained
from gaopt.objectives.image.classifier import objective as classifier
from gaopt.objectives.image.probes import seconds
from gaopt.objectives.image.settings import Settings
from gaopt.papers.experiment import Experiment, Variant, check, experiment
from gaopt.space import Gene, Space
from resnet.data import Images


class Variants:
    """Fitness: top-1 accuracy on the validation split after the last epoch; the test split is measured then, too.

    Nothing is chosen by these scores, so that measuring every variant on the test images gives none an advantage.
    """

    judges = False

    def check(self, config: StudyConfig) -> StudyConfig:
        found = _experiment(config.settings)
        check(found)
        space = variant_space([variant.name for variant in found.variants])
        before = Space(variant=Gene(0, len(found.variants) - 1, integer=True))  # of studies of 0.5 and before
        if config.strategy != "grid":
            raise ConfigError(f"study.strategy is {config.strategy!r}: must be 'grid' for an experiment")
        if dict(config.space) == dict(before):
            space = before
        if dict(config.space) != dict(space):
            raise ConfigError(f"space has the genes {', '.join(config.space)}: leave it out in an experiment")
        whole, table = classifier.complete(_base(config)), config.settings["experiment"]
        if whole.fitness.metric != "top1":
            raise ConfigError(
                f"fitness.metric is {whole.fitness.metric!r}: must be 'top1', an experiment compares errors"
            )
        rows = [
            # its path the same from every folder
            {**row, "net": {**variant.net, "pretrained": own.net.pretrained}} if "pretrained" in variant.net else row
            for row, (variant, own) in zip(table["variants"], _each(config.settings), strict=True)
        ]
        return replace(config, space=space, settings=asdict(whole) | {"experiment": {**table, "variants": rows}})

    def prepare(self, config: StudyConfig) -> Images:
        images = loaded(_base(config))
        for _ in _each(config.settings, images):
            pass
        return images

    def seconds(self, config: StudyConfig, shared: Images) -> float:
        """The mean over the variants."""
        return fmean(seconds(settings, shared, config.pool.cpus) for _, settings in _each(config.settings))

    def made_of(self, shared: Images) -> dict[str, str]:
        return classifier.made_of(shared)

    def data(self, shared: Images) -> Data:
        return classifier.data(shared)

    def __call__(self, task: Task, report: Report) -> Score:
        from resnet.train import evaluate
        from resnet.zoo import seen

        settings = _settings(task.settings, _experiment(task.settings).variant(task.genes))
        done = trained(task, settings, report, report.note)
        test = evaluate(done.net, task.shared.test, seen(task.shared, settings.net), settings.recipe)
        measured = {f"test_{name}": value for name, value in test.items()}
        parameters = float(sum(p.numel() for p in done.net.parameters()))
        metrics = done.metrics | measured | {"parameters": parameters}
        return Score(done.metrics["top1"], metrics, done.epochs, done.seconds)


objective = Variants()


def _experiment(tables: Any) -> Experiment:
    if (found := experiment(tables)) is None:
        raise ConfigError("the table [experiment] is missing: this objective compares its variants")
    return found


def _base(config: StudyConfig) -> Settings:
    return Settings.of({name: table for name, table in config.settings.items() if name != "experiment"})


def _each(tables: Any, images: Images | None = None) -> Iterator[tuple[Variant, Settings]]:
    """Every variant with its own tables, complete; with images also checked against them. Errors say in which."""
    for variant in _experiment(tables).variants:
        try:
            settings = classifier.complete(_settings(tables, variant))
            if images is not None:
                check_training(settings, images)
        except ConfigError as error:
            raise ConfigError(f"the variant {variant.name!r}: {error}") from None
        yield variant, settings


def _settings(tables: Any, variant: Variant) -> Settings:
    if "name" in variant.recipe:
        raise ConfigError("recipe.name is the same for all variants: give the keys that differ")
    net, recipe = {**tables.get("net", {}), **variant.net}, {**tables.get("recipe", {}), **variant.recipe}
    return Settings.of({"data": tables.get("data", {}), "net": net, "recipe": recipe})
