"""Odd input that a review found, each with its sentence: no traceback, nothing half written."""

from __future__ import annotations

import ast
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gaopt import load
from gaopt.cli.signals import Signals
from gaopt.config import from_tables
from gaopt.config.tables import overridden, read_toml
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.events import Birth, Bred, Closed, Opened, Reported, Scored, Started
from gaopt.journal.journal import Journal
from gaopt.journal.paths import ComparisonDir, StudyDir, results
from gaopt.objectives.image import probes
from gaopt.study.progress import epochs
from tests.conftest import ROOT, toy
from tests.inputs import BASE
from tests.integration.test_cli import gaopt, invoke

VARIANTS = {"title": "x", "variants": [{"name": "a"}, {"name": "b"}]}
LONG = "9" * 5000


def journal(home: StudyDir, config: dict[str, Any], genes: dict[str, Any]) -> None:
    """A study with one individual that has a score."""
    home.make()
    births = (Birth(0, genes, "random"),)
    with Journal(home.journal, write=True) as events:
        for event in (Opened(config, "1", "here", 1), Bred(0, births), Started(0), Scored(0, 0.5, {}, 1, 1.0)):
            events.append(event)
        events.append(Closed("interrupted"))


def test_a_stranger_s_study_with_odd_tables_is_told_in_a_sentence(
    results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for tables, genes in [
        ({"recipe": "x"}, {"lr": 0.1}),
        ({"recipe": {"epochs": "abc"}}, {"lr": 0.1}),
        ({"recipe": {"epochs": [1]}}, {"lr": 0.1}),
        ({"experiment": VARIANTS}, {"lr": 0.1}),
        ({"experiment": VARIANTS}, {"variant": 7.0}),
        ({"experiment": VARIANTS}, {"variant": "a"}),
    ]:
        journal(StudyDir(results / "odd"), BASE | tables, genes)
        for verb in (["status", "odd"], ["list"], ["report", "odd"], ["export", "odd", "--to", "csv"]):
            code, _, err = invoke(capfd, *verb)
            assert code in (0, 2)
            assert "Traceback" not in err


def test_what_is_no_number_of_epochs_is_none() -> None:
    for epoch in ["abc", True, 1.5, -1, None, 10**30]:
        assert epochs({"recipe": {"epochs": epoch}}) == 0
        assert epochs({"recipe": {"epochs": 7}}) == 7


@pytest.mark.parametrize(
    "content",
    [f"a = {LONG}", "a = " + "[" * 3000 + "]" * 3000, ".".join("a" * 2000) + " = 1", f"a = 0x{'f' * 5000}"],
)
def test_a_file_without_end_is_refused_with_a_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(content)
    with pytest.raises(ConfigError):
        read_toml(tmp_path / "config.toml")
    with suppress(ConfigError):  # some are a word
        from_tables(overridden(BASE, [f"settings.{content.replace(' = ', '=')}"]))


def test_numbers_without_end_get_a_sentence(results: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in [
        ["run", "--seed", LONG],
        ["run", "--generations", LONG],
        ["train", "--lr", LONG],
        ["nets", "resnet20", "--size", LONG],
        ["run", "--dry-run", "--set", "settings." + "a." * 2000 + "a=1"],
        ["run", "--dry-run", "--set", f"study.seed=0x{'f' * 5000}"],
        ["run", "quick", "--set", "study.strategy=grid", "--set", "space.lr={low=0,high=100000000000,integer=true}"],
    ]:
        code, _, err = invoke(capfd, *arguments)
        assert code == 2
        assert err.splitlines()[-1].startswith("gaopt: ")
        assert "Traceback" not in err
        assert not any(results.iterdir()) if results.exists() else True


def test_out_of_memory_while_steps_are_timed_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> float:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(probes, "seconds", full)
    assert probes.mean_seconds(load("quick"), None) is None  # type: ignore[arg-type]


def test_a_comparison_that_is_no_table_is_refused(results: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = ComparisonDir(results / "odd")
    home.make()
    home.plan.write_text(tomli_w.dumps({"comparison": 5}))
    assert invoke(capfd, "compare", "odd")[0] == 2


def test_an_export_to_no_folder_is_refused(results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    journal(StudyDir(results / "odd"), BASE, {"lr": 0.001, "wd": 0.01, "mom": 0.5})
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for out in ("/", str(tmp_path / "loop")):
        code, _, err = invoke(capfd, "export", "odd", "--to", "csv", "--out", out)
        assert code == 2, err


def test_a_folder_of_results_with_too_long_a_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAOPT_RESULTS", "x" * 300)
    assert invoke(capfd, "list")[0] == 2
    assert invoke(capfd, "run", "--dry-run")[0] == 2


def test_a_terminal_without_utf_8_is_written_to() -> None:
    done = gaopt("nets", "resnet20", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_broken_pipe_ends_with_141() -> None:
    command = f"{sys.executable} -m gaopt nets --json; echo $? >&2"
    done = subprocess.run(["sh", "-c", f"({command}) | true"], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.stderr.split() == ["141"]


def test_a_terminal_that_is_gone_stops_in_good_order_unless_it_is_ignored() -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        with Signals() as signals:
            assert signal.getsignal(signal.SIGHUP) == signals._note
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with Signals():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_is_closed_leaves_a_study_put_down(home: StudyDir, tmp_path: Path) -> None:
    """The shell and the kernel may both say so."""
    config = replace(
        toy(population=4, generations=1),
        objective="tests.faulty:naps",
        settings={"settings": {"epochs": 600, "seconds": 0.1}},
    )
    (tmp_path / "naps.toml").write_text(tomli_w.dumps(config.plain()))
    arguments = [sys.executable, "-m", "gaopt", "run", str(tmp_path / "naps.toml"), "--name", "naps"]
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(ROOT)
        os.execv(arguments[0], arguments)
    home = StudyDir(results() / "naps")
    heard = threading.Thread(target=lambda: list(iter(lambda: said(terminal), b"")), daemon=True)
    heard.start()  # or it would wait for who reads what it says
    while not (home.journal.exists() and any(isinstance(event, Reported) for event in Journal(home.journal))):
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
        time.sleep(0.05)
    os.kill(pid, signal.SIGHUP)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 128 + signal.SIGHUP
    assert list(Journal(home.journal))[-1].reason == "interrupted"


def said(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


@pytest.mark.skipif(UNPRIVILEGED and not shutil.which("setpriv"), reason="the superuser may look into everything")
def test_a_folder_that_may_not_be_looked_into_is_said_to_be_that(tmp_path: Path) -> None:
    for n, (locked, arguments, said) in enumerate(
        [
            ("results/mine", ("run", "toy.toml", "--name", "mine"), "mine cannot be read: Permission denied"),
            ("results/mine", ("status", "mine"), "mine cannot be read: Permission denied"),
            ("results", ("run", "toy.toml"), "results folder results cannot be used: Permission denied"),
            ("results", ("list",), "results folder results cannot be used: Permission denied"),
            ("configs", ("run", "configs/toy.toml"), "configs/toy.toml cannot be read: Permission denied"),
        ]
    ):
        (folder := tmp_path / str(n)).mkdir()
        for made in (folder / "results" / "mine", folder / "configs"):
            made.mkdir(parents=True)
        for path in ("toy.toml", "configs/toy.toml"):
            (folder / path).write_text(tomli_w.dumps(toy(population=2, generations=1).plain()))
        (folder / locked).chmod(0)
        command = [*UNPRIVILEGED, sys.executable, "-m", "gaopt", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "GAOPT_RESULTS": "results"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=120)
        (folder / locked).chmod(0o700)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert said in done.stderr
        assert not list((folder / "results" / "mine").iterdir())


LOCKING = """
import os, pathlib
def locking(task, report):
    if task.individual == 2:
        os.chmod(task.home / {what!r}, 0)
    return 1.0
"""


@pytest.mark.skipif(UNPRIVILEGED and not shutil.which("setpriv"), reason="the superuser may look into everything")
def test_a_folder_that_is_closed_while_a_search_runs_is_one_sentence(tmp_path: Path) -> None:
    for number, what in enumerate(("", "..")):
        (tmp_path / f"locks{number}.py").write_text(LOCKING.format(what=what))
        search = replace(toy(population=4, generations=1), objective=f"locks{number}:locking")
        (tmp_path / "toy.toml").write_text(tomli_w.dumps(search.plain()))
        command = [*UNPRIVILEGED, sys.executable, "-m", "gaopt", "run", "toy.toml", "--name", f"mine{number}"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "GAOPT_RESULTS": "results"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120)
        (tmp_path / "results").chmod(0o700)
        (tmp_path / f"results/mine{number}").chmod(0o700)
        assert "Traceback" not in done.stderr, (what, done.stderr)
        assert (done.returncode, "cannot be written" in done.stderr) == (1, True), (what, done.stderr)


PATHS = ("path", "report", "handle", "home", "name")


def test_no_path_or_name_is_echoed_as_it_is() -> None:
    """Of what `click.echo` is given, a path or a name is within `printable` or `path_shown`, or quoted by `!r`."""
    for file in [*ROOT.glob("gaopt/cli/*.py"), ROOT / "gaopt/cli/run.py", ROOT / "gaopt/cli/run_comparison.py"]:
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "click.echo":
                raw = [node for part in call.args for node in bare(part)]
                assert not raw, (file.name, call.lineno, raw)


def bare(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call) and ast.unparse(node.func) not in ("str", "shlex.quote"):
        return []
    if isinstance(node, ast.FormattedValue) and node.conversion == ord("r"):
        return []
    if isinstance(node, ast.Name) and node.id in ("path", "command"):
        return [node.id]
    if isinstance(node, ast.Attribute) and node.attr in PATHS:
        return [ast.unparse(node)]
    return [found for child in ast.iter_child_nodes(node) for found in bare(child)]


def test_a_study_that_is_no_variant_is_said() -> None:
    from gaopt.papers.experiment import experiment

    found = experiment({"experiment": VARIANTS})
    assert found
    assert found.variant({"variant": 1.0}).name == "b"
    with pytest.raises(StudyError, match="no variant"):
        found.variant({})
