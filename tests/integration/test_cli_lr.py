"""The verb lr-find, as a person or a program uses it."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gaopt.config import from_tables
from tests.conftest import ROOT
from tests.integration.test_cli import invoke

SMALL = ["quick", "--set", "data.limit=200"]


def test_the_test_leaves_its_figure_its_points_and_how_it_was_made(
    results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = invoke(capfd, "lr-find", *SMALL, "--seed", "3")
    assert code == 0
    assert err == "range test: a resnet20 on digits\n"
    folder = results / "quick-lr-find-1"
    assert {path.name for path in folder.iterdir()} == {"lr-find.svg", "lr-find.json"}
    assert all(str(path) in out for path in folder.iterdir())

    whole = json.loads((folder / "lr-find.json").read_text())
    assert len(whole["lrs"]) == len(whole["losses"]) > 50
    assert whole["lrs"] == sorted(whole["lrs"])
    assert from_tables(whole["config"]).seed == 3

    figure = ElementTree.parse(folder / "lr-find.svg")
    words = " ".join(figure.getroot().itertext())
    for word in ("quick-lr-find-1", "learning rate (log scale)", "training loss", "steep", "valley"):
        assert word in words
    assert re.search(r"^steep   \S+ +where the loss falls fastest, if only for a few steps$", out, re.M)
    command = re.search(r"^use one: (gaopt train .*) --lr (\S+)$", out, re.M)
    assert command
    assert command.group(1) == "gaopt train quick --set data.limit=200 --seed 3"
    assert float(command.group(2)) == pytest.approx(whole["valley"], rel=0.05)


def test_bad_input_gets_one_sentence_and_nothing_is_written(results: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments, said in [
        ("qick", "there is no preset and no file 'qick': did you mean 'quick'?"),
        ("quick --set recipe.batsh=4", "unknown key recipe.batsh: did you mean 'batch'?"),
        ("--data /no/such/place", "/no/such/place"),
        ("quick --set study.objective=gaopt.objectives.toy:valley", "lr-find needs 'gaopt."),
        ("quick --set net.name=resnet18 --set net.pretrained=/no/such", "/no/such"),
    ]:
        code, out, err = invoke(capfd, "lr-find", *arguments.split())
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err
    assert not results.exists()


def test_a_curve_that_suggests_nothing_is_a_failure_in_one_sentence(
    results: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnet.lr.FEWEST", 1000)
    code, out, err = invoke(capfd, "lr-find", *SMALL)
    assert (code, out) == (1, "")
    assert re.match(r"gaopt: the loss fell for \d+ of \d+ steps", err.splitlines()[-1])
    assert not results.exists()


def test_its_folder_is_no_study(results: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (results / "mine").mkdir(parents=True)
    (results / "mine" / "lr-find.svg").touch()
    for verb in ("status", "resume", "report"):
        code, out, err = invoke(capfd, verb, "mine")
        assert (code, out) == (2, "")
        assert err == f"gaopt: 'mine' is a range test, not a study: its figure is {results}/mine/lr-find.svg\n"
    assert invoke(capfd, "list", "--json")[1] == "[]\n"
    code, _, err = invoke(capfd, "run", *SMALL, "--name", "mine")
    assert (code, err) == (2, f"gaopt: {results}/mine exists and is no study: give another name\n")


@pytest.mark.slow
def test_a_signal_leaves_nothing(results: Path) -> None:
    command = [sys.executable, "-m", "gaopt", "lr-find", *SMALL, "--set", "net.name=resnet110"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stderr
    assert any("range test" in line for line in process.stderr)  # and not at its end
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not results.exists()
