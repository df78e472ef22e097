"""No pickle is ever read from a study, and nothing of a data set lands outside: by the source, and by trying."""

from __future__ import annotations

import ast
import os
import pickle
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gaopt.config import from_tables
from gaopt.config.tables import overridden, read_toml
from gaopt.errors import Stopped
from gaopt.journal.events import Event, Reported
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from resnet import data as datasets
from resnet.data import DataError, DataSpec
from tests.conftest import ROOT, toy
from tests.integration.test_cli import invoke
from tests.integration.test_foreign import READING, told

# by the source

LOADERS = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "yaml", "zipfile", "subprocess"}
"""Modules whose import is to have a reason."""
CALLS = {
    *("eval", "exec", "__import__", "import_module", "load_learner", "read_pickle", "torch.load", "np.load"),
    *("load_state_dict_from_url", "extract", "extractall", "system", "popen", "fromfile", "memmap", "unpack_archive"),
}
"""Calls that are to have one."""
REASONS = {
    ("resnet/cifar.py", "pickle"): "of files with the MD5 of the published ones",
    ("resnet/weights.py", "pickle"): "the error of that name alone",
    ("resnet/weights.py", "torch.load"): "weights_only=True: tensors, of a file that the config names",
    ("resnet/weights.py", "load_state_dict_from_url"): "weights_only=True: torchvision's own, checked by their hash",
    ("resnet/cache.py", "np.load"): "allow_pickle=False: the user's own cache",
    ("resnet/cache.py", "zipfile"): "the error of that name alone",
    ("gaopt/space/conditions.py", "eval"): "what every node of was looked at, without builtins",
    ("gaopt/__init__.py", "import_module"): "names of the package's own modules",
    ("gaopt/objectives/base.py", "import_module"): "the objective: code that its user names",
    ("gaopt/export/__init__.py", "import_module"): "one of FORMATS",
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


def test_the_search_for_them_finds() -> None:
    for code in [
        *("import pickle", "from joblib import load", "import yaml", "import shelve, os", "eval('1')", "exec('1')"),
        *("torch.load(f)", "np.load(f, allow_pickle=True)", "learner.load_learner(f)", "pd.read_pickle(f)"),
        *("from torch import load as read", "from numpy import load"),
        *("tar.extractall()", "__import__('os')", "os.system('ls')"),
    ]:
        assert list(loaders(ast.parse(code)))


@pytest.mark.parametrize(
    ("file", "call", "option"),
    [
        ("resnet/weights.py", "torch.load", "weights_only=True"),
        ("resnet/weights.py", "load_state_dict_from_url", "weights_only=True"),
        ("resnet/weights.py", "load_state_dict_from_url", "check_hash=True"),
        ("resnet/cache.py", "np.load", "allow_pickle=False"),
    ],
)
def test_what_reads_tensors_reads_no_more(file: str, call: str, option: str) -> None:
    nodes = [n for n in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))) if isinstance(n, ast.Call)]
    calls = [node for node in nodes if named(node) == call]
    assert calls
    for node in calls:
        assert option in {ast.unparse(keyword) for keyword in node.keywords}


# by trying


class Code:
    """A pickle of this makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mknod, (str(self.path),)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two small trainings and its best model, and one that was stopped in a training."""
    from tests.integration.test_cli import SMALL

    folder = tmp_path_factory.mktemp("trained")
    sets = [word for word in SMALL[1:] if "=" in word]
    quick = overridden(read_toml(ROOT / "configs" / "quick.toml"), sets)
    quick["assisted"] |= {"population": 2, "generations": 2}
    run(from_tables(quick), folder / "whole")

    def stop(history: History, event: Event) -> None:
        if isinstance(event, Reported):
            raise Stopped(15)

    longer = overridden(quick, ["recipe.epochs=3", "recipe.checkpoint=0"])
    with pytest.raises(Stopped):
        run(from_tables(longer), folder / "begun", watch=stop)
    return folder


USUAL = ("status", "report", "predict")
REPLACED = {
    "the journal": (["study.db"], tuple(READING), {"resume", *(v for v in READING if v not in ("list", "predict"))}),
    "what SQLite rolls back": (["study.db-journal"], USUAL, set()),
    "the best model": (["best.safetensors"], ("predict",), {"predict"}),
    "what is said of it": (["best.json"], ("predict",), {"predict"}),
    "a checkpoint": (["checkpoint*"], USUAL, {"predict"}),
    "the config": (["config.toml"], USUAL, {"resume"}),
    "the rest": (["individuals.csv", "report.html", "study.lock"], USUAL, set()),
}
"""Files of a study, the verbs that are tried on it, and those that cannot do without them."""


