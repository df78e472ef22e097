"""What docs/python.md and the docstrings of the Python API show runs."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gaopt
from tests.conftest import ROOT


@pytest.mark.slow
def test_the_example_of_search_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (found,) = doctest.DocTestFinder(recurse=False).find(gaopt.search, globs={"gaopt": gaopt})
    assert doctest.DocTestRunner().run(found) == doctest.TestResults(failed=0, attempted=3)


def test_the_example_of_study_is_the_committed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("GAOPT_RESULTS", raising=False)
    (found,) = doctest.DocTestFinder(recurse=False).find(gaopt.Study, globs={"gaopt": gaopt})
    assert doctest.DocTestRunner().run(found) == doctest.TestResults(failed=0, attempted=3)


@pytest.mark.slow
def test_the_examples_of_the_document_run_from_top_to_bottom(tmp_path: Path) -> None:
    found = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text("utf-8"), re.S)
    (tmp_path / "shown.py").write_text("\n".join(found))
    env = {**os.environ, "WANDB_MODE": "offline", "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "shown.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300, env=env
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^<gaopt.Study 'mine': finished, 16/16 trained, best \S+ by i\d+>$", done.stdout, re.M)
    assert "the search is finished\n" in done.stdout
    assert (tmp_path / "results" / "logged" / "tensorboard" / "i5").is_dir()
    assert (tmp_path / "results" / "mine" / "report.html").is_file()
