"""Genes beyond numbers of the recipe: words, and the network's own form."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gaopt.config import StudyConfig, from_tables
from gaopt.config.tables import overridden
from gaopt.errors import ConfigError, DataError
from gaopt.execution.worker import outcomes
from gaopt.journal.events import Judged, Opened, Scored
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Task, resolve
from gaopt.space.gene import Gene
from gaopt.space.space import Space
from gaopt.strategies.registry import strategy
from gaopt.study.resume_check import changes
from resnet.data import Images
from resnet.spec import FAMILIES, NetSpec

pytestmark = pytest.mark.usefixtures("one_thread")
IMAGE = "gaopt.objectives.image:objective"


def tables(space: dict[str, Any], **others: Any) -> dict[str, Any]:
    """A small study of digits."""
    return {
        "study": {"objective": IMAGE},
        "space": space,
        "pool": {"kind": "inline"},
        "data": {"name": "digits", "limit": 60},
        "net": {"name": "resnet20", "width": 0.25, "units": 1},
        "recipe": {"epochs": 2, "batch": 32},
        **others,
    }


def checked(space: dict[str, Any], **others: Any) -> StudyConfig:
    return resolve(IMAGE).check(from_tables(tables(space, **others)))


LR = {"low": 1e-4, "high": 1e-2, "scale": "log"}
WIDTH = {"low": 0.25, "high": 1.0, "step": 0.25}


def test_width_multiplies_filters_to_whole_numbers_and_units_are_those_of_every_stage() -> None:
    for name in FAMILIES:
        assert NetSpec(name, width=1.0, units=0).family == FAMILIES[name]
    for width, filters in ((0.01, (1, 1, 1)), (0.3, (5, 10, 19)), (2.0, (32, 64, 128))):
        assert NetSpec("preact20", width=width).family.filters == filters
    spec = NetSpec("resnet50", units=2)
    assert (spec.family.units, spec.layers) == ((2, 2, 2, 2), 2 + 3 * 8)


def test_a_gene_that_cannot_be_gets_one_sentence_before_the_search() -> None:
    for space, said in [
        ({"net.depth": {"low": 1, "high": 2}}, "'depth' is no field of the net that can be a gene: known: name, stem"),
        ({"net.pretrained": {"choices": ["", "imagenet"]}}, "'pretrained' is no field of the net"),
        ({"optimizer": {"choices": ["adam", "adamw"]}}, "as a gene, recipe.optimizer is 'adamw': must be 'adam' or 's"),
        ({"flip": {"choices": [0, 1]}}, "as a gene, recipe.flip is 0: must be a valid boolean"),
        ({"batch": {"choices": [16, 32.5]}}, "as a gene, recipe.batch is 32.5: must be a valid integer"),
        ({"net.width": {"low": 0, "high": 1}}, "as a gene, net.width is 0.0: must be greater than 0"),
        ({"net.units": {"low": 1, "high": 4}}, 'is a whole number of the net: set space."net.units".integer = true'),
        ({"net.name": {"choices": ["resnet2O"]}}, "net.name = resnet2O: name is 'resnet2O', which is no network: did"),
        (
            {"net.drop_rate": {"low": 0, "high": 0.5}},
            r"net.drop_rate = 0.*: drop_rate is 0.* with \w+, which takes none",
        ),
        ({"freeze_epochs": {"choices": [0, 1]}}, "freeze_epochs = 1: freeze_epochs is 1 with the schedule 'one_cycle'"),
        ({"net": {"width": WIDTH}}, r'space.net holds a table \'width\': a gene with a dot is written \[space."net.w'),
    ]:
        with pytest.raises(ConfigError, match=said) as error:
            checked(space)
        assert "\n" not in str(error.value)


SMOOTHED = {"loss": {"choices": ["cross_entropy", "focal"]}, "label_smoothing": {"low": 0.0, "high": 0.2}}


def test_networks_of_libraries_and_what_they_drop_are_genes() -> None:
    names = {"choices": ["timm:convnext_atto", "torchvision:resnet18"]}
    space = {"net.name": names, "net.drop_rate": {"low": 0, "high": 0.5}, "layer_decay": {"low": 0.5, "high": 1.0}}
    assert checked(space, net={"name": "timm:convnext_atto"})


def test_values_that_do_not_go_together_are_found_before_the_search_and_only_they_are_named() -> None:
    said = r"the space has loss = focal with label_smoothing = 0.\d+: label_smoothing is 0.\d+ with the focal loss"
    with pytest.raises(ConfigError, match=said):
        checked({"lr": LR, **SMOOTHED, "flip": {"choices": [False, True]}})
    with pytest.raises(ConfigError, match=r"the space has loss = focal: label_smoothing is 0.1 with the focal loss"):
        checked({"lr": LR, "loss": SMOOTHED["loss"]}, recipe={"label_smoothing": 0.1})


def test_a_condition_or_a_constraint_keeps_them_apart() -> None:
    conditional = SMOOTHED["label_smoothing"] | {"when": "loss == 'cross_entropy'"}
    assert checked({"loss": SMOOTHED["loss"], "label_smoothing": conditional})
    steps = {"low": 1, "high": 9, "integer": True, "when": "schedule == 'steps'"}
    assert checked({"schedule": {"choices": ["one_cycle", "steps"]}, "warmup": steps})  # refused with the base's own
    apart = {"objective": IMAGE, "constraints": ["net.name != 'vgg16' or net.width == 1"]}
    nets = {"net.name": {"choices": ["resnet20", "vgg16"]}, "net.width": {"choices": [1.0, 2.0]}}
    assert checked(nets, net={}, study=apart)
    with pytest.raises(ConfigError, match=r"net.name = vgg16 with net.width = 2: width is 2.0 with vgg16, which"):
        checked(nets, net={})


def test_a_search_begins_with_the_setting_of_the_tables_within_its_space() -> None:
    batch, units = {"choices": [64, 128]}, {"low": 1, "high": 6, "integer": True}
    cases: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]] = [
        ({"lr": LR}, {}, {"lr": 1e-3}),
        ({"lr": {"low": 0.1, "high": 1.0}, "batch": batch}, {}, {"lr": 0.1, "batch": 64}),
        ({"lr": LR, "net.units": units, "net.stem": {"choices": ["imagenet", "cifar"]}}, {"name": "preact20"},
         {"lr": 1e-3, "net.units": 3, "net.stem": "cifar"}),
        ({"lr": LR, "net.units": units}, {"name": "resnet50"}, None),  # no one number is its own
        ({"lr": LR, "optimizer": {"choices": ["sgd"]}}, {}, None),
        ({"lr": LR, "mom": {"low": 0.1, "high": 0.9, "when": "lr > 0.5"}}, {}, {"lr": 1e-3}),
    ]  # fmt: skip
    for name, (space, net, expected) in itertools.product(("assisted", "genetic", "random"), cases):
        bred = strategy(checked(space, study={"objective": IMAGE, "strategy": name}, net=net)).decide(History(), 10)
        assert bred
        assert len(bred.births) == 10
        defaults = [birth.genes for birth in bred.births if birth.origin == "default"]
        assert defaults == ([expected] if expected else [])
        assert bred.births[0].origin == ("default" if expected else "random")


def test_a_study_of_a_version_that_began_without_goes_on_as_it_would_have() -> None:
    config = checked({"lr": LR})
    old = config.plain()
    del old["study"]["default_first"]
    began = History([Opened(old, "0.5.0", "host", 1)])
    assert changes(began, config) == ()
    without = strategy(replace(config, default_first=False))
    assert strategy(config).decide(began, 10) == without.decide(History(), 10)


def test_a_momentum_that_learns_nothing_is_told_of_before_the_search() -> None:
    objective: Any = resolve(IMAGE)
    for space, others, said in (
        ({"mom": {"low": 0.1, "high": 1.5}}, {}, "space.mom goes up to 1.5"),
        ({"mom": {"choices": [0.9, 1.0]}}, {}, "space.mom goes up to 1"),
        ({"lr": LR}, {"recipe": {"mom": 1.2}}, "recipe.mom is 1.2"),
    ):
        (doubt,) = objective.doubts(checked(space, **others))
        assert doubt.startswith(said)
    assert objective.doubts(checked({"mom": {"low": 0.1, "high": 0.99}})) == []
    with pytest.raises(ConfigError, match=r"recipe.label_smoothing is"):  # others that learn nothing are refused
        checked({"label_smoothing": {"choices": [1.0, 0.5]}})


def test_a_warm_up_that_an_individual_s_own_training_would_end_in_is_refused_with_the_images() -> None:
    steps = {"name": "paper", "epochs": 2, "batch": 10, "warmup": 3}
    config = checked({"lr": LR, "batch": {"choices": [10, 60]}}, recipe=steps)
    with pytest.raises(
        ConfigError, match=r"the space has batch = 60: recipe.warmup is 3: must be less than the 2 steps"
    ):
        resolve(IMAGE).prepare(config)
    assert resolve(IMAGE).prepare(checked({"lr": LR, "batch": {"choices": [10, 20]}}, recipe=steps))


@pytest.fixture(scope="module")
def images() -> Images:
    found = resolve(IMAGE).prepare(checked({"lr": LR}))
    assert isinstance(found, Images)
    return found


def task(images: Images, folder: Path, genes: dict[str, Any], **changes: Any) -> Task:
    settings = checked({"lr": LR}).settings
    settings = {**settings, "recipe": settings["recipe"] | changes.pop("recipe", {})}
    own = {"genes": genes, "settings": settings, "folder": folder / "work", "home": folder, "shared": images} | changes
    return Task(study="s", individual=0, generation=0, seed=0, **own)


@pytest.mark.slow
def test_an_individual_is_trained_measured_and_used_again_with_its_own_network(images: Images, tmp_path: Path) -> None:
    from gaopt.objectives.image import predict

    genes = {"lr": 1e-3, "batch": 16, "optimizer": "sgd", "flip": True, "net.width": 0.5, "net.units": 2}
    found = task(images, tmp_path, genes)
    objective = resolve(IMAGE)
    *_, scored = outcomes(objective, found)
    assert isinstance(scored, Scored)
    *_, judged = outcomes(objective, replace(found, judge=True))
    assert isinstance(judged, Judged)
    best = json.loads(StudyDir(tmp_path).best.read_text())
    assert (best["net"]["width"], best["net"]["units"]) == (0.5, 2)
    assert best["genes"] == genes
    from PIL import Image

    Image.new("L", (8, 8)).save(tmp_path / "image.png")
    [(_, answer)] = predict(StudyDir(tmp_path), [tmp_path / "image.png"])
    assert not isinstance(answer, DataError)
    assert len(answer) == 5


def test_a_key_with_a_dot_is_quoted() -> None:
    base = tables({"net.width": WIDTH})
    for key in ('space."net.width".low', "space.'net.width'.low"):
        assert overridden(base, [f"{key}=0.5"])["space"] == {"net.width": WIDTH | {"low": 0.5}}
    for broken in ('space."net.width=1', 'space."".low=1', "a.=1"):
        with pytest.raises(ConfigError, match=r"is not of the form table.key=value"):
            overridden({}, [broken])


def test_a_name_with_a_dot_is_looked_up_and_never_followed() -> None:
    for text in ("net.__class__ == 1", "abs.__name__ == 'abs'", "true.real == 1"):
        with pytest.raises(ConfigError, match="which is no gene before it"):
            Space(text, net=Gene(0, 1))
