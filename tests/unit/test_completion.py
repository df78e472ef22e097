"""What a shell offers to go on with."""

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from gaopt.cli import cli
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.conftest import toy


def offered(*words: str) -> list[str]:
    """Completions of the last word of a line, or what kind of thing the shell is to look for."""
    completer = ShellComplete(cli, {}, "gaopt", "_GAOPT_COMPLETE")
    return [
        item.value if item.type == "plain" else item.type
        for item in completer.get_completions([*words[:-1]], words[-1])
    ]


@pytest.fixture
def mine(results: Path) -> None:
    run(toy(population=2, generations=1), StudyDir(results / "mine"))


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("run", "qui"), ["quick", "quick-extended"]),
        (("reproduce", "degr"), ["degradation"]),
        (("resume", ""), ["mine"]),
        (("status", "m"), ["mine"]),
        (("compare", "mi"), ["mine"]),
        (("run", "./my"), ["file"]),
        (("export", "mine", "--to", "op"), ["optuna"]),
    ],
)
def test_names_are_completed(words: tuple[str, ...], wanted: list[str]) -> None:
    assert offered(*words) == wanted
