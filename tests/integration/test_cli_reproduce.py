"""The verb that holds the papers' experiments against our own trainings."""

import json
from pathlib import Path

import pytest

from gaopt.config import experiments
from gaopt.journal.paths import StudyDir
from tests.integration.test_cli import invoke

TINY = ["--set", "data.name=digits", "--set", "data.size=8", "--set", "data.limit=64", "--set", "pool.kind=inline"]


def test_an_experiment_of_one_s_own_is_run_from_its_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(experiments()["orders"].read_text("utf-8"), "utf-8")
    code, out, err = invoke(capfd, "reproduce", str(path), "--small", *TINY, "--dry-run")
    assert code == 0, err
    assert "# 5 trainings" in out
    path.write_text(path.read_text("utf-8").split("[small.")[0], "utf-8")
    code, _, err = invoke(capfd, "reproduce", str(path), "--small")
    assert (code, "has no table [small]: run it without --small" in err) == (2, True)


@pytest.mark.slow
def test_an_experiment_runs_from_the_command_to_its_table_and_plot(
    results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = invoke(
        capfd, "reproduce", "degradation", "--small", *TINY, "--set", "recipe.batch=16", "--set", "recipe.epochs=1"
    )
    assert code == 0, err
    home = StudyDir(results / "degradation-small-1")
    for name in ("plain-20", "plain-56", "ResNet-20", "ResNet-56"):
        assert name in out
        assert f"variant={name}" in err
        assert name in home.markdown.read_text("utf-8")
    assert out.count("The paper's claim: ") == 3
    assert home.figure("errors").is_file()
    assert "8.75" in home.report.read_text("utf-8")
    code, out, _ = invoke(capfd, "status", "degradation-small-1")
    assert "variant=" in out
    code, out, err = invoke(capfd, "resume", "degradation-small-1", "--seeds", "2")
    assert code == 0, err
    assert "±" in out
    code, _, err = invoke(capfd, "resume", "degradation-small-1", "--generations", "2")
    assert (code, err.strip()) == (
        2,
        "gaopt: --generations is 2: the study's strategy is 'grid', which has none",
    )
    code, _, err = invoke(capfd, "resume", "degradation-small-1", "--seeds", "1")
    assert (code, "grid.repeats is 1: the study has 8 individuals already" in err) == (2, True)


def test_without_a_name_the_experiments_are_listed(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "reproduce")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [*experiments(), "published"]
    code, out, _ = invoke(capfd, "reproduce", "--json")
    assert set(json.loads(out)) == set(experiments())


def test_the_published_errors_are_printed_with_their_sources(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "reproduce", "published", "--json")
    rows = {row["key"]: row for row in json.loads(out)}
    assert code == 0
    assert (rows["resnet110"]["error"], rows["resnet110"]["source"]) == (6.43, "He et al. 2015, table 6")
    code, out, _ = invoke(capfd, "reproduce", "published")
    assert "ResNet-110" in out


def test_bad_input_is_one_sentence_and_exit_2(results: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments, said in [
        ("degradatio", "there is no experiment 'degradatio': did you mean 'degradation'?"),
        ("depth --seeds 0", "grid.repeats is 0: must be greater than or equal to 1"),
        ("depth --set study.strategy=genetic", "study.strategy is 'genetic': must be 'grid'"),
        ("configs/quick.toml", "has no table [experiment]: a search is run with 'gaopt run'"),
    ]:
        code, out, err = invoke(capfd, "reproduce", *arguments.split())
        assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
        assert said in err
    assert not results.exists()
