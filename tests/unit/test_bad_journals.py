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

READERS = ["status toy", "status toy --json", "report toy", "resume toy", "export toy --to csv"]


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
SENSELESS: list[tuple[str, dict[str, Any], str]] = [
    ("Scored", {"individual": 99, "fitness": 0.5}, "individual 99 that was never born"),
    ("Granted", {"individuals": [99], "share": 1.0}, "individual 99 that was never born"),
    ("Granted", {"individuals": [0], "share": 2.0}, "share is 2.0"),
    ("Scored", {"individual": 0, "fitness": float("nan")}, "'Scored' that cannot be read"),
    ("Scored", {"individual": 0, "fitness": "nan"}, "'Scored' that cannot be read"),
    ("Scored", {"individual": 0, "fitness": 0.5, "epochs": -1}, "epochs is -1"),
    ("Scored", {"individual": 0, "fitness": 0.5, "seconds": float("inf")}, "seconds is inf"),
    ("Failed", {"individual": 0, "reason": "bad luck"}, "'Failed' that cannot be read"),
    ("Reported", {"individual": 0, "metrics": {"top1": float("nan")}, "epoch": 1}, "finite number"),
    ("Bred", {"generation": 2, "births": [BIRTH, BIRTH]}, "individual 6 twice"),
    ("Bred", {"generation": 2, "births": [BIRTH | {"parents": [77]}]}, "individual 77 that was never born"),
    ("Bred", {"generation": 2, "births": [BIRTH | {"genes": {"lr": float("inf")}}]}, "births[0].genes.lr"),
    ("Bred", {"generation": 7, "births": [BIRTH]}, "generation 7 after generation 1"),
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


def test_every_verb_says_so_and_writes_nothing(study: StudyDir, capfd: pytest.CaptureFixture[str]) -> None:
    put(study, "Scored", individual=99, fitness=0.5)
    before = {path: path.read_bytes() for path in study.path.rglob("*") if path.is_file()}
    for command in READERS:
        code, _, err = invoke(capfd, *command.split())
        assert (code, len(err.splitlines())) == (2, 1)
        assert "individual 99 that was never born" in err
    assert {path: path.read_bytes() for path in study.path.rglob("*") if path.is_file()} == before


def test_a_row_of_rubbish_is_one_sentence(study: StudyDir) -> None:
    whole = study.journal.read_bytes()
    for column, value in (
        *(("body", value) for value in ("", "{", "[" * 100_000, b"\xff\xfe", "null", '{"config": 3}')),
        *(("at", value) for value in ("soon", 9e999)),
        *(("kind", value) for value in (5, "opened")),
    ):
        study.journal.write_bytes(whole)
        changed(study, f"UPDATE events SET {column} = ? WHERE seq = 2", value)
        with pytest.raises(StudyError, match=r"\w+ \w+"):
            History(Journal(study.journal))


def test_a_field_of_a_later_version_is_passed_over_and_one_of_an_earlier_has_its_default() -> None:
    assert decode("Scored", '{"individual": 0, "fitness": 0.5, "mood": "good"}', 1.0) == Scored(0, 0.5, at=1.0)


def test_a_journal_that_was_cut_is_refused(study: StudyDir) -> None:
    for size in (4096, 511, 0):
        os.truncate(study.journal, size)
        with pytest.raises(BadInput, match=r"study\.db"):
            History(Journal(study.journal))


def test_a_journal_in_another_mode_of_sqlite_is_read(study: StudyDir) -> None:
    with closing(sqlite3.connect(study.journal)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert len(History(Journal(study.journal)).individuals) == 6


def test_a_journal_with_other_numbers_is_read_and_not_gone_on_with(study: StudyDir) -> None:
    changed(study, "DELETE FROM events WHERE seq > 3")
    changed(study, "UPDATE events SET seq = ? WHERE seq = 3", 2**63 - 1)
    before = study.journal.read_bytes()
    assert len(list(Journal(study.journal))) == 3
    with pytest.raises(StudyError, match="cannot be gone on with: it has 3 events, numbered from"):
        Journal(study.journal, write=True)
    assert study.journal.read_bytes() == before


def test_a_file_system_without_locks_is_one_sentence(study: StudyDir, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    assert not held(study.path)
    with pytest.raises(StudyError, match=r"study\.lock cannot be locked: No locks available"):
        Journal(study.journal, write=True)
