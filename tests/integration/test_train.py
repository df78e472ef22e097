"""Training for real, on small networks and few images."""

from __future__ import annotations

import math
import subprocess
import sys
import weakref
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from resnet import augment as augments
from resnet.callbacks import Meter, hits
from resnet.data import DataSpec, Images, load
from resnet.loader import Loaders, class_weights
from resnet.recipe import Recipe
from resnet.spec import NetSpec
from resnet.train import Diverged, Trained, default_device, evaluate, loss_function, train
from tests.faults import checkpoint

SPEC = NetSpec("resnet20")
RECIPE = Recipe(lr=5e-3, epochs=2, batch=32, checkpoint=0.0)


@cache
def digits() -> Images:
    return load(DataSpec("digits", limit=200))


def state(trained: Trained) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in trained.net.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.smoke
def test_the_same_seed_gives_the_same_weights_and_numbers() -> None:
    recipe = replace(RECIPE, crop=1, flip=True, cutout=2, label_smoothing=0.1)
    one, other = train(SPEC, recipe, digits()), train(SPEC, recipe, digits())
    assert same(state(one), state(other))
    assert one.metrics == other.metrics
    assert not same(state(one), state(train(SPEC, recipe, digits(), seed=1)))


@pytest.mark.parametrize("found", ["cuda", "mps", "xpu", ""])
def test_an_accelerator_is_trained_on_where_torch_finds_one(found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = torch.device(found) if found else None
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: there)
    assert default_device() == torch.device(found or "cpu")


def test_no_training_imports_torch_s_compiler() -> None:
    recipes = "Recipe(epochs=1), Recipe(epochs=1, optimizer='sgd')"
    told = (
        "import sys; from resnet.data import DataSpec, load; from resnet.recipe import Recipe;"
        "from resnet.spec import NetSpec; from resnet.train import train;"
        f"[train(NetSpec('resnet20'), recipe, load(DataSpec('digits', limit=100))) for recipe in ({recipes})];"
        "print('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "False\n"


def test_what_the_process_set_in_torch_changes_nothing_and_stays_as_it_was() -> None:
    recipe = replace(RECIPE, epochs=1)
    first = train(SPEC, recipe, digits())
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    try:
        with torch.no_grad():
            again = train(SPEC, recipe, digits())
            measured = evaluate(again.net, digits().valid, digits(), recipe)
            assert not torch.is_grad_enabled()
        assert (torch.get_default_dtype(), torch.get_default_device().type) == (torch.float64, "meta")
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
    assert same(state(first), state(again))
    assert measured["top1"] == first.metrics["top1"]
    assert measured["loss"] == pytest.approx(first.metrics["valid_loss"], rel=1e-5)


@pytest.mark.smoke
def test_a_gene_changed_alone_changes_the_trained_weights() -> None:
    for optimizer in ["adam", "sgd"]:
        recipe = replace(RECIPE, epochs=1, optimizer=optimizer)  # type: ignore[arg-type]
        plain = state(train(SPEC, recipe, digits()))
        for gene in [{"lr": 6e-3}, {"wd": 0.09}, {"mom": 0.5}]:
            assert not same(plain, state(train(SPEC, recipe.with_genes(gene), digits())))


@pytest.mark.smoke
def test_a_whole_training_learns_the_digits() -> None:
    trained = train(SPEC, replace(RECIPE, epochs=5, lr=1e-2), load(DataSpec("digits")))
    assert trained.metrics["top1"] > 0.9
    assert trained.metrics["top1"] <= trained.metrics["top3"] <= trained.metrics["top5"] <= 1


@pytest.mark.smoke
def test_each_epoch_reports_what_it_measured_and_its_piece_of_the_cycle() -> None:
    reports: list[tuple[int, dict[str, float], list[Any]]] = []
    recipe = replace(RECIPE, epochs=4)

    def report(epoch: int, metrics: Any, cycle: Any = ()) -> None:
        reports.append((epoch, dict(metrics), list(cycle)))

    train(SPEC, recipe, digits(), report=report)
    assert [epoch for epoch, _, _ in reports] == [1, 2, 3, 4]
    names = ["train_loss", "valid_loss", "train_top1", "top1", "top3", "top5", "seconds", "images_per_second"]
    assert all(list(metrics) == names for _, metrics, _ in reports)
    points = [point for _, _, cycle in reports for point in cycle]
    positions, lrs, moms = zip(*points, strict=True)
    assert list(positions) == sorted(positions)
    assert positions[0] == 0.0
    assert lrs[0] == pytest.approx(recipe.lr / recipe.div)
    assert max(lrs) == pytest.approx(recipe.lr, rel=0.02)
    assert lrs[-1] < lrs[0]
    assert min(moms) == pytest.approx(recipe.mom, abs=0.005)
    assert moms[0] == pytest.approx(recipe.mom_top)


class Killed(Exception):  # noqa: N818
    pass


@pytest.mark.smoke
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "schedule": "steps", "warmup": 9, "mom": 0.0},
        {"schedule": "plateau", "patience": 1, "warmup": 3, "lr": 1e-3},
        {"rand_augment": 9, "trivial_augment": 0.5, "mixup": 0.2, "cutmix": 1.0, "sampler": "weighted"},
    ],
    ids=str,
)
def test_a_training_goes_on_from_its_checkpoint_to_the_same_weights(tmp_path: Path, changes: dict[str, Any]) -> None:
    recipe, told, path = replace(RECIPE, epochs=4, crop=1, **changes), list[Any](), tmp_path / "checkpoint.safetensors"
    whole = train(SPEC, recipe, digits(), report=lambda epoch, metrics, cycle=(): told.append((epoch, *cycle)))

    def dies(epoch: int, metrics: Any, cycle: Any = ()) -> None:
        if epoch == 3:
            raise Killed

    with pytest.raises(Killed):
        train(SPEC, recipe, digits(), report=dies, checkpoint=path)
    assert path.exists()
    torch.rand(7)  # whatever the process drew in between
    again = list[Any]()
    report = lambda epoch, metrics, cycle=(): again.append((epoch, *map(tuple, cycle)))  # noqa: E731
    resumed = train(SPEC, recipe, digits(), report=report, checkpoint=path)
    assert same(state(whole), state(resumed))
    assert whole.metrics == resumed.metrics
    assert again == told
    assert len(again) == 4


