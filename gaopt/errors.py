"""Every error that gaopt raises on purpose. A `BadInput` is told in one sentence, with exit code 2."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from difflib import get_close_matches


class GaoptError(Exception):
    """The root of all of them."""


class BadInput(GaoptError):  # noqa: N818 - named for what the user reads
    """What the user gave cannot be used. The message says what is wrong, the value, and what is allowed."""


class ConfigError(BadInput):
    """A key or a value of the config."""


class DataError(BadInput):
    """A data set or an image."""


class StudyError(BadInput):
    """A study on disk."""


class Diverged(GaoptError):  # noqa: N818
    """The loss became NaN or infinite, or nothing is learnt: the individual fails, the search goes on.

    Attributes:
        epochs: trained, where it ended after an epoch; 0 where it ended within one.
    """

    epochs = 0

    def __init__(self, message: str, epochs: int = 0) -> None:
        super().__init__(message)
        self.epochs = epochs


class Undecided(GaoptError):  # noqa: N818
    """The losses of a range test show no learning rate that could be suggested."""


class Hopeless(GaoptError):  # noqa: N818
    """Nearly all trainings fail, from the first or of late. The study can be resumed once that is mended."""


class Unwritable(GaoptError):  # noqa: N818
    """What must be written down cannot be. Nothing is half written; the study can be resumed once there is room."""


class Unjudged(GaoptError):  # noqa: N818
    """The search is done, and its best individual could not be measured on the test split. Resuming tries again."""


class Lost(GaoptError):  # noqa: N818
    """What trains is not there, or no longer. The study can be resumed, there or elsewhere."""


class Cancelled(GaoptError):  # noqa: N818
    """Raised inside an objective, by its report, when nobody waits for its score any more."""


class Stopped(GaoptError):  # noqa: N818
    """A signal asked the search to stop.

    Attributes:
        signal: the number of the signal; the exit code is 128 + signal.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(f"stopped by signal {signal}")
        self.signal = signal


def told(error: BaseException) -> bool:
    """Whether a search ends because somebody told it to: by a signal, or by reading its output no more."""
    return isinstance(error, Stopped | KeyboardInterrupt | BrokenPipeError)


NO_ROOM = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS),
    *(errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.EREMOTEIO),
)
"""What the system calls the faults of a disk: full, over a quota, a file too large, read-only; broken, gone."""


def of_disk(error: BaseException) -> bool:
    """Whether an exception, or what it was raised from, comes of a disk that takes nothing more.

    Its number and its path say so, not its words: torch says "No space left on device" of shared memory, too, and
    anybody's exception may mention a disk.
    """
    seen: list[BaseException] = []  # an exception may be raised from itself
    told: BaseException | None = error
    while told and all(told is not each for each in seen):
        seen.append(told)
        told = told.__cause__
    return any(map(_of_disk, seen))


def _of_disk(error: BaseException) -> bool:
    if isinstance(error, OSError):
        path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        return error.errno in NO_ROOM and not path.startswith("/dev/")  # shared memory, a GPU
    return getattr(error, "sqlite_errorcode", 0) == _SQLITE_FULL


_SQLITE_FULL = 13


def out_of_memory(error: BaseException) -> bool:
    """torch's OutOfMemoryError and Python's MemoryError, without importing torch; on a CPU torch has only words."""
    spoken = any(words in str(error) for words in ("out of memory", "can't allocate memory"))
    return spoken or "Memory" in type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the nearest known one, or all of them."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(names)) or 'none'}"
