"""Whatever is given, there is one sentence or an answer: never a traceback, nothing half written.

A few inputs here, ten thousand in `make fuzz` (GAOPT_FUZZ=1200 of each property). All in this process, never on Ray.
"""

import contextlib
import io
import json
import random
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from gaopt import execution
from gaopt.cli import main
from gaopt.config import check_unused_keys, from_tables
from gaopt.config.tables import overridden
from gaopt.errors import BadInput, ConfigError
from gaopt.execution.inline import Inline
from gaopt.journal.paths import StudyDir
from gaopt.objectives import image
from gaopt.objectives.base import resolve
from gaopt.objectives.image import classifier
from gaopt.study.loop import run as run_study
from tests import inputs
from tests.conftest import toy
from tests.unit.test_operators import inside


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of its own to be in, with a finished study, a config and an image; nothing there is trained on Ray."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        monkeypatch.setenv("GAOPT_RESULTS", str(folder / "results"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        monkeypatch.setattr(execution, "pool", lambda config, objective, shared: Inline(objective, shared))
        monkeypatch.setattr(classifier, "mean_seconds", lambda config, images: 1.0)  # which trains for some
        monkeypatch.setattr(image, "find_lr", untried)
        run_study(toy(population=4, generations=2), StudyDir(folder / "results" / "toy"))
        (folder / "config.toml").write_text(tomli_w.dumps(inputs.BASE))
        (folder / "x.png").write_bytes(b"no image")
        yield folder


def untried(*_: object) -> NoReturn:
    raise BadInput("nothing is trained here")


def called(*arguments: str) -> tuple[int, str]:
    """The command in this process, its streams as a terminal has them: (exit code, stderr)."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace")
    before, sys.argv = sys.argv, ["gaopt", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stopped:
            main()
        out.flush()
        err.flush()
    finally:
        sys.argv = before
    return int(stopped.value.code or 0), err.buffer.getvalue().decode()  # type: ignore[attr-defined]


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder below one but for the cache, with its size and time of change."""
    found = [path for top in sorted(folder.iterdir()) if top.name != "cache" for path in (top, *top.rglob("*"))]
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in found}


def refused_or_answered(place: Path, *arguments: str, changes: bool = False) -> int:
    """The exit code of a command that must have one sentence where it has no answer, and then have written nothing.

    Args:
        changes: whether it may change something where it has an answer.
    """
    before = contents(place)
    code, said = called(*arguments)
    assert code in (0, 2), said
    if code == 2:
        assert any(line.startswith(("gaopt: ", "Usage: ")) for line in said.splitlines()), said
        assert len(said) < 2000 or said.startswith("Usage: "), said[:2000]
    if code == 2 or not changes:
        assert contents(place) == before
    return code


@given(inputs.tables())
def test_a_config_is_refused_with_a_sentence_or_comes_back_as_it_was(tables: dict[str, Any]) -> None:
    try:
        config = from_tables(tables)
    except ConfigError:
        return
    assert from_tables(config.plain()) == config
    assert from_tables(tomllib.loads(tomli_w.dumps(config.plain()))) == config
    assert from_tables(json.loads(json.dumps(config.plain()))) == config
    assert config.trainings >= 0
    assert config.rounds(together=3) >= 0
    assert all(inside(config.space, config.space.sample(random.Random(seed))) for seed in range(20))
    with contextlib.suppress(BadInput):
        check_unused_keys(config)


@given(inputs.tables())
def test_tables_of_the_image_objective_are_refused_with_a_sentence_or_complete(tables: dict[str, Any]) -> None:
    tables["study"] = {"objective": "gaopt.objectives.image:objective"}
    with contextlib.suppress(BadInput):
        config = from_tables(tables)
        whole = resolve(config.objective).check(config)
        assert resolve(config.objective).check(whole) == whole


@given(st.lists(inputs.shell(), max_size=4))
def test_an_override_is_refused_with_a_sentence_or_put_in(sets: Sequence[str]) -> None:
    before = json.dumps(inputs.BASE)
    with contextlib.suppress(BadInput):
        from_tables(overridden(inputs.BASE, sets))
    assert json.dumps(inputs.BASE) == before


def shown_or_begun(place: Path, verb: str, *arguments: str, dry: bool) -> None:
    """A verb that trains: refused, or with --dry-run shown, else about to begin, with nothing written yet."""
    with patch.object(execution, "pool", untried):
        refused_or_answered(place, verb, *(["--dry-run"] if dry else []), *arguments)


@given(tables=inputs.tables(), verb=st.sampled_from(["run", "train", "reproduce", "compare"]), dry=st.booleans())
def test_a_file_with_any_tables_is_refused_or_shown(place: Path, tables: dict[str, Any], verb: str, dry: bool) -> None:
    if str(tables.get("study", {})).count("image:objective"):
        tables["data"] = {"name": "folder", "path": "none"}
    (place / "config.toml").write_text(tomli_w.dumps(tables), "utf-8", "surrogatepass")
    shown_or_begun(place, verb, "config.toml", dry=dry)


@given(
    content=st.binary(max_size=200) | inputs.words().map(lambda text: text.encode("utf-8", "surrogatepass")),
    dry=st.booleans(),
)
def test_a_file_with_any_bytes_is_refused_or_shown(place: Path, content: bytes, dry: bool) -> None:
    (place / "config.toml").write_bytes(content)
    shown_or_begun(place, "run", "config.toml", dry=dry)


@given(arguments=st.sampled_from(["run", "train", "reproduce", "compare"]).flatmap(inputs.arguments), dry=st.booleans())
def test_any_command_line_of_a_verb_that_trains_is_refused_or_shown(
    place: Path, arguments: list[str], dry: bool
) -> None:
    (place / "config.toml").write_text(tomli_w.dumps(inputs.BASE))
    shown_or_begun(place, *arguments, dry=dry)


@given(
    st.sampled_from(["status", "list", "report", "export", "predict", "resume", "lr-find"]).flatmap(inputs.arguments)
)
def test_any_command_line_of_another_verb_is_refused_or_answered(place: Path, arguments: list[str]) -> None:
    refused_or_answered(place, *arguments, changes=True)


@given(inputs.arguments("nets"))
def test_any_command_line_about_networks_is_refused_or_answered(place: Path, arguments: list[str]) -> None:
    refused_or_answered(place, *arguments, "resnet20")
