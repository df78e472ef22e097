"""Who holds a study or a comparison: one driver at a time, by a lock that the kernel frees when its holder dies."""

import fcntl
import os
import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from gaopt.errors import StudyError

PATIENCE = 0.5  # seconds that a driver waits for the lock: a reader may be asking at this moment whether it is held


_LOCKED_BY = re.compile(r"process ([0-9]+) on (.+)")
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK
"""A study may be somebody else's: its lock file is no link to what would be emptied, and no pipe that is waited for."""


class StudyLock:
    """A study held by this process, from its making until `release`. The lock file says by whom, while it is locked."""

    def __init__(self, folder: Path) -> None:
        """A StudyError where another process holds the study, with its number and machine; or nobody can lock it."""
        try:
            self._file = os.open(_lock_file(folder), os.O_RDWR | os.O_CREAT | _FILE, 0o644)
        except OSError as error:
            raise StudyError(f"{_lock_file(folder)} cannot be written: {error.strerror}") from error
        try:
            self._take(folder)
        except BaseException:
            self.release()
            raise
        _held.add(self)
        with suppress(OSError):  # on a full disk: the lock itself needs no room
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)

    def _take(self, folder: Path) -> None:
        deadline = time.monotonic() + PATIENCE
        try:
            while not _locked(self._file, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise _in_use(folder)
                time.sleep(0.05)
        except OSError as error:  # a file system without locks, say
            raise StudyError(f"{_lock_file(folder)} cannot be locked: {error.strerror}") from error

    def release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


_held: WeakSet[StudyLock] = WeakSet()


def _let_go() -> None:
    """In a process that an objective forked: the lock is of the file that both have open, and outlives its holder."""
    for hold in list(_held):
        hold.release()


os.register_at_fork(after_in_child=_let_go)


def held(folder: Path) -> bool:
    """Whether a driver holds the study in this folder now."""
    try:
        file = os.open(_lock_file(folder), os.O_RDONLY | _FILE)
    except OSError:
        return False
    try:
        return not _locked(file, fcntl.LOCK_SH)  # shared: readers do not take each other for a driver
    except OSError:  # nobody can lock it
        return False
    finally:
        os.close(file)


def holder(folder: Path) -> int | None:
    """The number of the process of this machine that holds the study; None where there is none, or it cannot be told.

    The lock file may be a stranger's, and name any process: the one that is meant has the file open.
    """
    try:
        lock = os.stat(_lock_file(folder), follow_symlinks=False)
        pid, host = _LOCKED_BY.fullmatch(_said(folder)).groups()  # type: ignore[union-attr]
        opened = [os.stat(file) for file in Path("/proc", pid, "fd").iterdir() if file.exists()]
    except (AttributeError, OSError):
        return None
    here = host == socket.gethostname() and any(os.path.samestat(lock, each) for each in opened)
    return int(pid) if here and held(folder) else None


def check_free(folder: Path) -> None:
    """Refuse a folder that a driver holds now, as `StudyLock` would."""
    if held(folder):
        raise _in_use(folder)


def _in_use(folder: Path) -> StudyError:
    holder = _said(folder)
    return StudyError(f"{folder.name!r} is in use{holder and f' by {holder}'}")


def _said(folder: Path) -> str:
    """What the lock file says; "" where it cannot be read."""
    with suppress(OSError), open(os.open(_lock_file(folder), os.O_RDONLY | _FILE), "rb") as file:
        return file.read(300).decode("utf-8", "replace")
    return ""


def _locked(file: int, kind: int) -> bool:
    """An OSError where there are no locks to be had."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_file(folder: Path) -> Path:
    return folder / "study.lock"
