"""Trainings of real networks that learn nothing, or break."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gaopt import StudyConfig, load
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.ends import born, lost
from tests.faults.row import Tally

EPOCHS = 4
TINY = (
    *("pool.kind=inline", "assisted.population=4", "assisted.generations=1"),
    *("data.limit=500", f"recipe.epochs={EPOCHS}"),
)
GOOD = {"lr": 1e-2, "wd": 0.01, "mom": 0.85}
"""Learns the digits."""


def loss(folder: Path) -> Tally:
    """Weight decay times learning rate so large that weights grow without bounds."""
    config = _config(
        "space.lr.high=100.0", "space.wd.high=1.0", bad=[GOOD | {"lr": lr, "wd": 1.0} for lr in (100, 50, 25)]
    )
    return _tally(config, StudyDir(folder / "loss"), "real trainings: learning rates of 25 and more, the loss is NaN")


def chance(folder: Path) -> Tally:
    """Learning rates so low that nothing is learnt."""
    config = _config("space.lr.low=1e-12", "recipe.chance=0.5", bad=[GOOD | {"lr": lr} for lr in (1e-12, 1e-11, 1e-10)])
    return _tally(config, StudyDir(folder / "chance"), "of 1e-10 and less, stuck at chance (`recipe.chance`)")


def _config(*overrides: str, bad: list[dict[str, float]]) -> StudyConfig:
    return replace(load("quick", [*TINY, *overrides]), given=(*bad, GOOD))


def _tally(config: StudyConfig, home: StudyDir, how: str) -> Tally:
    """All individuals but the last go wrong: ended before their last epoch, below every score, the last the best."""
    history = run(config, home)
    *bad, good = history.individuals.values()
    early = [i.failure is not None and i.failure.reason == "diverged" and i.epochs < EPOCHS for i in bad]
    return Tally(len(bad), sum(early) * (history.best is good), lost(home, born(home)), how)
