"""The documents, compared with the program."""

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_args

import pytest

import gaopt
from gaopt.cli import cli
from gaopt.config import (
    Assisted,
    Faults,
    Fidelity,
    Genetic,
    GridConfig,
    Noise,
    Notify,
    Operators,
    PoolConfig,
    Stop,
    Warm,
    presets,
)
from gaopt.journal.events import Event
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.image.settings import Fitness
from gaopt.papers.experiment import Claim, Experiment, Variant
from gaopt.report import experiment
from gaopt.space.gene import Gene
from gaopt.study.progress import progress
from resnet.data import DataSpec
from resnet.recipe import Recipe
from resnet.spec import NAMES, NetSpec
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
CONFIG = (ROOT / "docs" / "config.md").read_text("utf-8")
TABLES = {
    "space.GENE": Gene,
    "genetic": Genetic,
    "assisted": Assisted,
    "operators": Operators,
    "fidelity": Fidelity,
    "noise": Noise,
    "stop": Stop,
    "warm": Warm,
    "grid": GridConfig,
    "pool": PoolConfig,
    "faults": Faults,
    "notify": Notify,
    "data": DataSpec,
    "fitness": Fitness,
    "net": NetSpec,
    "recipe": Recipe,
    "experiment": Experiment,
    "[experiment.variants]": Variant,
    "[experiment.claims]": Claim,
}


def test_every_config_key_is_documented_with_its_default_and_every_documented_one_is_real() -> None:
    for table in TABLES:
        section = CONFIG.split(f"## `[{table}]`")[1].split("\n## ")[0]
        documented = dict(re.findall(r"^\| `(\w+)` \| `?(.*?)`? \|", section, re.M))
        assert documented == {f.name: default(f) for f in fields(TABLES[table])}


def default(key: Field[Any]) -> str:
    """As the documents write it: as JSON, a dash for none."""
    if key.default_factory is not MISSING:
        return json.dumps(key.default_factory())
    return "–" if key.default is MISSING else json.dumps(key.default).replace("null", "none")


def test_every_event_and_key_of_json_is_documented() -> None:
    text = (ROOT / "docs" / "json.md").read_text("utf-8")
    events, study = (text.split(f"\n## {head}")[1].split("\n## ")[0] for head in ("Events", "A study"))
    rows = {
        name: re.findall(r"`(\w+)`", keys) for name, keys in re.findall(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", events, re.M)
    }
    for event in get_args(Event):
        assert {each.name for each in fields(event)} - {"at"} <= set(rows.pop(event.__name__))
    assert [*rows] == ["Result"]
    keys = {key for cell in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", study, re.M) for key in re.findall(r"\w+", cell)}
    assert keys == progress("x", History(), held=False, now=0.0).plain().keys()


def test_every_network_is_documented() -> None:
    assert all(f"`{name}`" in CONFIG for name in NAMES)


def test_every_verb_is_in_the_readme_and_every_verb_there_is_real() -> None:
    named = set(re.findall(r"gaopt ([a-z][a-z-]*)", README))
    assert named >= set(cli.commands)
    assert set(re.findall(r"^\| `gaopt ([a-z][a-z-]*)", README, re.M)) <= set(cli.commands)


def test_every_preset_and_linked_file_is_there() -> None:
    for preset in re.findall(r"`gaopt run ([a-z][a-z0-9-]*)`", README):
        assert preset in presets()
    for document in (README, CONFIG, *(path.read_text("utf-8") for path in ROOT.glob("docs/*.md"))):
        for target in re.findall(r"\]\((?!http|#)([^)]+)\)", document):
            assert (ROOT / target).exists() or (ROOT / "docs" / target).exists(), target


def test_the_version_is_the_changelog_s_and_the_package_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    latest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert latest
    assert gaopt.__version__ == project["version"] == latest.group(1)


def test_every_package_that_is_needed_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    pinned = {
        line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    for requirement in needed:
        name = re.split(r"[\[<>=]", requirement)[0].lower().replace("_", "-")
        assert name in pinned, name


def test_the_figures_in_the_readme_are_those_of_the_studies() -> None:
    for study in ("digits", "cifar10-cpu"):
        home = StudyDir(ROOT / "results" / study)
        (row,) = (line for line in README.splitlines() if f"results/{study}/report.md" in line and line.startswith("|"))
        best = History(Journal(home.journal)).best
        assert best
        assert f"{100 * best.fitness:.2f} % on validation" in row
        assert f"{100 * json.loads(home.best.read_text())['test']['top1']:.2f} % on test" in row
    (row,) = (line for line in README.splitlines() if "results/degradation-small/report.md" in line)
    seen = {
        one.variant.name: experiment.error(one.errors["training"])
        for one in experiment.compared(History(Journal(StudyDir(ROOT / "results" / "degradation-small").journal)))
    }
    assert f"plain nets {seen['plain-56']} % against {seen['plain-20']} %" in row
    assert f"residual ones {seen['ResNet-56']} % against {seen['ResNet-20']} %" in row
    kills = (ROOT / "results" / "kills.md").read_text("utf-8")
    counted = re.search(r"\*\*(\d+ of \d+)\*\* ended with the same.*trained again: \*\*0\*\*", kills)
    assert counted
    assert f"| {counted.group(1)} ended as the search left alone, no finished individual trained again |" in README


@pytest.mark.slow
def test_the_library_example_of_the_readme_runs_and_is_short(tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", README, re.S)
    assert found
    code = found.group(1)
    assert len(code.splitlines()) < 15
    (tmp_path / "mine.py").write_text(code)
    done = subprocess.run([sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.match(r"\{'x': 0\.\d+, 'y': 0\.\d+\} 0\.9", done.stdout)
    assert (tmp_path / "results" / "mine" / "study.db").is_file()
