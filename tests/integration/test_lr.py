"""The range test, on a small network and few images."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from fastai.callback.schedule import SuggestionMethod, valley
from fastai.learner import Recorder

from resnet.data import DataSpec, Images, load
from resnet.lr import Range, Undecided, find, suggestions
from resnet.recipe import Recipe
from resnet.spec import NetSpec
from resnet.train import fresh

SPEC = NetSpec("resnet20")
RECIPE = Recipe(batch=32)
CPU = torch.device("cpu")


@cache
def digits() -> Images:
    return load(DataSpec("digits", limit=200))


@cache
def found() -> Range:
    return find(SPEC, RECIPE, digits(), device=CPU)


def test_the_same_arguments_give_the_same_curve_and_another_seed_another() -> None:
    torch.rand(7)  # whatever the process drew before
    assert find(SPEC, RECIPE, digits(), device=CPU) == found()
    assert find(SPEC, RECIPE, digits(), device=CPU, seed=1).losses != found().losses


@pytest.mark.filterwarnings("ignore:numpy.core:DeprecationWarning")  # fastai's load of what it saved
def test_it_is_what_fastai_s_own_lr_find_gives(tmp_path: Path) -> None:
    recipe, data = replace(RECIPE, batch=8), load(DataSpec("digits"))  # 134 batches: one pass is enough
    torch.set_num_threads(1)
    torch.manual_seed(0)
    learner = fresh(SPEC, recipe, data, 0, CPU)
    learner.path, learner.wd = tmp_path, (recipe.wd, 0.0)
    learner.add_cbs([Recorder()])
    theirs = learner.lr_find(show_plot=False, suggest_funcs=SuggestionMethod.Steep)
    ours = find(SPEC, recipe, data, device=CPU)
    assert ours.lrs == tuple(learner.recorder.lrs)
    assert ours.losses == tuple(map(float, learner.recorder.losses))
    assert ours.steep == pytest.approx(theirs.steep)
    assert 1e-6 < ours.valley < ours.lrs[int(np.argmin(ours.losses))]


def test_the_valley_is_where_the_curve_falls_and_not_where_it_was_flat() -> None:
    lrs = torch.logspace(-7, 1, 100, dtype=torch.float64)
    falls, shoots = ((lrs.log10() + 2).clamp(0, 1), (lrs.log10() + 1).clamp(0))
    for flat in (0.0, 0.02):  # level, and falling a little all the way
        losses = 2.3 - flat * torch.linspace(0, 1, 100) - 1.5 * falls + 2 * shoots  # steep from 0.01 to 0.1
        assert 0.01 < suggestions(lrs.tolist(), losses.tolist(), 100)[1] < 0.1
    assert valley(lrs[10:-5], losses[10:-5], 100)[0] < 0.001  # fastai's, in the flat


def test_a_loss_that_shoots_up_ends_the_test_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    seen = find(SPEC, replace(RECIPE, optimizer="sgd"), digits(), device=CPU, high=1e4)
    assert len(seen.losses) < 100
    assert np.isfinite(seen.losses).all()
    assert capfd.readouterr() == ("", "")


def test_without_a_fall_nothing_is_suggested() -> None:
    for options, said in [
        ({"low": 1e3, "high": 1e4, "steps": 30}, r"the loss fell for 0 of \d+ steps.*at least 8"),
        ({"low": 1e-4, "high": 1e-2, "steps": 10}, r"the loss fell for \d of 10 steps"),
        ({"data": replace(digits(), std=(math.nan,))}, "no finite number from the first step on"),
    ]:
        with pytest.raises(Undecided, match=said):
            find(SPEC, RECIPE, **{"data": digits(), "device": CPU, **options})  # type: ignore[arg-type]