@pytest.mark.smoke
def test_a_checkpoint_of_other_code_is_not_gone_on_with(tmp_path: Path) -> None:
    path, notes = tmp_path / "checkpoint.safetensors", list[str]()
    for made_of in ("", "torch 1", "torch 1", "torch 2"):
        train(SPEC, RECIPE, digits(), checkpoint=path, made_of=made_of, note=notes.append)
    said = "is of another training: other network, recipe, data, seed, threads, code or libraries: begun anew"
    assert notes == [f"{path.name} {said}"] * 2


def test_of_a_damaged_checkpoint_the_one_before_is_used_and_said_so(tmp_path: Path) -> None:
    tally = checkpoint.damaged(tmp_path)
    assert tally.survived == tally.tried > len(checkpoint.DAMAGE)


def test_a_checkpoint_that_was_just_to_be_replaced_is_gone_on_from_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.killed_in_its_last_epoch(path)
    path.unlink()  # killed between setting it aside and writing the next
    seen, notes = list[int](), list[str]()
    report = lambda epoch, *rest: seen.append(epoch)  # noqa: E731
    train(SPEC, checkpoint.RECIPE, checkpoint.images(), checkpoint=path, note=notes.append, report=report)
    assert (seen, notes) == ([1, 2, 3], [])


@pytest.mark.smoke
def test_a_loss_that_is_no_number_ends_the_training_early() -> None:
    seen: list[int] = []
    recipe = replace(RECIPE, lr=100.0, mom=3.0, mom_top=0.99, epochs=20, optimizer="sgd")
    with pytest.raises(Diverged, match="the loss was"):
        train(SPEC, recipe, digits(), report=lambda epoch, *rest: seen.append(epoch))
    assert len(seen) < 19


@pytest.mark.smoke
def test_batch_norms_and_biases_do_not_decay() -> None:
    still = replace(RECIPE, epochs=1, optimizer="sgd", lr=1e-12, wd=0.0)
    one, other = (state(train(SPEC, replace(still, wd=wd), digits())) for wd in (0.0, 10.0))
    hard = replace(still, lr=1e-3)
    none, heavy = (state(train(SPEC, replace(hard, wd=wd), digits())) for wd in (0.0, 10.0))
    assert torch.allclose(one["fc.bias"], other["fc.bias"], atol=1e-6)
    shrunk = {name for name in none if heavy[name].ndim > 1 and heavy[name].norm() < 0.999 * none[name].norm()}
    assert len(shrunk) == len([name for name in none if none[name].ndim > 1])
    assert (heavy["stem.bn1.weight"] - none["stem.bn1.weight"]).abs().max() < 0.01


def test_our_adam_steps_as_fastai_s_own() -> None:
    from fastai.optimizer import Adam

    from resnet.train import _optimizer

    torch.manual_seed(0)
    start = torch.randn(20, 5)
    theirs_p, ours_p = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    theirs = Adam([theirs_p], lr=0.01, wd=0.05)
    ours = _optimizer([[ours_p], []], 0.01, RECIPE)
    ours.set_hypers(wd=(0.05, 0.0))
    for step, mom in enumerate((0.95, 0.9, 0.7, 0.5, 0.85, 0.95)):
        gradient = torch.randn(20, 5, generator=Generator().manual_seed(step))
        for parameter, optimizer in ((theirs_p, theirs), (ours_p, ours)):
            parameter.grad = gradient.clone()
            optimizer.set_hypers(mom=mom)
            optimizer.step()
    assert torch.allclose(theirs_p, ours_p, atol=1e-6)


