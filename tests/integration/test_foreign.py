"""A study that somebody else made: reading it runs nothing of it, and nothing outside of it is touched."""

import os
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from gaopt.journal.events import Birth, Bred, Closed, Opened, Scored, Started
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.conftest import toy
from tests.integration.test_cli import invoke

READING = {
    "status": ["status", "theirs"],
    "list": ["list"],
    "report": ["report", "theirs"],
    "predict": ["predict", "theirs", "image.png"],
    "export": ["export", "theirs", "--to", "csv"],
}
"""The verbs that read a study."""
PAGE = 4096


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


def rolled_back(database: Path, another: Path | None) -> None:
    """Leave a rollback journal as of a driver that was killed while it wrote, and have it name another file."""
    before, nonce = database.read_bytes(), 12
    header = bytes.fromhex("d9d505f920a163d7") + struct.pack(">5I", 1, nonce, len(before) // PAGE, 512, PAGE)
    page = before[:PAGE]
    total = (nonce + sum(page[place] for place in range(PAGE - 200, 0, -200))) & 0xFFFFFFFF
    journal = header.ljust(512, b"\0") + struct.pack(">I", 1) + page + struct.pack(">I", total)
    if another:
        name = os.fsencode(another)
        journal += struct.pack(">I", 0x40000000 // PAGE + 1) + name
        journal += struct.pack(">2I", len(name), sum(name)) + bytes.fromhex("d9d505f920a163d7")
    Path(f"{database}-journal").write_bytes(journal)


def test_a_rollback_journal_cannot_have_another_file_removed(
    home: StudyDir, victim: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rolled_back(home.journal, victim)
    for verb in ("status", "list", "resume"):
        code, _, err = invoke(capfd, *READING.get(verb, [verb, "theirs"]))
        assert (code, victim.read_text()) == (0 if verb == "list" else 2, "precious")
        assert "-journal would have another file removed" in err


def test_a_driver_that_was_killed_while_it_wrote_leaves_a_journal_that_is_read(home: StudyDir) -> None:
    before = list(Journal(home.journal))
    rolled_back(home.journal, None)
    assert list(Journal(home.journal)) == before
    assert not Path(f"{home.journal}-journal").exists()


def test_a_journal_with_more_than_a_table_of_events_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for n, (code, said) in enumerate(
        [
            ("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events; END", "it holds the trigger t"),
            ("ALTER TABLE events RENAME TO e; CREATE VIEW events AS SELECT * FROM e", "it holds the table e"),
            ("DROP TABLE events; CREATE TABLE events (seq, at, kind, body)", "its table events is another"),
        ]
    ):
        home = StudyDir(tmp_path / str(n))
        run(toy(population=2, generations=1), home)
        with closing(sqlite3.connect(home.journal)) as connection:
            connection.executescript(code)
        for verb in ("status", "resume"):
            found, _, err = invoke(capfd, verb, str(home.path))
            assert (found, len(err.splitlines())) == (2, 1)
            assert err.startswith(f"gaopt: {home.journal} is not a journal of gaopt: {said}")


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


def test_reading_a_study_runs_no_objective_and_opens_no_data_but_going_on_does(
    theirs: StudyDir, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for verb, words in READING.items():
        code, _, err = invoke(capfd, *words)
        assert code == (2 if verb == "predict" else 0), err
        assert not (tmp_path / "ran").exists()
    invoke(capfd, "resume", "theirs")
    assert (tmp_path / "ran").exists()  # as SECURITY.md says


def test_a_study_with_a_link_out_of_it_is_not_gone_on_with(
    home: StudyDir, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    (outside / "1").mkdir(parents=True)
    for link in ("work", "figures", "study.lock"):
        place = home.path / link
        shutil.rmtree(place, ignore_errors=True)
        place.unlink(missing_ok=True)
        place.symlink_to(outside)
        code, _, err = invoke(capfd, "resume", "theirs", "--generations", "3")
        assert (code, "leads out of the study" in err, len(err.splitlines())) == (2, True, 1)
        place.unlink()
    assert [path.name for path in outside.iterdir()] == ["1"]


def test_a_study_may_have_links_of_its_objective_s(
    home: StudyDir, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (home.path / "work" / "0").mkdir(parents=True)
    (home.path / "work" / "0" / "latest").symlink_to(tmp_path)
    (home.path / "notes").symlink_to(tmp_path)
    assert invoke(capfd, "resume", "theirs", "--generations", "3")[0] == 0


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


def test_a_study_s_folder_may_be_a_link(home: StudyDir, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home.path.rename(tmp_path / "moved")
    home.path.symlink_to(tmp_path / "moved")
    assert invoke(capfd, "resume", "theirs", "--generations", "3")[0] == 0
    assert invoke(capfd, "report", "theirs")[0] == 0
    assert (tmp_path / "moved" / "figures").is_dir()


NAMES = ["..", "", "/etc", "a/b", "-x", "a b", "a\0b", "é", "a" * 101, "\x1b"]


def test_a_name_that_is_no_folder_s_is_refused(results: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for verb in ("run", "train", "compare", "lr-find"):
        for name in NAMES:
            code, out, err = invoke(capfd, verb, "quick", f"--name={name}")
            assert (code, out) == (2, "")
            assert "cannot be used" in err
            assert len(err.splitlines()) == 1
    assert not results.exists()
