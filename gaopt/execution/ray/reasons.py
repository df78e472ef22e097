"""Why a training failed, by what Ray raises for it."""

from __future__ import annotations

import ray.exceptions as lost

from gaopt.execution import worker
from gaopt.journal.events import Reason


def reason(error: Exception) -> Reason:
    """The kind of a failure."""
    if isinstance(error, lost.OutOfMemoryError):
        return "out of memory"
    if isinstance(error, lost.NodeDiedError):
        return "node lost"
    told = worker.reason(error)
    of_training = isinstance(error, _RAISED) or not isinstance(error, lost.RayError) or _of_data(error)
    return told if of_training or told != "error" else "killed"  # what goes wrong in Ray says nothing of the genes


_RAISED = (lost.RayTaskError, lost.UserCodeException, lost.UnserializableException)
"""Ray's errors that stand for an exception of a training's."""


def _of_data(error: lost.RayError) -> bool:
    """Whether an exception, or what was prepared, does not pickle: Ray's root of errors, or one with a traceback."""
    return type(error) is lost.RayError or bool(getattr(error, "traceback_str", None))