def batch(n: int = 8, size: int = 6) -> Tensor:
    return torch.arange(n * size * size, dtype=torch.float32).reshape(n, 1, size, size) + 1


def test_a_crop_is_a_window_of_the_padded_image() -> None:
    images = batch(64)
    padded = F.pad(images, (2, 2, 2, 2))
    windows = padded.unfold(2, 6, 1).unfold(3, 6, 1)  # (n, c, 5, 5, 6, 6)
    for n, cropped in enumerate(augments.crop(images, 2, Generator().manual_seed(0))):
        assert (windows[n, 0] == cropped[0]).all(-1).all(-1).any()


def test_a_flip_mirrors_half_of_the_images() -> None:
    images = batch(400)
    flipped = augments.flip(images, Generator().manual_seed(0))
    mirrored = sum(torch.equal(f, i.flip(-1)) for f, i in zip(flipped, images, strict=True))
    untouched = sum(torch.equal(f, i) for f, i in zip(flipped, images, strict=True))
    assert 150 < mirrored == 400 - untouched < 250


def test_a_cutout_removes_one_square_at_most_its_size() -> None:
    cut = augments.cutout(batch(200), 3, Generator().manual_seed(0))
    holes = (cut == 0).sum((1, 2, 3))
    assert holes.max() == 9
    assert holes.min() >= 1


def test_batches_cover_every_image_once_in_an_order_of_the_epoch() -> None:
    loaders = Loaders(digits(), RECIPE, 0, torch.device("cpu"))

    def labels(epoch: int) -> list[int]:
        loaders.train.epoch = epoch
        return torch.cat([y for _, y in loaders.train]).tolist()

    assert labels(0) == labels(0) != labels(1)
    assert len(labels(0)) == len(loaders.train) * 32
    assert sum(len(y) for _, y in loaders.valid) == len(digits().valid.labels)


def test_hits_count_labels_among_the_highest_logits() -> None:
    logits = torch.tensor([[9.0, 8, 7, 6, 5, 4], [4, 5, 6, 7, 8, 9], [math.nan] * 6])
    assert hits(logits, torch.tensor([0, 2, 0])).tolist() == [1, 1, 2]
    assert hits(torch.tensor([[1.0, 2.0]]), torch.tensor([0])).tolist() == [0, 1, 1]


def test_a_meter_weighs_batches_by_their_size() -> None:
    meter = Meter()
    meter.add(torch.eye(6)[:3], torch.tensor([0, 1, 2]), torch.tensor(1.0))
    meter.add(torch.eye(6)[:1], torch.tensor([5]), torch.tensor(5.0))
    assert meter.result()["loss"] == 2.0
    assert meter.result()["top1"] == 0.75


def test_the_focal_loss_is_its_formula() -> None:
    logits, labels = torch.randn(9, 4), torch.randint(4, (9,))
    p = logits.softmax(1)[torch.arange(9), labels]
    expected = (-((1 - p) ** 2) * p.log()).mean()
    assert torch.allclose(loss_function(Recipe(loss="focal"))(logits, labels), expected)


def test_a_loss_with_class_weights_is_that_of_repeated_images() -> None:
    logits, labels = torch.randn(12, 2), torch.tensor([0] * 9 + [1] * 3)
    weights = class_weights(labels, 2)
    assert weights.tolist() == pytest.approx([2 / 3, 2.0])
    assert class_weights(labels, 3).tolist() == pytest.approx([4 / 9, 4 / 3, 0.0])
    often = torch.cat([torch.arange(12), torch.arange(9, 12).repeat(2)])  # each rare image three times
    for recipe in (Recipe(label_smoothing=0.0), Recipe(loss="focal")):
        plain, weighted = loss_function(recipe), loss_function(recipe, weights)
        assert torch.allclose(weighted(logits, labels), plain(logits[often], labels[often]))


def test_a_network_is_freed_with_the_last_who_holds_it() -> None:
    net = weakref.ref(train(SPEC, replace(RECIPE, epochs=1), digits()).net)
    assert net() is None  # at once: in no cycle


@pytest.mark.smoke
def test_bfloat16_trains() -> None:
    trained = train(SPEC, replace(RECIPE, precision="bfloat16"), digits())
    assert math.isfinite(trained.metrics["train_loss"])
    assert next(trained.net.parameters()).dtype == torch.float32
