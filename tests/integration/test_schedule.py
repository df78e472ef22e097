"""The papers' schedules beside one-cycle, and the recipes by name."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, get_args, get_type_hints

import pytest
import torch

from gaopt.config import parse
from gaopt.objectives.image.settings import Settings
from resnet.groups import levels
from resnet.lean import Callback, Learner, TrainEvalCallback
from resnet.loader import Loaders
from resnet.net import build
from resnet.recipe import RECIPES, Recipe, momentum, rate
from resnet.train import loss_function, train
from tests.integration.test_train import SPEC, digits, state

PAPER = RECIPES["paper"]
SMALL = replace(PAPER, epochs=4, batch=32, crop=1, checkpoint=0.0)  # six steps an epoch
PLATEAU = replace(SMALL, schedule="plateau", patience=1, lr=1e-3)


def rates(recipe: Recipe, steps: int, errors: tuple[float, ...] = ()) -> list[float]:
    return [rate(recipe, step, steps, errors) for step in range(steps)]


def trained_rates(recipe: Recipe, **options: Any) -> tuple[list[float], list[float]]:
    """(lr, mom) of every step as they were reported: each epoch has few enough for all to be kept."""
    points: list[tuple[float, float, float]] = []
    train(SPEC, recipe, digits(), report=lambda epoch, metrics, cycle=(): points.extend(cycle), **options)
    return [lr for _, lr, _ in points], [mom for _, _, mom in points]


# The functions


def test_steps_divide_the_rate_at_shares_of_the_training() -> None:
    found = rates(PAPER, 64)
    assert found == [0.1] * 32 + [0.01] * 16 + [0.001] * 16
    assert rates(replace(PAPER, drops=()), 8) == [0.1] * 8
    assert rates(replace(PAPER, drops=(0.3,), factor=2.0), 10) == [0.1] * 3 + [0.05] * 7


def test_the_one_cycle_is_fastais() -> None:
    from fastai.callback.schedule import combined_cos

    recipe, steps = Recipe(lr=0.01, mom=0.8, pct_start=0.3, div=20, div_final=1e4), 97
    lr = combined_cos(recipe.pct_start, recipe.lr / recipe.div, recipe.lr, recipe.lr / recipe.div_final)
    mom = combined_cos(recipe.pct_start, recipe.mom_top, recipe.mom, recipe.mom_top)
    for step in range(steps):
        assert rate(recipe, step, steps, []) == pytest.approx(float(lr(step / steps)), abs=1e-6 * recipe.lr)
        assert momentum(recipe, step, steps) == pytest.approx(float(mom(step / steps)), rel=1e-6)


def test_fine_tuning_ends_where_fastais_does() -> None:
    import fastai.callback.schedule  # noqa: F401 - gives Learner its fine_tune
    from fastai.optimizer import Adam

    class Seeded(Callback):
        def before_train(self) -> None:
            self.dls.train.epoch = self.done = getattr(self, "done", -1) + 1

    recipe = replace(RECIPES["fine_tune"], epochs=4, batch=32, freeze_epochs=2, lr_mult=50.0, wd=0.1)
    torch.manual_seed(0)
    theirs = build(SPEC, 1, 10)
    learner = Learner(
        Loaders(digits(), recipe, 0, torch.device("cpu")),
        theirs,
        loss_func=loss_function(recipe),
        opt_func=Adam,
        splitter=levels,
        default_cbs=False,
        cbs=[TrainEvalCallback(), Seeded()],
    )
    learner.fine_tune(2, recipe.lr, freeze_epochs=2, lr_mult=50, wd=0.1)
    trained = train(SPEC, recipe, digits(), seed=0).net.state_dict()
    torch.manual_seed(0)
    for (name, before), after in zip(build(SPEC, 1, 10).named_parameters(), theirs.parameters(), strict=True):
        far = (after - before).abs().max()
        assert (trained[name] - after).abs().max() < 0.02 * far, name


def test_a_shortened_fine_tuning_keeps_its_frozen_share() -> None:
    whole = replace(RECIPES["fine_tune"], epochs=10, freeze_epochs=2)
    shortened = [whole.shortened(share) for share in (1.0, 0.5, 0.3, 0.2, 0.1)]
    assert [(each.epochs, each.freeze_epochs) for each in shortened] == [(10, 2), (5, 1), (3, 1), (2, 1), (1, 0)]
    for keys, said in (
        ({"schedule": "steps"}, "must be 0, or the schedule 'fine_tune'"),
        ({"freeze_epochs": 10}, "freeze_epochs is 10 of 10 epochs: must be fewer"),
        ({"warmup": 5}, "warmup is 5 with the schedule 'fine_tune'"),
    ):
        with pytest.raises(ValueError, match=said):
            replace(whole, **keys)


@pytest.mark.parametrize("schedule", ["steps", "plateau"])
def test_a_warm_up_comes_before_the_rate_and_moves_no_drop(schedule: Any) -> None:
    plain, warm = (replace(PAPER, schedule=schedule, warmup=warmup) for warmup in (0, 5))
    assert rates(warm, 64) == [0.01] * 5 + rates(plain, 64)[5:]


def test_a_plateau_divides_the_rate_after_epochs_without_a_new_best() -> None:
    for errors, divided in [
        ((), 0),
        ((0.9, 0.8, 0.7), 0),
        ((0.9, 0.9), 0),
        ((0.9, 0.9, 0.9), 1),  # as good is no better
        ((0.9, 0.95, 0.92), 1),  # better than the last, not than the best
        ((0.9, 0.95, 0.8, 0.85), 0),  # a new best starts the count anew
        ((0.9, 0.9, 0.9, 0.9), 1),  # and so does a division
        ((0.9, 0.9, 0.9, 0.9, 0.9), 2),
        ((0.9, 0.9, 0.9, 0.5, 0.6, 0.6), 2),
    ]:
        recipe = replace(PAPER, schedule="plateau", patience=2)
        assert set(rates(recipe, 4, errors)) == {(0.1, 0.01, 0.001)[divided]}


# In training


def test_a_training_reports_the_rates_of_its_schedule_and_one_momentum() -> None:
    recipe = replace(SMALL, warmup=5)
    lrs, moms = trained_rates(recipe)
    assert lrs == rates(recipe, 24) == [0.01] * 5 + [0.1] * 7 + [0.01] * 6 + [0.001] * 6
    assert set(moms) == {0.9}


def test_a_training_divides_its_rate_where_its_own_validation_error_stands_still() -> None:
    errors: list[float] = []
    lrs: list[float] = []

    def report(epoch: int, metrics: Any, cycle: Any = ()) -> None:
        assert {lr for _, lr, _ in cycle} == {rate(PLATEAU, 6, 24, errors)}
        errors.append(1 - metrics["top1"])
        lrs.append(cycle[0][1])

    train(SPEC, PLATEAU, digits(), report=report)
    assert lrs[0] == 1e-3
    assert lrs[-1] < 1e-3


def test_decay_of_all_reaches_batch_norms_and_biases() -> None:
    one, other = (replace(SMALL, epochs=1, lr=1e-3, wd=10.0, decay=decay) for decay in ("weights", "all"))  # type: ignore[arg-type]
    weights, everything = (state(train(SPEC, recipe, digits())) for recipe in (one, other))
    name = "stage1.0.branch.bn1.weight"
    assert everything[name].norm() < 0.99 * weights[name].norm()


# The recipes by name


def of(table: dict[str, Any]) -> Recipe:
    return Settings.of({"recipe": table}).recipe


def test_every_recipe_is_named_and_in_its_range() -> None:
    assert set(RECIPES) == set(get_args(get_type_hints(Recipe)["name"]))
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert parse(Recipe, asdict(recipe), "recipe") == recipe
    assert RECIPES["one_cycle"] == Recipe()


def test_a_table_gives_what_differs_from_the_recipe_it_names() -> None:
    assert of({"name": "paper"}) == PAPER
    assert of({"name": "paper", "warmup": 400, "drops": [0.25]}) == replace(PAPER, warmup=400, drops=(0.25,))
    assert of(asdict(PAPER)) == PAPER
    assert of({"lr": 0.1}) == of({"name": "one_cycle", "lr": 0.1}) == Recipe(lr=0.1)