@pytest.mark.slow
@pytest.mark.parametrize("what", REPLACED)
def test_a_malicious_pickle_in_a_study_is_never_run(
    what: str, trained: Path, results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = StudyDir(results / ("begun" if what == "a checkpoint" else "whole"))
    shutil.copytree(trained / home.name, home.path)
    ran, picture = tmp_path / "ran", image(tmp_path / "image.png")
    files, verbs, needing = REPLACED[what]
    places = [place for file in files for place in home.path.rglob(file)] or [home.path / file for file in files]
    assert what != "a checkpoint" or "work" in str(places[0])
    for place in places:
        place.write_bytes(pickle.dumps(Code(ran)))
    for verb in verbs:
        words = [str(picture) if word == "image.png" else word for word in told(verb, home.name)]
        code, _, err = invoke(capfd, *words)
        assert (code, len(err.splitlines())) == ((2, 1) if verb in needing else (0, verb == "list")), err
    assert invoke(capfd, "resume", home.name)[0] == (2 if "resume" in needing else 0)
    assert not ran.exists()
    pickle.loads(pickle.dumps(Code(ran)))
    assert ran.exists()  # so it was a live one


def test_a_malicious_pickle_for_a_plan_of_a_comparison_is_never_run(
    results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (results / "compared").mkdir(parents=True)
    (results / "compared" / "comparison.toml").write_bytes(pickle.dumps(Code(tmp_path / "ran")))
    for words in (["compare", "compared"], ["status", "compared"], ["report", "compared"]):
        code, _, err = invoke(capfd, *words)
        assert (code, len(err.splitlines())) == (2, 1)
    assert not (tmp_path / "ran").exists()


# data sets


def image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)
    return path


def refused(path: Path, cache: Path) -> str:
    with pytest.raises(DataError) as raised:
        datasets.load(DataSpec("folder", path=str(path)), cache=cache)
    return str(raised.value)


def test_a_link_or_a_device_in_an_archive_is_no_image_and_is_made_nowhere(tmp_path: Path) -> None:
    for n, (kind, target) in enumerate(
        [
            (tarfile.SYMTYPE, "../../../victim"),
            (tarfile.SYMTYPE, "/etc/passwd"),
            (tarfile.SYMTYPE, "b1.png"),
            (tarfile.LNKTYPE, "../victim"),
            (tarfile.LNKTYPE, "d/b/b1.png"),
            (tarfile.CHRTYPE, ""),
            (tarfile.BLKTYPE, ""),
            (tarfile.FIFOTYPE, ""),
        ]
    ):
        (folder := tmp_path / str(n)).mkdir()
        for name in ("a/a1", "a/a2", "a/a3", "b/b1", "b/b2", "b/b3"):
            image(folder / "d" / f"{name}.png")
        (folder / "victim").write_text("precious")
        with tarfile.open(folder / "d.tar", "w") as tar:
            tar.add(folder / "d", "d")
            evil = tarfile.TarInfo("d/a/evil.png")
            evil.type, evil.linkname = kind, target
            tar.addfile(evil)
        before = set(folder.rglob("*"))
        assert "evil.png is a dead link or no regular file" in refused(folder / "d.tar", folder / "cache")
        assert set(folder.rglob("*")) == before
        assert (folder / "victim").read_text() == "precious"


def test_a_zip_archive_is_no_data_set(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("../../x.png", b"evil")
    assert "is neither a folder nor a tar archive" in refused(tmp_path / "d.zip", tmp_path / "cache")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.zip"]


# secrets, and who may read what


SECRET = "hunter2-hunter2"


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("objective", ["valley", "fails"])
def test_the_environment_is_in_no_file_of_a_study(
    objective: str, results: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAOPT_PASSWORD", SECRET)
    monkeypatch.setenv("RAY_AUTH_TOKEN", SECRET)
    name = "tests.faulty:fails" if objective == "fails" else "gaopt.objectives.toy:valley"
    config = toy(population=3, generations=2).plain()
    config["study"]["objective"] = name
    run(from_tables(config), results / "mine")
    for words in (["report", "mine"], ["status", "mine"], ["status", "mine", "--json"]):
        _, out, err = invoke(capfd, *words)
        assert SECRET not in out + err
    assert b"Traceback" in contents(results) or objective == "valley"
    assert SECRET.encode() not in contents(results)


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


@pytest.mark.parametrize(
    "name", ["study.db.part", "study.db-journal", "report.html.1.tmp", "config.toml.1.tmp", "report.html"]
)
def test_a_file_that_lies_in_wait_is_not_written_through(
    name: str, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    home, victim = StudyDir(results / "mine"), tmp_path / "victim"
    victim.write_text("precious")
    home.path.mkdir(parents=True)
    (home.path / name).symlink_to(victim)
    home.write(home.report, "ours")
    home.write(home.config, "ours")
    assert victim.read_text() == "precious"
    assert home.report.read_text() == home.config.read_text() == "ours"
