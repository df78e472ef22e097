import math
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaopt.errors import StudyError, Unwritable
from gaopt.journal.events import (
    LARGEST,
    Birth,
    Bred,
    Closed,
    Data,
    Event,
    Failed,
    Granted,
    Judged,
    Opened,
    Reported,
    Retried,
    Scored,
    Started,
    decode,
    encode,
    finite,
)
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.lock import held

EVENTS: list[Event] = [
    Opened({"study": {"seed": 1}, "space": {"lr": {"low": 1e-6, "high": 1e-2}}}, "0.1.0", "host", 7),
    Bred(0, (Birth(0, {"lr": 0.1}, "random"), Birth(1, {"lr": 0.2}, "mutation", (0,), 1)), (3, 4)),
    Started(0),
    Reported(0, 1, {"top1": 0.5}, ((0.1, 1e-3, 0.9), (0.2, 2e-3, 0.8))),
    Scored(0, 0.123456789012345, {"top1": 0.1}, 3, 1.5),
    Failed(1, "diverged", "the loss was nan – ünïcode\n'quoted'", 0.5),
    Failed(1, "error", "ValueError: no", 0.5, 2, "Traceback …"),
    Retried(1, "killed", "WorkerCrashedError: it died", 0.5),
    Judged(0, {"top1": 0.9}),
    Opened({}, "0.6.0", "host", 7, data=Data("pets", ("cat", "dog"), {"train": (3, 1)}, {"train": "seen"}, ("few",))),
    Closed("finished"),
]


def test_an_event_comes_back_as_it_was() -> None:
    for event in EVENTS:
        assert decode(*encode(event), at=event.at) == event


@given(st.floats(-LARGEST, LARGEST), st.text())
def test_numbers_and_texts_come_back_exactly(number: float, text: str) -> None:
    for event in (Scored(0, number, {text: number}), Failed(0, "error", text)):
        kind, body = encode(event)
        body.encode("utf-8", "surrogatepass")
        assert decode(kind, body, at=0.0) == event


def test_what_is_not_finite_is_left_out_of_metrics() -> None:
    assert finite({"a": 1.0, "b": math.nan, "c": math.inf, "d": -1.7e308}) == {"a": 1.0}


def test_a_journal_keeps_its_events_in_order_and_stamps_them(tmp_path: Path) -> None:
    ticks = iter(range(100, 0, -1))  # a clock that runs backwards does not change the order
    with Journal(tmp_path / "study.db", write=True, clock=lambda: float(next(ticks))) as journal:
        for event in EVENTS:
            journal.append(event)
    found = list(Journal(tmp_path / "study.db"))
    assert [type(event) for event in found] == [type(event) for event in EVENTS]
    assert [event.at for event in found] == [float(t) for t in range(100, 100 - len(EVENTS), -1)]


def test_readers_come_at_any_time(tmp_path: Path) -> None:
    with Journal(tmp_path / "study.db", write=True) as journal:
        journal.append(EVENTS[0])
        reader = Journal(tmp_path / "study.db")
        assert [type(event) for event in reader] == [Opened]
        journal.append(EVENTS[1])
        assert [type(event) for event in reader] == [Opened, Bred]


def begun(path: Path) -> Path:
    """A journal of one event."""
    path.parent.mkdir(exist_ok=True)
    with Journal(path, write=True) as journal:
        journal.append(EVENTS[0])
    return path


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    reader = Journal(begun(tmp_path / "study.db"))
    with pytest.raises(Unwritable, match=r"study.db cannot be written: attempt to write a readonly database"):
        reader.append(EVENTS[0])
    assert len(list(reader)) == 1


def test_a_journal_whose_folder_was_removed_says_so(tmp_path: Path) -> None:
    with Journal(begun(tmp_path / "study" / "study.db"), write=True) as journal:
        shutil.rmtree(tmp_path / "study")
        with pytest.raises(Unwritable, match=r"study.db cannot be written: it was removed or moved while"):
            journal.append(EVENTS[1])


