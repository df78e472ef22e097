"""What a search looks for: another metric than top-1, from the config to the report."""

import csv
from pathlib import Path
from typing import Any

import pytest

from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.studies import find_study
from tests.integration.test_cli import SMALL, invoke
from tests.photos import labelled

ARGUMENTS = (*SMALL[1:], "--set", "data.size=8", "--set", "recipe.batch=16")


def history(name: str) -> History:
    return History(Journal(find_study(name).journal))


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("balanced", "validation balanced accuracy of"),
        ("macro_f1", "validation macro F1 of"),
        ("auc", "validation AUC of"),
        ("-loss", "validation negative log loss of"),
    ],
)
def test_the_chosen_metric_is_the_fitness_from_the_epochs_to_the_report(
    results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], metric: str, said: str
) -> None:
    table = labelled(tmp_path / "d", 120, classes=3)
    arguments = ("run", "quick", "--data", str(table), *ARGUMENTS, "--set", f"fitness.metric={metric}", "--name", "one")
    code, out, err = invoke(capfd, *arguments)
    assert code == 0, err
    key, found = {"-loss": "neg_log_loss"}.get(metric, metric), history("one")
    for one in found.scored:
        last: Any = one.outcome
        assert one.fitness == last.metrics[key] == one.reports[one.epoch].metrics[key]
        assert {"top1", "balanced", "macro_f1", "auc", "neg_log_loss"} <= last.metrics.keys()
    assert found.best
    assert {"top1", "balanced", "macro_f1", "auc", "neg_log_loss"} <= found.judged[found.best.id].metrics.keys()
    assert f"validation {key}: {found.best.fitness:.4f}" in out
    assert f"{key}=" in err
    report = find_study("one").report.read_text()
    assert said in report
    assert "on the test images is" in report
    with (find_study("one").path / "epochs.csv").open() as file:
        assert key in next(csv.reader(file))
    code, _, err = invoke(capfd, "resume", "one", "--generations", "3", "--set", "fitness.metric=top1")
    assert code == 2
    assert f"fitness.metric = '{metric}', now it is 'top1': start a new one" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "fitness.metric=top5"), "fitness.metric is 'top5': with 3 classes it is always 1"),
        (("--set", "fitness.metric=auc"), "fitness.metric is 'auc': it takes images of each class, and valid has none"),
        (("--set", "fitness.metric=acuracy"), "fitness.metric is 'acuracy'"),
        (("--set", "fitness.metrics=auc"), "unknown key fitness.metrics"),
    ],
    ids=str,
)
def test_a_metric_that_tells_nothing_is_refused_before_anything_is_written(
    results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    table = labelled(tmp_path / "d", 90, classes=3, splits=("train", "test"))
    with table.open() as file:
        rows = list(csv.reader(file))
    valid = [[path, label, "valid" if label == "1" and split == "train" else split] for path, label, split in rows]
    half = [[*row[:2], "train"] if n % 3 == 0 and row[2] == "valid" else row for n, row in enumerate(valid)]
    with table.open("w") as file:
        csv.writer(file).writerows(half)
    code, out, err = invoke(capfd, "run", "quick", "--data", str(table), *ARGUMENTS, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert not results.exists() or not list(results.iterdir())
