"""Networks and recipes side by side as an objective: the gene is the number of a variant."""

from __future__ import annotations

from dataclasses import asdict, replace
from statistics import fmean
from typing import Any

from gaopt.config import StudyConfig
from gaopt.errors import ConfigError
from gaopt.experiment import Experiment, Variant, experiment
from gaopt.objective import Report, Score, Task
from gaopt.objectives.image.classifier import objective as classifier
from gaopt.objectives.image.classifier import trained
from gaopt.objectives.image.settings import Settings
from gaopt.space import Gene, Space
from resnet.data import Images


class Variants:
    """Fitness: top-1 accuracy on the validation split after the last epoch; the test split is measured then, too.

    Nothing is chosen by these scores, so that measuring every variant on the test images gives none an advantage.
    """

    judges = False

    def check(self, config: StudyConfig) -> StudyConfig:
        found = _experiment(config.settings)
        for variant in found.variants:
            try:
                _settings(config.settings, variant)
            except ConfigError as error:
                raise ConfigError(f"the variant {variant.name!r}: {error}") from None
        whole = classifier.complete(Settings.of(_base(config).settings))
        space = Space(variant=Gene(0, len(found.variants) - 1, integer=True))
        return replace(config, space=space, settings=asdict(whole) | {"experiment": config.settings["experiment"]})

    def prepare(self, config: StudyConfig) -> Images:
        return classifier.prepare(_base(config))

    def seconds(self, config: StudyConfig, shared: Images) -> float:
        """The mean over the variants."""
        each = [_settings(config.settings, variant) for variant in _experiment(config.settings).variants]
        return fmean(classifier.seconds(replace(config, settings=asdict(one)), shared) for one in each)

    def __call__(self, task: Task, report: Report) -> Score:
        from resnet.train import evaluate, loss_function

        settings = _settings(task.settings, _experiment(task.settings).variant(task.genes))
        done = trained(replace(task, genes={}), settings, report)
        test = evaluate(done.net, task.shared.test, task.shared, loss_function(settings.recipe))
        measured = {f"test_{name}": value for name, value in test.items()}
        parameters = float(sum(p.numel() for p in done.net.parameters()))
        metrics = done.metrics | measured | {"parameters": parameters}
        return Score(done.metrics["top1"], metrics, done.epochs, done.seconds)


objective = Variants()


def _experiment(tables: Any) -> Experiment:
    if (found := experiment(tables)) is None:
        raise ConfigError("the table [experiment] is missing: this objective compares its variants")
    return found


def _base(config: StudyConfig) -> StudyConfig:
    """The config without its experiment: what all variants have in common."""
    tables = {name: table for name, table in config.settings.items() if name != "experiment"}
    return replace(config, settings=tables)


def _settings(tables: Any, variant: Variant) -> Settings:
    """The tables of the config with a variant's changes."""
    if "name" in variant.recipe:
        raise ConfigError("recipe.name is the same for all variants: give the keys that differ")
    return Settings.of(
        {
            "data": tables.get("data", {}),
            "net": {**tables.get("net", {}), **variant.net},
            "recipe": {**tables.get("recipe", {}), **variant.recipe},
        }
    )
