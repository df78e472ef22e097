"""No pickle is ever read from a study, and nothing of a data set lands outside: by the source, and by trying."""

from __future__ import annotations

import ast
import os
import pickle
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from gaopt.config import from_tables
from gaopt.config.tables import overridden, read_toml
from gaopt.errors import Stopped
from gaopt.journal.events import Event, Reported
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.conftest import ROOT, Live, toy
from tests.integration.test_cli import SMALL, invoke

LOADERS = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "yaml", "zipfile", "subprocess"}
"""Modules whose import is to have a reason."""
CALLS = {
    *("eval", "exec", "__import__", "import_module", "load_learner", "read_pickle", "torch.load", "np.load"),
    *("load_state_dict_from_url", "extract", "extractall", "system", "popen", "fromfile", "memmap", "unpack_archive"),
}
"""Calls that are to have one."""
REASONS = {
    ("resnet/cifar.py", "pickle"): "of files with the MD5 of the published ones",
    ("resnet/trees.py", "zipfile"): "members are read, none is extracted",
    ("resnet/weights.py", "pickle"): "the error of that name alone",
    ("resnet/weights.py", "torch.load"): "weights_only=True: tensors, of a file that the config names",
    ("resnet/weights.py", "load_state_dict_from_url"): "weights_only=True: torchvision's own, checked by their hash",
    ("resnet/data.py", "np.load"): "allow_pickle=False: the user's own cache",
    ("gaopt/space/conditions.py", "eval"): "what every node of was looked at, without builtins",
    ("gaopt/__init__.py", "import_module"): "names of the package's own modules",
    ("gaopt/objectives/base.py", "import_module"): "the objective: code that its user names",
    ("gaopt/export/__init__.py", "import_module"): "one of FORMATS",
    ("gaopt/loggers/__init__.py", "import_module"): "the package's own modules",
    ("gaopt/loggers/wandb.py", "import_module"): "wandb or trackio",
    ("gaopt/screen/notebook.py", "import_module"): "IPython and ipywidgets",
    ("resnet/lean.py", "import_module"): "modules that fastai names",
    ("gaopt/cli/doctor.py", "subprocess"): "this Python, to see whether torch and Ray start",
    ("gaopt/cli/notify.py", "subprocess"): "--notify-command, which is never taken from a config",
    ("gaopt/serve/runner.py", "subprocess"): "gaopt run and gaopt resume",
    ("gaopt/serve/service.py", "subprocess"): "gaopt run --dry-run",
    ("gaopt/serve/ray_head.py", "subprocess"): "ray start",
}
"""Every place where a loader or such a call is, and why it may be there."""


def named(call: ast.Call) -> str:
    """Of torch and numpy with the module: others too have a `load`."""
    found = call.func
    if isinstance(found, ast.Attribute):
        whole = ast.unparse(found)
        return whole if whole in CALLS else found.attr if found.attr not in ("eval", "exec") else ""
    return found.id if isinstance(found, ast.Name) else ""


def loaders(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in LOADERS)
        elif isinstance(node, ast.ImportFrom) and node.module in LOADERS:
            yield str(node.module)
        elif isinstance(node, ast.ImportFrom):  # what is called by its bare name then
            short = {"numpy": "np"}.get(str(node.module), node.module)
            yield from (f"{short}.{alias.name}" for alias in node.names if f"{short}.{alias.name}" in CALLS)
        elif isinstance(node, ast.Call) and (name := named(node)) in CALLS:
            yield name


def test_everything_that_could_run_code_of_a_file_is_known_and_has_a_reason() -> None:
    files = [path for package in ("gaopt", "resnet") for path in (ROOT / package).rglob("*.py")]
    assert len(files) > 100
    found = {(str(p.relative_to(ROOT)), what) for p in files for what in loaders(ast.parse(p.read_text("utf-8")))}
    assert found == set(REASONS)


def test_what_reads_tensors_reads_no_more() -> None:
    for file, call, option in (
        ("resnet/weights.py", "torch.load", "weights_only=True"),
        ("resnet/weights.py", "load_state_dict_from_url", "weights_only=True"),
        ("resnet/weights.py", "load_state_dict_from_url", "check_hash=True"),
        ("resnet/data.py", "np.load", "allow_pickle=False"),
    ):
        nodes = [n for n in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))) if isinstance(n, ast.Call)]
        calls = [node for node in nodes if named(node) == call]
        assert calls
        assert all(option in {ast.unparse(keyword) for keyword in node.keywords} for node in calls), (file, call)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two small trainings with its best model, stopped in a third."""
    sets = [word for word in SMALL[1:] if "=" in word]
    quick = overridden(read_toml(ROOT / "configs" / "quick.toml"), [*sets, "recipe.epochs=2", "recipe.checkpoint=0"])
    quick["assisted"] |= {"population": 2, "generations": 1}
    home = tmp_path_factory.mktemp("trained") / "study"
    run(from_tables(quick), home)

    def stop(history: History, event: Event) -> None:
        if isinstance(event, Reported):
            raise Stopped(15)

    with pytest.raises(Stopped):
        run(from_tables(overridden(quick, ["assisted.generations=2"])), home, watch=stop)
    return home


@pytest.mark.slow
def test_a_malicious_pickle_in_a_study_is_never_run(
    trained: Path, results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ran, picture = tmp_path / "ran", image(tmp_path / "image.png")
    for file in ("study.db", "best.safetensors", "best.json", "checkpoint*", "config.toml"):
        home = StudyDir(Path(shutil.copytree(trained, results / "mine", dirs_exist_ok=True)))
        places = list(home.path.rglob(file))
        assert places, file
        for place in places:
            place.write_bytes(pickle.dumps(Live(ran)))
        reading = ["status", "mine"], ["predict", "mine", str(picture)]
        for words in (*reading, ["resume", "mine"]) if file == "checkpoint*" else reading:
            code, _, err = invoke(capfd, *words)
            assert code in (0, 2), (file, words)
            assert "Traceback" not in err
        assert not ran.exists(), file
    pickle.loads(pickle.dumps(Live(ran)))
    assert ran.exists()  # so it was a live one


def image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)
    return path


SECRET = "hunter2-hunter2"


def test_the_environment_is_in_no_file_of_a_study(
    results: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAOPT_PASSWORD", SECRET)
    monkeypatch.setenv("RAY_AUTH_TOKEN", SECRET)
    run(replace(toy(population=3, generations=2), objective="tests.faulty:fails"), results / "mine")
    for words in (["report", "mine"], ["status", "mine"], ["status", "mine", "--json"]):
        _, out, err = invoke(capfd, *words)
        assert SECRET not in out + err
    contents = b"".join(path.read_bytes() for path in results.rglob("*") if path.is_file())
    assert b"Traceback" in contents
    assert SECRET.encode() not in contents


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_who_may_read_a_study_is_the_umask_s_to_say(
    umask: int, mode: int, results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = os.umask(umask)
    try:
        run(toy(population=3, generations=2), results / "mine")
        invoke(capfd, "report", "mine")
    finally:
        os.umask(before)
    for path in (results / "mine").rglob("*"):
        assert path.is_dir() or stat.S_IMODE(path.stat().st_mode) == mode, path
