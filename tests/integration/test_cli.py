"""The command, as a person or a program uses it."""

import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gaopt import cli
from gaopt.errors import StudyError
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.journal.paths import results as home_of_studies
from gaopt.journal.studies import find_study, free_dir, new_dir
from gaopt.study.loop import run as run_study
from resnet.data import default_cache
from tests.conftest import ROOT, toy
from tests.photos import labelled

QUICK = ["quick", "--set", "pool.kind=inline", "--set", "data.limit=200", "--set", "recipe.epochs=1"]
SMALL = [*QUICK, "--pop", "2", "--generations", "2"]


def gaopt(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "gaopt", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd or ROOT,
        env={**os.environ, **environment},
        timeout=300,
    )


def invoke(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The command in this process: (exit code, stdout, stderr)."""
    before, sys.argv = sys.argv, ["gaopt", *arguments]
    try:
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    finally:
        sys.argv = before
    out, err = capfd.readouterr()
    return int(stopped.value.code or 0), out, err


@pytest.fixture
def study(results: Path) -> StudyDir:
    """A finished toy study among the results."""
    home = StudyDir(results / "toy")
    run_study(toy(population=4, generations=2), home)
    return home


BAD = [
    ("run --pop 1", "assisted.population is 1: must be greater than or equal to 2"),
    ("run --popp 3", "--pop"),
    ("run ''", "there is no preset and no file ''"),
    ("run cifar", "there is no preset and no file 'cifar': did you mean 'cifar10'?"),
    ("run --set recipe.epoch=1", "unknown key recipe.epoch: did you mean 'epochs'?"),
    ("run --set space.lr.low=1", "space.lr: the range 1.0 … 0.01 is turned round or empty"),
    ("run --name ../x", "the study name '../x' cannot be used"),
    ("run --name toy", "the study 'toy' exists"),
    ("run --data /no/such/place", "/no/such/place"),
    ("train --lr fast", "fixed.lr is 'fast': must be a number"),
    ("train --set noise.finalists=2", "[noise] is not read by the strategy 'fixed'"),
    ("resume toi", "did you mean 'toy'?"),
    ("resume toy --generations 1", "genetic.generations is 1: the study has 2 already"),
    ("status nothing", "there is no study 'nothing'"),
    ("predict toy x.png", "has no best model"),
    ("run --address 127.0.0.1:1 quick", "the Ray cluster at '127.0.0.1:1' cannot be joined"),
]


def test_bad_input_gets_one_sentence_and_exit_code_2(
    study: StudyDir, results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def contents() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.name != "study.lock"}

    before = contents()
    for command, said in BAD:
        code, out, err = invoke(capfd, *shlex.split(command))
        assert (code, out) == (2, ""), command
        assert said in err.splitlines()[-1]
        assert "Traceback" not in err
        assert contents() == before


@pytest.mark.smoke
def test_the_whole_way_from_the_command_to_a_prediction(
    results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = invoke(capfd, "run", *SMALL, "--name", "whole")
    assert code == 0
    assert re.search(r"^best: individual \d  lr .*wd .*mom", out, re.M)
    assert re.search(r"^test: .*top1 0\.\d+", out, re.M)
    assert "generation 2 of 2: 1 to train, 1 survivor" in err
    names = {path.name for path in (results / "whole").iterdir()}
    assert names >= {
        "config.toml", "study.db", "individuals.csv", "generations.csv", "epochs.csv",
        "best.safetensors", "best.json", "predictions.csv", "examples.json", "report.md", "report.html",
    }  # fmt: skip

    Image.new("L", (20, 20), 128).save(tmp_path / "grey.png")
    code, out, _ = invoke(capfd, "predict", "whole", str(tmp_path / "grey.png"), "--json")
    [answer] = json.loads(out)
    assert len(answer["classes"]) == 5
    probabilities = [p for _, p in answer["classes"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < sum(probabilities) <= 1.0001
    for name in ("more/a.png", "more/deep/b.png", "more/.hidden.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (20, 20), 128).save(tmp_path / name)
    (tmp_path / "more/notes.txt").write_text("no image")
    (tmp_path / "bad.png").write_bytes(b"no image")
    (tmp_path / "empty").mkdir()
    given = [str(tmp_path / name) for name in ("none.png", "grey.png", "bad.png", "more", "empty")]
    code, out, err = invoke(capfd, "predict", "whole", *given)  # what can be answered is
    assert code == 2
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        str(tmp_path / name) for name in ("grey.png", "more/a.png", "more/deep/b.png")
    ]
    for line, name in zip(err.splitlines(), ("none.png", "bad.png", "empty"), strict=True):
        assert line.startswith(f"gaopt: {tmp_path / name} ")
    assert invoke(capfd, "predict", "whole", str(tmp_path / "more"))[0] == 0

    code, out, _ = invoke(capfd, "resume", "whole", "--generations", "3", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events].count("Bred") == 1
    assert events[-1]["event"] == "Result"
    assert events[-1]["trainings"] == 4


def test_a_preset_of_the_digits_takes_other_images_and_says_which(
    results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for split, each in (("Training", 10), ("Testing", 4)):
        for name, shade in (("glioma", 40), ("none", 190)):
            (tmp_path / "scans" / split / name).mkdir(parents=True)
            for n in range(each):
                path = tmp_path / "scans" / split / name / f"{n}.png"
                Image.new("L", (9, 9), shade + n + len(split)).save(path)
    data = ("--data", str(tmp_path / "scans"))
    small = (*QUICK[1:], "--set", "data.size=8", "--set", "recipe.batch=4")
    code, out, err = invoke(capfd, "train", "quick", *data, *small, "--name", "one")
    assert code == 0
    for line in (
        "scans: 2 classes",
        "  train: 16 images from Training: glioma 8, none 8",
        "  valid: 4 images from 22 % of Training: glioma 2, none 2",
        "  test: 8 images from Testing: glioma 4, none 4",
    ):
        assert line in err.splitlines()
    assert len(re.findall(r"\(the commonest class alone: top1 0\.5000\)$", out, re.M)) == 2
    assert (
        "is right in 50.00 % of the validation and 50.00 % of the test images" in find_study("one").report.read_text()
    )
    config = find_study("one").config.read_text()
    assert 'name = "folder"' in config
    assert 'name = "resnet20"' in config
    for words in (("run", "digits", "--dry-run"), ("compare", "quick", "--dry-run", "--methods", "random,assisted")):
        assert invoke(capfd, *words, *data, *small)[0] == 0, words


def test_the_images_of_a_table_are_searched_over_and_a_row_without_a_file_is_named(
    results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = labelled(tmp_path / "d", 300, classes=2)
    search = ("run", "quick", "--data", str(table), *SMALL[1:], "--set", "data.size=8", "--set", "recipe.epochs=2")
    code, _, err = invoke(capfd, *search, "--name", "table")
    assert code == 0
    assert "labels.csv: 2 classes" in err
    (picture, *_) = (tmp_path / "d/photos").iterdir()
    assert invoke(capfd, "predict", "table", str(picture))[0] == 0
    with table.open("a") as file:
        file.write("photos/none.png,1\n")
    code, out, err = invoke(capfd, *search, "--name", "none")
    assert (code, out) == (2, "")
    assert "labels.csv, line 302: there is no file" in err
    assert not (results / "none").exists()


def test_one_individual_is_trained_with_the_genes_that_are_given(
    results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = invoke(capfd, "train", *QUICK, "--lr", "0.004", "--mom", "0.7", "--name", "one")
    assert code == 0
    assert "lr 0.004  wd 0.01  mom 0.7" in out
    assert len(list(Journal(find_study("one").journal))) > 0


def test_a_dry_run_shows_the_config_and_the_cost_and_writes_nothing(
    results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = invoke(capfd, "run", *SMALL, "--dry-run")
    assert code == 0
    assert "population = 2" in out
    assert "# 3 trainings, 1 at a time" in out
    assert re.search(r"# about .* each, .* in all", out)
    code, out, _ = invoke(capfd, "run", *SMALL, "--dry-run", "--json")
    plan = json.loads(out)
    assert plan["trainings"] == 3
    assert plan["seconds"] > 0
    assert not results.exists()


def test_status_and_list_read_the_journal_alone(study: StudyDir, capfd: pytest.CaptureFixture[str]) -> None:
    for path in study.path.iterdir():
        if path.name != "study.db":
            path.unlink() if path.is_file() else None
    code, out, _ = invoke(capfd, "status", "toy")
    assert code == 0
    assert "finished" in out
    assert "6/6 trained" in out
    code, out, _ = invoke(capfd, "status", "toy", "--json")
    assert json.loads(out)["best"]["fitness"] > 0
    code, out, _ = invoke(capfd, "status", "toy", "--follow")
    assert "finished" in out
    code, out, _ = invoke(capfd, "list")
    assert "toy" in out
    code, out, _ = invoke(capfd, "list", "--json")
    assert [each["study"] for each in json.loads(out)] == ["toy"]


def test_a_study_that_was_killed_is_said_to_be(study: StudyDir, capfd: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(study.journal, isolation_level=None)) as connection:
        connection.execute("DELETE FROM events WHERE seq > 12")
    code, out, _ = invoke(capfd, "status", "toy", "--json")
    assert json.loads(out)["state"] == "cut off"
    code, out, _ = invoke(capfd, "report", "toy")
    assert code == 0
    assert all(Path(line).is_file() for line in out.splitlines())


def test_every_verb_and_option_says_what_it_is_for() -> None:
    for name, verb in cli.cli.commands.items():
        assert verb.help, name
        for parameter in verb.params:
            assert parameter.param_type_name == "argument" or getattr(parameter, "help", None), (name, parameter.name)


def test_one_bad_journal_does_not_hide_the_other_studies(study: StudyDir, results: Path, capfd: Any) -> None:
    (results / "empty").mkdir()
    (results / "empty" / "study.db").touch()
    code, out, err = invoke(capfd, "list", "--json")
    assert code == 0
    assert [each["study"] for each in json.loads(out)] == ["toy"]
    assert "empty" in err


def test_a_damaged_journal_is_one_sentence(study: StudyDir, capfd: Any) -> None:
    whole = study.journal.read_bytes()
    for damage in (
        "DELETE FROM events WHERE kind = 'Bred'",
        "UPDATE events SET body = '{' WHERE seq = 2",
        "DROP TABLE events",
        "",
    ):
        study.journal.write_bytes(whole if damage else whole[:4096] + bytes(len(whole) - 4096))
        with closing(sqlite3.connect(study.journal, isolation_level=None)) as connection:
            connection.execute(damage)
        for verb in ("status", "resume", "report"):
            code, _, err = invoke(capfd, verb, "toy")
            assert (code, "journal" in err.splitlines()[-1]) == (2, True), (damage, verb)
            assert "Traceback" not in err


def test_searches_that_start_together_take_different_names(results: Path) -> None:
    first, second = new_dir(None, "quick"), new_dir(None, "quick")
    assert (first.name, second.name) == ("quick-1", "quick-2")
    assert new_dir("mine", "quick").name == "mine"
    assert free_dir("mine", "quick").name == "mine"  # an empty folder holds nobody up
    assert free_dir(None, "my pets!").name == "my-pets-1"
    (results / "other").mkdir()
    (results / "other" / "file").touch()
    with pytest.raises(StudyError, match="exists and is no study"):
        new_dir("other", "quick")


def test_a_tilde_is_home_in_the_folders_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HOME", f"{tmp_path}"), ("GAOPT_RESULTS", "~/mine"), ("XDG_CACHE_HOME", "~/kept")):
        monkeypatch.setenv(name, value)
    assert (home_of_studies(), default_cache()) == (tmp_path / "mine", tmp_path / "kept/gaopt")
