"""What every released version wrote is read for ever: journals, weights, checkpoints. See tests/golden/README.md."""

from __future__ import annotations

import json
import lzma
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from gaopt.cli import cli
from gaopt.errors import DataError
from gaopt.journal.events import Noted, Reported
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.report.study import write
from gaopt.report.tables import individuals
from gaopt.study.loop import run
from gaopt.study.prepare import resumed
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"
VERSIONS = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir() and path.name[0].isdigit())
STUDIES = "search", "stopped", "training", "interrupted"
GOES_ON = {"0.1.0": False, "0.2.0": False, "0.3.0": True, "0.4.0": True}
"""Whether an interrupted training of a version would go on from its checkpoint if it were made by the same code."""

Golden = Callable[[str], StudyDir]


@pytest.fixture(params=VERSIONS)
def golden(request: pytest.FixtureRequest, results: Path) -> Golden:
    """A study of a version as it lay on the disk, by its name here; a copy, in the folder of results."""

    def laid(name: str) -> StudyDir:
        home = StudyDir(results / name)
        shutil.copytree(GOLDEN / request.param / name, home.path)
        for packed in home.path.glob("*.xz"):
            folder = home.scratch(0) if packed.stem == "checkpoint.safetensors" else home.path
            folder.mkdir(parents=True, exist_ok=True)
            (folder / packed.stem).write_bytes(lzma.decompress(packed.read_bytes()))
        return home

    return laid


def by_the_version(home: StudyDir) -> pd.DataFrame:
    """The table that the version itself made of its study."""
    return pd.read_csv(home.table("individuals"))


def by_today(home: StudyDir, like: pd.DataFrame, tmp_path: Path) -> pd.DataFrame:
    """The same columns, as this version has them."""
    individuals(History(Journal(home.journal))).to_csv(tmp_path / "today.csv", index=False)
    return pd.read_csv(tmp_path / "today.csv")[list(like.columns)]


def test_every_released_version_is_here() -> None:
    developed, *released = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert set(released) <= set(VERSIONS) <= {developed, *released}


@pytest.mark.parametrize("study", ["search", "training"])
def test_a_journal_is_read_as_the_version_itself_read_it(golden: Golden, study: str, tmp_path: Path) -> None:
    home = golden(study)
    then = by_the_version(home)
    pd.testing.assert_frame_equal(by_today(home, then, tmp_path), then, check_exact=False, rtol=1e-12)


@pytest.mark.parametrize("study", STUDIES)
def test_status_and_report_tell_of_it(golden: Golden, study: str) -> None:
    home = golden(study)
    done = CliRunner().invoke(cli, ["status", study, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["study"] == study
    write(History(Journal(home.journal)), home)
    assert home.report.stat().st_size > 10_000


def test_a_search_that_was_stopped_goes_on_to_the_same_end(golden: Golden, tmp_path: Path) -> None:
    home, whole = golden("stopped"), golden("search")
    (home.path / "tried").touch()  # its sixth individual was begun
    run(resumed(home), home)
    then = by_the_version(whole).drop(columns="seconds")
    pd.testing.assert_frame_equal(by_today(home, then, tmp_path), then, check_exact=False, rtol=1e-12)


@pytest.mark.slow
def test_weights_say_of_an_image_what_they_said_then(golden: Golden) -> None:
    from gaopt.objectives.image import predict

    home = golden("training")
    [(_, found)] = predict(home, [GOLDEN / "digit.png"])
    assert not isinstance(found, DataError)
    then = json.loads((home.path / "predicted.json").read_text())
    assert [name for name, _ in found] == [name for name, _ in then]
    assert [chance for _, chance in found] == pytest.approx([chance for _, chance in then], abs=1e-6)


@pytest.mark.slow
def test_a_checkpoint_is_read_with_what_it_says_of_itself(golden: Golden) -> None:
    from resnet.weights import read

    found = read(golden("interrupted").scratch(0) / "checkpoint.safetensors")
    assert found
    tensors, notes = found
    assert sum(tensor.numel() for tensor in tensors.values()) > 3 * 269_000  # ResNet-20, and two moments of each
    assert json.loads(notes["progress"])["done"] == 1
    assert notes["fingerprint"]


@pytest.mark.slow
@pytest.mark.parametrize("same", [False, True])
def test_an_interrupted_training_begins_anew_by_other_code_and_says_so(
    golden: Golden, same: bool, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """No checkpoint up to 0.4.0 says by which code it was made; were that the same, those of 0.3.0 and 0.4.0 fit."""
    from gaopt.objectives.image import classifier

    if same:
        monkeypatch.setattr(classifier, "tools", dict)
    home = golden("interrupted")
    history = run(resumed(home), home)
    assert [sorted(i.reports) for i in history.scored] == [[1, 2], [1, 2]]
    events = list(Journal(home.journal))
    first, again = (e for e in events if isinstance(e, Reported) and (e.individual, e.epoch) == (0, 1))
    anew = [event.message for event in events if isinstance(event, Noted)]
    assert (first.metrics == again.metrics) is not bool(anew)  # replayed, or trained from other weights
    assert bool(anew) is not (same and GOES_ON[request.node.callspec.params["golden"]])
    assert all("data, seed, threads, code or libraries: begun anew" in message for message in anew)