def test_a_journal_is_there_from_its_first_event_on(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with Journal(path, write=True) as journal:
        assert not list(journal)
        assert not path.exists()
        for event in EVENTS:
            journal.append(event)
            assert [type(each) for each in Journal(path)] == [type(each) for each in journal]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["study.db", "study.lock"]


def test_a_journal_without_an_event_leaves_nothing_behind(tmp_path: Path) -> None:
    Journal(tmp_path / "study.db", write=True).close()
    assert [each.name for each in tmp_path.iterdir()] == ["study.lock"]


def test_readers_do_not_take_each_other_for_a_driver(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "study.db"
    Journal(path, write=True).close()
    path.with_name("study.lock").chmod(0o444)
    with open(path.with_name("study.lock")) as other:
        fcntl.flock(other, fcntl.LOCK_SH)  # as `held` does
        assert not held(tmp_path)


def test_a_second_writer_is_told_who_holds_the_study(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with Journal(path, write=True):  # before it has written anything
        assert held(tmp_path)
        with pytest.raises(StudyError, match=f"is in use by process {os.getpid()} on {socket.gethostname()}"):
            Journal(path, write=True)
        assert held(tmp_path)
    assert not held(tmp_path)
    Journal(path, write=True).close()


HOLDS = """
import os, sys, time
from pathlib import Path
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
journal = Journal(Path(sys.argv[1]), write=True)
child = os.fork()
print(child, flush=True) if child else time.sleep(600)
input()
"""


def test_a_killed_holder_blocks_nobody_although_a_process_that_it_forked_lives(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with subprocess.Popen([sys.executable, "-c", HOLDS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        child = int(holder.stdout.readline())
        try:
            with pytest.raises(StudyError, match=f"is in use by process {holder.pid} on "):
                Journal(path, write=True)
            holder.kill()
            holder.wait()
            deadline = time.monotonic() + 30
            while held(tmp_path) and time.monotonic() < deadline:
                time.sleep(0.01)  # the child may not have run since it was forked
            with Journal(path, write=True), pytest.raises(StudyError, match=f"is in use by process {os.getpid()} on "):
                Journal(path, write=True)
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_second_writer_that_got_past_the_lock_ends_the_first_and_spoils_nothing(tmp_path: Path) -> None:
    path = begun(tmp_path / "study.db")
    with Journal(path, write=True) as journal:
        (tmp_path / "study.lock").unlink()  # as somebody does who thinks that it was left behind
        with Journal(path, write=True) as other:
            other.append(EVENTS[1])
            with pytest.raises(StudyError, match="was written to by another process"):
                journal.append(EVENTS[2])
            other.append(EVENTS[3])
    assert [type(event) for event in Journal(path)][-2:] == [type(EVENTS[1]), type(EVENTS[3])]


def test_what_is_no_journal_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with pytest.raises(StudyError, match="no journal"):
        Journal(path)
    path.write_bytes(b"this is not a database, but long enough to look like one " * 40)
    before = path.read_bytes()
    for write in (False, True):
        with pytest.raises(StudyError, match="is not a journal of gaopt"):
            Journal(path, write=write)
    assert path.read_bytes() == before


def test_a_journal_from_the_future_is_refused(tmp_path: Path) -> None:
    path = begun(tmp_path / "study.db")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for write in (False, True):
        with pytest.raises(StudyError, match="format 99"):
            Journal(path, write=write)


def test_an_outline_is_all_that_is_to_be_known_of_what_is_being_trained(tmp_path: Path) -> None:
    births = tuple(Birth(n, {"lr": 0.1 * n}, "random", share=0.5) for n in range(5))
    with Journal(tmp_path / "study.db", write=True) as journal:
        journal.add(Bred(0, births))
        for id in range(4):
            journal.add(Started(id))
            journal.add(Reported(id, 1, {}))
        journal.add(Scored(0, 0.5, share=0.5))
        journal.add(Failed(1, "diverged"))
        journal.add(Retried(2, "killed"))
        journal.add(Granted((0,), 1.0))
        for id in (2, 0):
            journal.add(Started(id))
            journal.add(Reported(id, 2, {}))
        journal.commit()
    with Journal(tmp_path / "study.db") as journal:
        whole, outline = History(journal), History(journal.outline())
        assert sum(isinstance(event, Started | Reported) for event in journal.outline()) == 6, (
            "none of those that are over"
        )
    for id in (0, 2, 3, 4):
        assert outline.individuals[id] == whole.individuals[id]
    assert [i.id for i in outline.running] == [i.id for i in whole.running] == [0, 2, 3]
    assert outline.individuals[1].failure == whole.individuals[1].failure
