"""Studies that somebody damaged, mended by hand, or has from another version: one sentence from whoever reads them."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gaopt.errors import BadInput, StudyError
from gaopt.journal.events import Scored, decode
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.lock import held
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run as run_study
from tests.conftest import toy
from tests.integration.test_cli import invoke

READERS = [("status",), ("status", "--json"), ("report",), ("resume",), ("export", "--to", "csv"), ("predict", "x.png")]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> StudyDir:
    """A toy study."""
    home = StudyDir(tmp_path_factory.mktemp("finished") / "toy")
    run_study(toy(population=4, generations=2), home)
    return home


@pytest.fixture
def study(results: Path, finished: StudyDir) -> StudyDir:
    """A copy of it, among the results."""
    return StudyDir(Path(shutil.copytree(finished.path, results / "toy")))


def changed(home: StudyDir, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(home.journal, isolation_level=None)) as connection:
        assert connection.execute(statement, values).rowcount


def put(home: StudyDir, kind: str, **body: Any) -> None:
    """One more event, before the last, which says that the study is finished."""
    changed(home, "UPDATE events SET seq = seq + 1 WHERE kind = 'Closed'")
    seq = "(SELECT max(seq) - 1 FROM events)"
    changed(home, f"INSERT INTO events VALUES ({seq}, 1e9, ?, ?)", kind, json.dumps(body))


BIRTH = {"id": 6, "genes": {"lr": 1e-3, "wd": 0.01, "mom": 0.5}, "origin": "random"}
METRIC = {"individual": 0, "metrics": {"top1": float("nan")}}
SENSELESS: list[tuple[str, dict[str, Any], str]] = [
    ("Started", {"individual": 99}, "individual 99 that was never born"),
    ("Scored", {"individual": 99, "fitness": 0.5}, "individual 99 that was never born"),
    ("Judged", {"individual": -1, "metrics": {}}, "individual -1 that was never born"),
    ("Granted", {"individuals": [99], "share": 1.0}, "individual 99 that was never born"),
    ("Granted", {"individuals": [0], "share": 2.0}, "share is 2.0"),
    ("Scored", {"individual": 0, "fitness": float("nan")}, "'Scored' that cannot be read"),
    ("Scored", {"individual": 0, "fitness": 1e308}, "'Scored' that cannot be read"),
    ("Scored", {"individual": 0, "fitness": "nan"}, "'Scored' that cannot be read"),
    ("Scored", {"individual": 0, "fitness": 0.5, "epochs": -1}, "epochs is -1"),
    ("Scored", {"individual": 0, "fitness": 0.5, "seconds": float("inf")}, "seconds is inf"),
    ("Scored", {"individual": 0, "fitness": 0.5, "share": 0}, "share is 0"),
    ("Failed", {"individual": 0, "reason": "error", "epochs": 10**40}, "epochs is 1000"),
    ("Failed", {"individual": 0, "reason": "bad luck"}, "'Failed' that cannot be read"),
    ("Reported", METRIC | {"epoch": 1}, "finite number"),
    ("Reported", {"individual": 0, "epoch": -1, "metrics": {}}, "epoch is -1"),
    ("Bred", {"generation": 2, "births": [BIRTH | {"id": 3}]}, "individual 3 twice"),
    ("Bred", {"generation": 2, "births": [BIRTH, BIRTH]}, "individual 6 twice"),
    ("Bred", {"generation": 2, "births": [BIRTH | {"id": 10**30}]}, "id is 1000"),
    ("Bred", {"generation": 2, "births": [BIRTH | {"parents": [77]}]}, "individual 77 that was never born"),
    ("Bred", {"generation": 2, "births": [BIRTH | {"origin": "repeat"}]}, "of 0 parents"),
    ("Bred", {"generation": 2, "births": [BIRTH | {"trial": -1}]}, "-1 as a trial"),
    ("Bred", {"generation": 2, "births": [BIRTH | {"genes": {"lr": [1]}}]}, "[1] as the gene 'lr'"),
    ("Bred", {"generation": 2, "births": [BIRTH | {"genes": {"lr": float("inf")}}]}, "inf as the gene 'lr'"),
    ("Bred", {"generation": 7, "births": [BIRTH]}, "generation 7 after generation 1"),
    ("Bred", {"generation": 0, "births": [BIRTH]}, "generation 0 after generation 1"),
    ("Bred", {"generation": 2, "births": [BIRTH], "survivors": [55]}, "individual 55 that was never born"),
    ("Recalled", {"study": "x", "genes": [{}], "fitness": []}, "1 individuals and 0 scores"),
    ("Exploded", {}, "'Exploded' that this version does not know"),
]


def test_an_event_that_does_not_follow_is_one_sentence() -> None:
    for kind, body, said in SENSELESS:
        births = [decode("Bred", json.dumps({"generation": n, "births": b}), 1.0) for n, b in enumerate(GENERATIONS)]
        with pytest.raises(StudyError) as raised:
            History([*births, decode(kind, json.dumps(body), 1.0)])
        assert said in str(raised.value)


GENERATIONS = [[BIRTH | {"id": id} for id in range(4)], [BIRTH | {"id": id} for id in (4, 5)]]


@pytest.mark.parametrize("verb", READERS[:-1], ids=" ".join)
def test_every_verb_says_so(study: StudyDir, capfd: pytest.CaptureFixture[str], verb: tuple[str, ...]) -> None:
    put(study, "Scored", individual=99, fitness=0.5)
    before = {path: path.read_bytes() for path in study.path.rglob("*") if path.is_file()}
    code, _, err = invoke(capfd, verb[0], "toy", *verb[1:])
    assert code == 2
    assert err.startswith("gaopt: ")
    assert "individual 99 that was never born" in err
    assert {path: path.read_bytes() for path in study.path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("verb", READERS[:-1], ids=" ".join)
def test_a_gene_that_its_space_cannot_have_is_one_sentence(study: StudyDir, capfd: Any, verb: tuple[str, ...]) -> None:
    put(study, "Bred", generation=2, births=[BIRTH | {"genes": {"lr": "fast", "wd": 0.1, "mom": 0.5}}])
    code, _, err = invoke(capfd, verb[0], "toy", *verb[1:])
    assert (code, len(err.splitlines())) == (2, 1)
    assert "the journal has individual 6 with the gene 'lr', which is 'fast': must be a number" in err


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("body", value) for value in ("", "{", "[" * 100_000, b"\xff\xfe", 5, "null", '{"config": 3}', "9" * 5000)),
        *(("at", value) for value in ("soon", b"\x00", 9e999, -1.0, 1e300)),
        *(("kind", value) for value in (b"Opened", 5, "", "opened")),
    ],
)
def test_a_row_of_rubbish_is_one_sentence(study: StudyDir, column: str, value: Any) -> None:
    changed(study, f"UPDATE events SET {column} = ? WHERE seq = 2", value)
    with pytest.raises(StudyError, match=r"\w+ \w+" if column == "at" else r"study\.db: \w+ \w+"):
        History(Journal(study.journal))


def test_text_that_is_none_is_one_sentence(study: StudyDir) -> None:
    changed(study, "UPDATE events SET body = CAST(x'ff41' AS TEXT) WHERE seq = 2")
    with pytest.raises(StudyError, match="cannot be read"):
        History(Journal(study.journal))


def test_a_schema_that_is_no_text_is_one_sentence(study: StudyDir) -> None:
    content = study.journal.read_bytes()
    study.journal.write_bytes(content.replace(b"CREATE TABLE events", b"CREATE T\xbeBLE events", 1))
    with pytest.raises(StudyError, match="is not a journal of gaopt"):
        Journal(study.journal)


def test_a_field_of_a_later_version_is_passed_over_and_one_of_an_earlier_has_its_default() -> None:
    assert decode("Scored", '{"individual": 0, "fitness": 0.5, "mood": "good"}', 1.0) == Scored(0, 0.5, at=1.0)


@pytest.mark.parametrize(
    "table",
    ["x (a)", "events (seq)", "events (seq INTEGER PRIMARY KEY, kind, body)"],
)
def test_a_database_of_somebody_else_is_refused(tmp_path: Path, table: str) -> None:
    with closing(sqlite3.connect(tmp_path / "study.db", isolation_level=None)) as connection:
        connection.execute(f"CREATE TABLE {table}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute(f"INSERT INTO {table.split()[0]} DEFAULT VALUES")
    with pytest.raises(StudyError, match=r"study\.db"):
        History(Journal(tmp_path / "study.db"))


@pytest.mark.parametrize("size", [0, 1, 99, 100, 511, 4096])
def test_a_journal_that_was_cut_is_refused(study: StudyDir, size: int) -> None:
    os.truncate(study.journal, size)
    with pytest.raises(BadInput, match=r"study\.db"):
        History(Journal(study.journal))


def test_what_is_no_file_is_no_journal_and_never_waited_for(
    results: Path, study: StudyDir, capfd: pytest.CaptureFixture[str]
) -> None:
    makers = {"pipe": os.mkfifo, "folder": os.mkdir, "circle": lambda path: os.symlink("study.db", path)}
    for name, make in makers.items():
        (results / name).mkdir()
        make(results / name / "study.db")
        for verb in READERS:
            code, _, err = invoke(capfd, verb[0], name, *verb[1:])
            assert code == 2
            assert f"no study '{name}'" in err
    code, out, _ = invoke(capfd, "list", "--json")
    assert code == 0
    assert [each["study"] for each in json.loads(out)] == ["toy"]


def test_a_name_that_no_file_can_have_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    for verb in ["status", "report", "resume", "compare", "reproduce", "run", "train"]:
        for name in ["x" * 5000, "a/" * 3000, "é" * 200, "\udcff", "..", "/", ""]:
            if name == "" and verb in ("run", "train", "reproduce"):
                name = " "
            code, _, err = invoke(capfd, verb, name)
            assert code == 2
            assert err.startswith("gaopt: ")
            assert len(err) < 2000


def test_a_lock_that_is_a_pipe_is_not_waited_for(study: StudyDir) -> None:
    lock = study.path / "study.lock"
    lock.unlink(missing_ok=True)
    os.mkfifo(lock)
    assert not held(study.path)


def test_a_journal_in_another_mode_of_sqlite_is_read(study: StudyDir) -> None:
    with closing(sqlite3.connect(study.journal)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert len(History(Journal(study.journal)).individuals) == 6


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_journal_that_may_not_be_read_is_one_sentence(study: StudyDir) -> None:
    study.journal.chmod(0)
    with pytest.raises(StudyError, match=r"study\.db"):
        Journal(study.journal)


@pytest.mark.parametrize(("seq", "other"), [(3, 2**63 - 1), (1, -1), (3, 4)])
def test_a_journal_with_other_numbers_is_read_and_not_gone_on_with(
    study: StudyDir, seq: int, other: int, capfd: pytest.CaptureFixture[str]
) -> None:
    changed(study, "DELETE FROM events WHERE seq > 3")
    changed(study, "UPDATE events SET seq = ? WHERE seq = ?", other, seq)
    before = study.journal.read_bytes()
    assert len(list(Journal(study.journal).since(-2))) == 3
    code, _, err = invoke(capfd, "resume", "toy")
    assert (code, "Traceback" in err) == (2, False)
    with pytest.raises(StudyError, match="cannot be gone on with: it has 3 events, numbered from"):
        Journal(study.journal, write=True)
    assert study.journal.read_bytes() == before


def test_a_damage_that_an_event_meets_is_one_sentence(study: StudyDir) -> None:
    with Journal(study.journal, write=True) as journal:
        content = bytearray(study.journal.read_bytes())
        content[24:28] = b"abcd"  # the counter of changes: what SQLite remembers of the file holds no more
        for page in range(4096, len(content), 4096):
            content[page : page + 100] = bytes([255]) * 100
        study.journal.write_bytes(content)
        with pytest.raises(StudyError, match="cannot be written: database disk image is malformed"):
            journal.append(Scored(0, 0.5))


@pytest.mark.parametrize("config", [None, {}, {"space": {}}, {"study": 3}])
def test_a_config_that_is_none_is_not_compared(study: StudyDir, config: Any, capfd: pytest.CaptureFixture[str]) -> None:
    other = StudyDir(Path(shutil.copytree(study.path, study.path.with_name("other"))))
    if config is None:
        changed(other, "DELETE FROM events")
    else:
        body = {"config": config, "version": "1", "host": "h", "pid": 1}
        changed(other, "UPDATE events SET body = ? WHERE kind = 'Opened'", json.dumps(body))
    code, _, err = invoke(capfd, "compare", "toy", "other")
    assert (code, len(err.splitlines())) == (2, 1), err


@pytest.mark.parametrize("call", ["driver", "reader"])
def test_a_file_system_without_locks_is_one_sentence(
    study: StudyDir, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def none(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    Journal(study.journal, write=True).close()
    monkeypatch.setattr(fcntl, "flock", none)
    if call == "reader":
        assert not held(study.path)
    else:
        with pytest.raises(StudyError, match=r"study\.lock cannot be locked: No locks available"):
            Journal(study.journal, write=True)


def test_a_journal_whose_tables_are_described_in_no_text_is_one_sentence(study: StudyDir, capfd: Any) -> None:
    content = study.journal.read_bytes()
    assert b"CREATE TABLE events" in content
    study.journal.write_bytes(content.replace(b"CREATE TABLE events (\n", b"CREATE TABLE events (\xff", 1))
    code, _, err = invoke(capfd, "status", "toy")
    assert (code, len(err.splitlines()), "is not a journal of gaopt: " in err) == (2, 1, True)
