"""Trainings for a share of the epochs: what they are, what they cost, and which shares there can be."""

import re
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gaopt.config import from_tables
from gaopt.errors import ConfigError
from gaopt.execution.worker import outcomes
from gaopt.journal.events import Reported, Scored
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import resolve
from gaopt.study.loop import run
from resnet.data import Images
from resnet.recipe import Recipe
from tests.conftest import toy
from tests.integration.test_cli import invoke
from tests.unit.test_net_genes import IMAGE, LR, WIDTH, checked, tables, task

GENETIC = {"objective": IMAGE, "strategy": "genetic"}


@pytest.fixture(scope="module")
def images() -> Images:
    found = resolve(IMAGE).prepare(checked({"lr": LR}))
    assert isinstance(found, Images)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("schedule", [{}, {"schedule": "steps", "warmup": 3}])
def test_a_share_of_a_training_is_a_whole_one_in_small(
    images: Images, tmp_path: Path, schedule: dict[str, Any]
) -> None:
    found = task(images, tmp_path, {"lr": 1e-3, "batch": 10}, share=0.5, recipe={"epochs": 4, **schedule})
    *reports, scored = outcomes(resolve(IMAGE), found)
    assert isinstance(scored, Scored)
    assert (len(reports), scored.epochs) == (2, 2)
    points = [point for report in reports if isinstance(report, Reported) for point in report.cycle]
    lrs = [lr for _, lr, _ in points]
    assert [position for position, _, _ in points] == pytest.approx([step / 12 for step in range(12)])
    if schedule:  # a step of warm-up, which would be three of 24, and divided at a half and at three quarters
        assert lrs == pytest.approx([0.01, *[1e-3] * 5, *[1e-4] * 3, *[1e-5] * 3])
    else:
        assert lrs[0] == pytest.approx(1e-3 / 25)
        assert max(lrs) == pytest.approx(lrs[3]) == pytest.approx(1e-3)
        assert lrs[-1] < 0.1e-3


def test_a_warm_up_that_fits_the_whole_training_fits_every_share_of_it() -> None:
    for epochs in range(1, 30):
        for share in [0.01, 0.1, 1 / 3, 0.5, 0.99]:
            for per_epoch in (1, 7):
                whole = Recipe(schedule="steps", epochs=epochs, warmup=epochs * per_epoch - 1)
                short = whole.shortened(share)
                assert short.warmup < short.epochs * per_epoch


def test_rungs_of_as_many_epochs_are_refused() -> None:
    said = r"fidelity.rungs: the shares 0.2 and 0.25 of 5 epochs are both 1: must be an epoch apart"
    rungs = {"recipe": {"epochs": 5}, "fidelity": {"rungs": [0.2, 0.25]}}
    with pytest.raises(ConfigError, match=said):
        checked({"lr": LR}, **rungs)
    assert checked({"lr": LR}, study={"objective": IMAGE, "strategy": "fixed"}, **rungs)  # which has no rungs
    with pytest.raises(ConfigError, match=r"the shares 0.95 and 1 of 5 epochs are both 5"):
        checked({"lr": LR}, recipe={"epochs": 5}, fidelity={"rungs": [0.95]})
    epochs = {"low": 2, "high": 20, "integer": True}  # as a gene: those of its fewest
    assert checked({"epochs": epochs}, fidelity={"rungs": [0.5]})
    with pytest.raises(ConfigError, match=r"0.2 and 0.5 of 2 epochs are both 1"):
        checked({"epochs": epochs}, fidelity={"rungs": [0.2, 0.5]})


def test_the_waves_are_those_that_a_search_really_trains(home: StudyDir) -> None:
    tables = toy(population=7, generations=3).plain() | {"fidelity": {"rungs": [0.2, 0.6]}, "noise": {"finalists": 2}}
    tables["space"]["mom"]["high"] = 1.1  # above, some would diverge
    config = from_tables(tables)
    run(config, home)
    with Journal(home.journal) as journal:
        epochs = [event.epochs for event in journal if isinstance(event, Scored)]
    assert epochs == [round(5 * share) for share, number in config.waves for _ in range(number)]


@pytest.mark.slow
def test_a_dry_run_says_how_many_are_trained_wholly_and_counts_their_shares(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    genes, rungs = {"lr": LR, "net.width": WIDTH}, {"rungs": [0.5], "keep": 0.25}
    numbers = {"population": 4, "generations": 1}
    path = tmp_path / "mine.toml"
    path.write_text(tomli_w.dumps(tables(genes, study=GENETIC, genetic=numbers, fidelity=rungs)))
    code, out, _ = invoke(capfd, "run", str(path), "--dry-run", "--set", 'space."net.width".high=0.5')
    assert code == 0
    assert "# 4 trainings, at most 1 of them whole, 1 at a time" in out
    assert re.search(r"# about \S+( s)? a whole one, \S+( s)? in all", out)
    assert 'net.width"]\nlow = 0.25\nhigh = 0.5' in out
