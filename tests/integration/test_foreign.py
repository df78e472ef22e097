"""A study that somebody else made: reading it runs nothing of it, and nothing outside of it is touched."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gaopt.compare.plan import Plan
from gaopt.compare.plan import write as write_plan
from gaopt.errors import StudyError
from gaopt.journal.atomic_write import tidy
from gaopt.journal.events import Birth, Bred, Closed, Opened, Scored, Started
from gaopt.journal.journal import Journal
from gaopt.journal.paths import ComparisonDir, StudyDir
from gaopt.journal.untrusted_db import check_rollback
from gaopt.objectives.image.model import kept
from gaopt.study.loop import run
from tests.conftest import toy
from tests.integration.test_cli import invoke

READING = {
    "status": ["status", "STUDY"],
    "status --json": ["status", "STUDY", "--json"],
    "list": ["list"],
    "report": ["report", "STUDY"],
    "predict": ["predict", "STUDY", "image.png"],
    **{f"export --to {tool}": ["export", "STUDY", "--to", tool] for tool in ("csv", "optuna", "tensorboard", "mlflow")},
}
"""The verbs that read a study, by what a person types."""
PAGE = 4096


def told(verb: str, name: str) -> list[str]:
    return [name if word == "STUDY" else word for word in READING[verb]]


@pytest.fixture
def home(results: Path) -> StudyDir:
    """A finished toy study among the results, called "theirs"."""
    home = StudyDir(results / "theirs")
    run(toy(population=4, generations=2), home)
    return home


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file outside of every study."""
    path = tmp_path / "victim"
    path.write_text("precious")
    return path


# the journal


