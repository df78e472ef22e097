"""torchvision's augmentations, mixed labels and weighted draws in batches and trainings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from resnet.augment import ALIKE, Policies
from resnet.data import Images
from resnet.loader import Loaders
from resnet.recipe import Recipe
from resnet.train import train
from tests.integration.test_train import RECIPE, SPEC, digits, same, state

ALL: dict[str, Any] = {"rand_augment": 9, "trivial_augment": 0.5, "mixup": 0.2, "cutmix": 1.0}
GREY = [100.0]


def pixels(n: int = 64, channels: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(256, (n, channels, 8, 8), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("policy", [{"rand_augment": 9}, {"trivial_augment": 1.0}], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_policy_follows_from_its_seed_and_moves_no_other_draw(policy: Any, channels: int) -> None:
    images = pixels(channels=channels)

    def twice(seed: int) -> list[Tensor]:
        policies = Policies(replace(RECIPE, **policy), 10, GREY * channels, seed)
        return [policies.changed(images) for _ in range(2)]

    torch.manual_seed(1)
    undisturbed = torch.rand(3)
    torch.manual_seed(1)
    first = twice(0)
    assert torch.equal(torch.rand(3), undisturbed)
    assert all(map(torch.equal, first, twice(0)))
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[0], twice(1)[0])
    assert first[0].dtype == torch.uint8
    kept = [torch.equal(one, other) for one, other in zip(first[0].split(ALIKE), images.split(ALIKE), strict=True)]
    assert not all(kept)


def test_the_strength_of_a_policy_is_how_much_or_how_often_it_changes() -> None:
    def change(**recipe: Any) -> float:
        images = pixels(400) // 4 + 96
        return float((Policies(Recipe(**recipe), 10, GREY, 0).changed(images).float() - images.float()).abs().mean())

    assert change() == 0
    assert 0 < change(rand_augment=3) < change(rand_augment=12) < change(rand_augment=30)
    assert 0 < change(trivial_augment=0.2) < change(trivial_augment=1.0)


@pytest.mark.parametrize("mix", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}], ids=str)
def test_mixed_images_carry_the_shares_of_their_classes(mix: Any) -> None:
    ones = torch.arange(10.0)[:, None, None, None].expand(10, 1, 8, 8)  # the class is its brightness
    policies, shares = Policies(Recipe(**mix), 10, GREY, 0), []
    for _ in range(20):
        images, labels = policies.mixed(ones, torch.arange(10))
        assert torch.allclose(labels.sum(1), torch.ones(10))
        assert torch.allclose(images.mean((1, 2, 3)), labels @ torch.arange(10.0), atol=1e-4)
        shares.append(float(labels.amax()))
    assert len(set(shares)) > 10


@pytest.mark.smoke
def test_a_training_with_all_of_them_repeats_itself_and_learns() -> None:
    recipe = replace(RECIPE, **ALL, crop=1, label_smoothing=0.1, class_weights="balanced", sampler="weighted")
    one = train(SPEC, recipe, digits())
    assert same(state(one), state(train(SPEC, recipe, digits())))
    assert 0 < one.metrics["train_top1"] < 1
    for name, value in ALL.items():
        assert not same(state(one), state(train(SPEC, replace(recipe, **{name: type(value)(value / 3)}), digits())))


def uneven(data: Images, rare: int, count: int) -> Images:
    """With so many training images of a class."""
    labels = data.train.labels
    chosen = np.flatnonzero((labels != rare) | (np.cumsum(labels == rare) <= count))
    return replace(data, train=data.train.take(chosen))


def test_a_weighted_sampler_draws_each_class_as_often() -> None:
    data = uneven(digits(), 3, 2)
    loaders = Loaders(data, replace(RECIPE, sampler="weighted"), 0, torch.device("cpu"))
    drawn = []
    for loaders.train.epoch in range(30):
        drawn.append(torch.cat([labels for _, labels in loaders.train]))
    assert {len(each) for each in drawn} == {len(data.train) // 32 * 32}
    shares = torch.bincount(torch.cat(drawn), minlength=10) / sum(map(len, drawn))
    assert shares.tolist() == pytest.approx([0.1] * 10, abs=0.015)


def test_the_focal_loss_takes_no_mixed_labels() -> None:
    with pytest.raises(ValueError, match=r"cutmix is 0\.5 with the focal loss"):
        Recipe(loss="focal", cutmix=0.5)
