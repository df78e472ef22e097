"""Networks and recipes side by side as an objective: the gene is a variant, by its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
        whole = classifier.complete(Settings.of(_base(config).settings))
        table = config.settings["experiment"]
        rows = [_complete(row, *each) for row, each in zip(table["variants"], _each(config.settings), strict=True)]
        return replace(config, space=space, settings=asdict(whole) | {"experiment": {**table, "variants": rows}})

    def prepare(self, config: StudyConfig) -> Images:
        images = loaded(Settings.of(_base(config).settings))
        for variant, settings in _each(config.settings):
            with _named(variant):
                check_training(settings, images)
        return images

    def seconds(self, config: StudyConfig, shared: Images) -> float:
        """The mean over the variants."""
        return fmean(seconds(settings, shared, config.pool.cpus) for _, settings in _each(config.settings))

    def made_of(self, shared: Images) -> dict[str, str]:
        return classifier.made_of(shared)

    def data(self, shared: Images) -> Data:
        return classifier.data(shared)

    def __call__(self, task: Task, report: Report) -> Score:
        from resnet.train import evaluate, loss_function

        settings = _settings(task.settings, _experiment(task.settings).variant(task.genes))
        done = trained(task, settings, report, report.note)
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


def _each(tables: Any) -> Iterator[tuple[Variant, Settings]]:
    """Every variant with its own tables, complete."""
    for variant in _experiment(tables).variants:
        with _named(variant):
            settings = classifier.complete(_settings(tables, variant))
        yield variant, settings


@contextmanager
def _named(variant: Variant) -> Iterator[None]:
    """Errors say in which variant they are."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"the variant {variant.name!r}: {error}") from None


def _complete(row: dict[str, Any], variant: Variant, settings: Settings) -> dict[str, Any]:
    """A row of the config, its path the same from every folder."""
    if "pretrained" not in variant.net:
        return row
    return {**row, "net": {**variant.net, "pretrained": settings.net.pretrained}}


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
