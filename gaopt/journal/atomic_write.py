"""Parts of files: what is written beside a file, by a name that says who writes it, until it is whole."""

import os
import re
from contextlib import suppress
from pathlib import Path

from gaopt.errors import Unwritable

_PART = re.compile(r".+\.(\d+)\.tmp")


def part_of(path: Path) -> Path:
    """Where this process writes a file that is to be whole: of its own, for another may write it as well."""
    return path.with_name(f"{path.name}.{os.getpid()}.tmp")


def replace_file(path: Path, text: str, mode: int = 0o666) -> None:
    """Replace a file whole, with these permissions less the umask: a reader, or a kill, never sees half of it.

    Raises:
        Unwritable: there is no room, say. The file is as it was.
    """
    part = part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        # Never through a link that lies there.
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise Unwritable(f"{path} cannot be written: {error.strerror}") from error


def tidy(folder: Path) -> None:
    """Remove the parts of files that nobody writes any more from a folder, and from none below it."""
    for part in folder.glob("*.tmp"):
        if abandoned(part):
            with suppress(OSError):
                part.unlink()


def abandoned(path: Path) -> bool:
    """Whether it is a part of a file, and nobody on this machine writes it any more.

    In a container a driver may have the number of the one before; its own parts do not outlive `StudyDir.write`.
    """
    named = _PART.fullmatch(path.name)
    return named is not None and (int(named[1]) == os.getpid() or not lives(int(named[1])))


def lives(pid: int) -> bool:
    """Whether there is such a process on this machine."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # another user's
    return True