def rolled_back(database: Path, another: Path | None) -> None:
    """Leave a rollback journal as of a driver that was killed while it wrote, and have it name another file."""
    before = database.read_bytes()
    nonce = 12
    header = bytes.fromhex("d9d505f920a163d7") + struct.pack(">5I", 1, nonce, len(before) // PAGE, 512, PAGE)
    page = before[:PAGE]
    total = (nonce + sum(page[place] for place in range(PAGE - 200, 0, -200))) & 0xFFFFFFFF
    journal = header.ljust(512, b"\0") + struct.pack(">I", 1) + page + struct.pack(">I", total)
    if another:
        name = os.fsencode(another)
        journal += struct.pack(">I", 0x40000000 // PAGE + 1) + name
        journal += struct.pack(">2I", len(name), sum(name)) + bytes.fromhex("d9d505f920a163d7")
    Path(f"{database}-journal").write_bytes(journal)


def test_sqlite_alone_removes_the_file_that_a_rollback_journal_names(home: StudyDir, victim: Path) -> None:
    rolled_back(home.journal, victim)
    with closing(sqlite3.connect(home.journal)) as connection:
        connection.execute("SELECT count(*) FROM events").fetchone()
    if victim.exists():
        pytest.skip("this SQLite does not")


@pytest.mark.parametrize("verb", [verb for verb in READING if verb != "predict"])
@pytest.mark.parametrize("linked", [False, True])
def test_a_rollback_journal_cannot_have_another_file_removed(
    home: StudyDir, victim: Path, verb: str, linked: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if linked:  # SQLite looks for the journal beside the file, not beside the link
        home.journal.rename(tmp_path / "elsewhere.db")
        home.journal.symlink_to(tmp_path / "elsewhere.db")
    rolled_back(home.journal.resolve(), victim)
    code, _, err = invoke(capfd, *told(verb, "theirs"))
    assert victim.read_text() == "precious"
    assert code == (0 if verb == "list" else 2)
    assert "-journal would have another file removed" in err
    assert len(err.splitlines()) == 1


def test_nor_when_the_study_is_gone_on_with(home: StudyDir, victim: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rolled_back(home.journal, victim)
    assert invoke(capfd, "resume", "theirs")[0] == 2
    with pytest.raises(StudyError, match="would have another file removed"):
        Journal(home.journal, write=True)
    assert victim.exists()


def test_a_driver_that_was_killed_while_it_wrote_leaves_a_journal_that_is_read(home: StudyDir) -> None:
    before = list(Journal(home.journal))
    rolled_back(home.journal, None)
    assert list(Journal(home.journal)) == before
    assert not Path(f"{home.journal}-journal").exists()


@pytest.mark.parametrize("size", [0, 3, 8])
def test_a_journal_of_a_few_bytes_is_left_to_sqlite(home: StudyDir, size: int) -> None:
    Path(f"{home.journal}-journal").write_bytes(bytes(size))
    check_rollback(home.journal)
    assert list(Journal(home.journal))


COLUMNS = "seq INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL"


def test_a_journal_with_more_than_a_table_of_events_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for n, (code, said) in enumerate(
        [
            ("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events; END", "the trigger t"),
            ("ALTER TABLE events RENAME TO e; CREATE VIEW events AS SELECT * FROM e", "the table e"),
            ("CREATE TABLE more (a)", "the table more"),
            ("DROP TABLE events; CREATE TABLE events (seq, at, kind, body)", ""),
            (f"DROP TABLE events; CREATE TABLE events ({COLUMNS}, CHECK (seq < 3))", ""),
            (f"DROP TABLE events; CREATE TABLE events ({COLUMNS.replace('REAL', 'TEXT')})", ""),
            ("DROP TABLE events; CREATE VIRTUAL TABLE events USING fts5(seq, at, kind, body)", "the table events"),
        ]
    ):
        home = StudyDir(tmp_path / str(n))
        with closing(sqlite3.connect(home.journal)) as connection:
            connection.executescript(code)
        said = f"it holds {said}" if said else "its table events is another"
        for words in (told("status", "theirs"), ["resume", "theirs"]):
            found, _, err = invoke(capfd, *words)
            assert (found, len(err.splitlines())) == (2, 1)
            assert err.startswith(f"gaopt: {home.journal} is not a journal of gaopt: {said}")
        with pytest.raises(StudyError, match=said):
            Journal(home.journal, write=True)


# what a study names


@pytest.fixture
def theirs(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyDir:
    """A study whose objective, data and weights are files of its author's; importing the first is seen."""
    (tmp_path / "evil_objective.py").write_text(
        f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\ndef fitness(task, report): return 1.0\n"
    )
    monkeypatch.chdir(tmp_path)
    home = StudyDir(results / "theirs")
    home.make()
    config = toy(population=2, generations=2).plain()
    config["study"]["objective"] = "evil_objective:fitness"
    config |= {"data": {"name": "folder", "path": str(tmp_path / "data")}, "net": {"pretrained": str(tmp_path / "w")}}
    genes = {"lr": 1e-3, "wd": 0.1, "mom": 0.5}
    with Journal(home.journal, write=True) as journal:
        journal.append(Opened(config, "1", "host", 1))
        journal.append(Bred(0, (Birth(0, genes, "random"),)))
        journal.append(Started(0))
        journal.append(Scored(0, 0.5, {"top1": 0.5}, 1, 1.0))
        journal.append(Closed("interrupted"))
    os.mkfifo(tmp_path / "data")  # whoever opens it waits for ever
    os.mkfifo(tmp_path / "w")
    return home


@pytest.mark.parametrize("verb", READING)
def test_reading_a_study_runs_no_objective_and_opens_no_data(
    theirs: StudyDir, verb: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow") if "mlflow" in verb else None
    code, _, err = invoke(capfd, *told(verb, "theirs"))
    assert not (tmp_path / "ran").exists()
    assert code == (2 if verb == "predict" else 0), err


def test_going_on_with_it_runs_its_objective_as_security_md_says(
    theirs: StudyDir, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    invoke(capfd, "resume", "theirs")
    assert (tmp_path / "ran").exists()  # else the test above proves nothing


# links


@pytest.mark.parametrize("link", ["work", "work/0", "study.lock", "figures", "work/0/checkpoint.safetensors.tmp"])
def test_a_study_with_a_link_out_of_it_is_not_gone_on_with(
    home: StudyDir, link: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    (outside / "1").mkdir(parents=True)
    (outside / "file").write_text("precious")
    place = home.path / link
    shutil.rmtree(place, ignore_errors=True)
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside / "file" if place.suffix else outside)
    code, _, err = invoke(capfd, "resume", "theirs", "--generations", "3")
    assert (code, "leads out of the study" in err, len(err.splitlines())) == (2, True, 1)
    assert sorted(path.name for path in outside.iterdir()) == ["1", "file"]
    assert (outside / "file").read_text() == "precious"


def test_a_text_without_end_is_not_read(home: StudyDir, results: Path, capfd: pytest.CaptureFixture[str]) -> None:
    comparison = ComparisonDir(results / "both")
    comparison.make()
    home.weights.touch()
    home.export("csv").mkdir(parents=True)
    for path in (home.best, home.config, comparison.plan, home.export("csv") / "export.json"):
        path.touch()
        os.truncate(path, 40 << 30)  # a hole: it takes no room
    for command, said in (
        (["resume", "theirs"], "config.toml is not valid TOML: it is larger than 16 MiB"),
        (["compare", "both"], "comparison.toml is not valid TOML: it is larger than 16 MiB"),
        (["export", "theirs", "--to", "csv"], "exists and is no export of gaopt"),
    ):
        code, _, err = invoke(capfd, *command)
        assert (code, said in err) == (2, True), err
    assert kept(home) is None


PIPES = ["study.db-journal", "study.lock", "best.safetensors", "best.json", "study.db", "config.toml"]


def test_a_pipe_in_a_study_is_not_waited_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for n, name in enumerate(PIPES):
        home = StudyDir(tmp_path / str(n))
        (home.path / name).unlink(missing_ok=True)
        os.mkfifo(home.path / name)
        for verb in ("status", "list", "report", "predict"):
            assert invoke(capfd, *told(verb, "theirs"))[0] in (0, 2)
        assert invoke(capfd, "resume", "theirs")[0] == (2 if name.startswith("study") else 0)


def test_a_study_may_have_links_of_its_objective_s(
    home: StudyDir, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (home.path / "work" / "0").mkdir(parents=True)
    (home.path / "work" / "0" / "latest").symlink_to(tmp_path)
    (home.path / "notes").symlink_to(tmp_path)
    assert invoke(capfd, "resume", "theirs", "--generations", "3")[0] == 0


def test_a_lock_file_is_not_emptied_through_a_link(home: StudyDir, victim: Path) -> None:
    (home.path / "study.lock").unlink()
    (home.path / "study.lock").symlink_to(victim)
    with pytest.raises(StudyError, match=r"study\.lock cannot be written"):
        Journal(home.journal, write=True)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("link", ["study.x", "work", "figures"])
def test_a_link_to_itself_is_one_sentence(home: StudyDir, link: str, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(home.path / link, ignore_errors=True)
    (home.path / link).symlink_to(link)
    code, _, err = invoke(capfd, "resume", "theirs", "--generations", "3")
    assert (code, err) == (2, f"gaopt: {home.path / link} leads round in a circle: remove the link\n")


def test_a_name_that_is_a_link_to_itself_is_no_study_s(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "circle").symlink_to("circle")
    code, _, err = invoke(capfd, "status", "circle")
    assert (code, "there is no study 'circle'" in err) == (2, True)


def test_weights_are_not_written_through_a_link_that_lies_in_wait(home: StudyDir, victim: Path) -> None:
    weights = pytest.importorskip("resnet.weights")
    home.weights.with_name("best.safetensors.tmp").symlink_to(victim)
    home.weights.symlink_to(victim)
    weights.write(home.weights, {}, {"note": "ours"})
    assert weights.read(home.weights) == ({}, {"note": "ours"})
    assert not home.weights.is_symlink()
    assert victim.read_text() == "precious"


def test_sweeping_never_leaves_the_study(home: StudyDir, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "1").mkdir(parents=True)
    (home.path / "work" / "7").mkdir(parents=True)
    (home.path / "work" / "8").symlink_to(outside)
    home.sweep([7, 8])
    assert not (home.path / "work" / "7").exists()
    assert (outside / "1").is_dir()
    shutil.rmtree(home.path / "work")
    (home.path / "work").symlink_to(outside)
    home.sweep([1])
    assert (outside / "1").is_dir()


@pytest.mark.parametrize(("verb", "link"), [("report", "figures"), ("export --to csv", "export")])
def test_what_is_written_of_a_study_stays_in_it(
    home: StudyDir, verb: str, link: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (home.path / link).symlink_to(outside)
    code, _, err = invoke(capfd, *told(verb, "theirs"))
    assert (code, "leads out of the study" in err) == (2, True)
    assert not any(outside.iterdir())


def test_a_file_is_not_written_through_a_link_that_lies_in_wait(home: StudyDir, victim: Path) -> None:
    Path(f"{home.report}.{os.getpid()}.tmp").symlink_to(victim)
    home.report.symlink_to(victim)
    home.write(home.report, "ours")
    assert home.report.read_text() == "ours"
    assert not home.report.is_symlink()
    assert victim.read_text() == "precious"


def test_a_study_s_folder_may_be_a_link(home: StudyDir, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home.path.rename(tmp_path / "moved")
    home.path.symlink_to(tmp_path / "moved")
    assert invoke(capfd, "resume", "theirs", "--generations", "3")[0] == 0
    assert invoke(capfd, "report", "theirs")[0] == 0
    assert (tmp_path / "moved" / "figures").is_dir()


# names


LONG = ("a" * 101, "a" * 5000)
NAMES = ["..", ".", "", "/etc", "../up", "a/b", "-x", "a b", "a\nb", "a\0b", "é", *LONG, "~", "$HOME", "a;b", "\x1b"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("verb", ["run", "train", "compare", "lr-find"])
def test_a_name_that_is_no_folder_s_is_refused(
    verb: str, name: str, results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = invoke(capfd, verb, "quick", f"--name={name}")
    assert (code, out) == (2, "")
    assert "cannot be used" in err
    assert len(err.splitlines()) == 1
    assert not results.exists()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("verb", ["status", "report", "resume"])
def test_a_study_of_such_a_name_is_not_looked_for_elsewhere(
    verb: str, name: str, home: StudyDir, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = invoke(capfd, verb, "--", name)
    assert code == 2
    assert "Traceback" not in err


def test_the_finals_of_a_comparison_cannot_leave_its_folder(tmp_path: Path) -> None:
    home = ComparisonDir(tmp_path / "compared")
    home.make()
    (tmp_path / "outside").mkdir()
    (home.path / "finals").symlink_to(tmp_path / "outside")
    with pytest.raises(StudyError, match="leads out of the study"):
        home.finals(0)


@pytest.mark.parametrize("method", ["../../../up", "/etc/up"])
def test_a_method_of_a_comparison_cannot_leave_its_folder(method: str, tmp_path: Path) -> None:
    home = ComparisonDir(tmp_path / "compared")
    home.make()
    write_plan(Plan((method,), {method: toy().plain()}), home)
    with pytest.raises(StudyError, match="leads out of the study"):
        home.search(method, 0)


def test_a_study_that_is_warmed_by_another_reads_a_journal_and_no_more(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "study.db").write_text("a secret")
    told = json.dumps([str(tmp_path / "secret")])
    code, _, err = invoke(capfd, "run", "quick", "--set", f"warm.studies={told}")
    assert code == 2
    assert "a secret" not in err


# the model


ABOUT = {"net": {"name": "resnet20"}, "channels": 1, "size": 8, "classes": ["a", "b"], "mean": [0.5], "std": [0.2]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"size": 10**6}, "best.size is 1000000"),
        ({"channels": 2}, "best.channels is 2"),
        ({"channels": 3}, "best: mean and std have 1 and 1 values"),
        ({"classes": "ab"}, "best.classes is 'ab'"),
        ({"classes": ["a"] * 10**6}, "size mismatch for fc.weight"),  # found without the memory for them
        ({"mean": []}, "best: mean and std have 0 and 1 values"),
        ({"std": [0.0]}, "best.std[0] is 0.0"),
        ({"net": {"name": "../../x"}}, "best: name is '../../x'"),
        ({"net": {"name": "resnet1202", "width": 100.0}}, "Missing key(s)"),
        ({"net": {"name": "resnet20", "pretrained": "/etc/passwd"}}, "pretrained is '/etc/passwd'"),
    ],
)
def test_what_describes_a_model_is_checked_before_it_is_built(
    changed: dict[str, object], said: str, results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    from resnet import weights
    from resnet.net import build
    from resnet.spec import NetSpec

    home = StudyDir(results / "theirs")
    run(toy(population=2, generations=2), home)
    weights.write(home.weights, build(NetSpec("resnet20"), 1, 2).state_dict(), {})
    home.write(home.best, json.dumps(ABOUT | changed))
    Image.new("L", (8, 8)).save(tmp_path / "image.png")
    code, out, err = invoke(capfd, "predict", "theirs", str(tmp_path / "image.png"))
    assert (code, len(out.splitlines()), len(err.splitlines())) == ((2, 0, 1) if changed else (0, 1, 0)), err
    assert said in err


def test_parts_are_removed_in_the_folder_of_an_individual_alone(tmp_path: Path) -> None:
    outside, scratch = tmp_path / "outside", tmp_path / "work" / "3"
    for folder in (outside, scratch):
        folder.mkdir(parents=True)
        (folder / "file.999999999.tmp").touch()
    (scratch / "figures").symlink_to(outside)
    tidy(scratch)
    assert [path.name for path in scratch.iterdir()] == ["figures"]
    assert [path.name for path in outside.iterdir()] == ["file.999999999.tmp"]


def test_a_folder_in_place_of_a_file_is_found_before_anything_is_written(home: StudyDir, capfd: Any) -> None:
    before = list(Journal(home.journal))
    home.config.unlink()
    home.config.mkdir()
    code, _, err = invoke(capfd, "resume", "theirs", "--generations", "3")
    assert (code, err) == (2, f"gaopt: {home.config} is a folder: remove it\n")
    assert list(Journal(home.journal)) == before


def test_a_folder_in_place_of_a_journal_is_no_study(results: Path, capfd: Any) -> None:
    (results / "odd" / "study.db").mkdir(parents=True)
    assert invoke(capfd, "status", "odd")[2] == f"gaopt: there is no study 'odd' in {results}: known: none\n"
    code, _, err = invoke(capfd, "run", "quick", "--name", "odd")
    assert (code, err) == (2, f"gaopt: {results / 'odd'} exists and is no study: give another name\n")
