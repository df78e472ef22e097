"""The protocol of a pool, and what both pools do with a task: run the objective and pass its outcomes on."""

from __future__ import annotations

import math
import os
import queue
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast
from weakref import WeakSet

from gaopt.errors import BadInput, Cancelled, ConfigError, Diverged, StudyError, Unwritable, of_disk, out_of_memory
from gaopt.execution.process import put_back, release
from gaopt.journal.events import Data, Failed, Judged, Noted, Outcome, Reason, Reported, Scored, decode, encode, finite
from gaopt.objectives.base import Cycle, Objective, Score, Task
from gaopt.space.numbers import given, real, whole


@dataclass(frozen=True)
class Begun:
    """A worker has taken a task up. Nothing that is written down: `Started` was.

    Attributes:
        node: Ray's id of the node that the worker runs on; "" where the task runs in this process.
        pid: of the worker.
    """

    individual: int
    node: str = ""
    pid: int = 0


class Pool(Protocol):
    """Takes tasks while it has room, gives their outcomes back in any order."""

    dashboard: str
    """The address of a page to watch the tasks on; "" if there is none."""
    made_of: Mapping[str, str]
    """Of which its trainings are made, see `Objective.made_of`; empty if nobody knows."""
    data: Data | None
    """The images, see `Objective`; None where there are none."""

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time when nothing else does."""
        ...

    @property
    def room(self) -> int:
        """How many more tasks could start now."""
        ...

    def submit(self, task: Task) -> None: ...

    def wait(self) -> Outcome | Begun | None:
        """The next word of any task: that it has begun, reports while it runs, then exactly one score or failure.

        None when there was none for about a second, so that whoever waits can look up.
        """
        ...

    def cancel(self, individual: int) -> None:
        """End its task, which may hang; nothing comes of it any more."""
        ...

    def stop(self) -> Iterator[Outcome]:
        """End what runs; what it had come to until then. Nothing comes of it any more."""
        ...

    def close(self) -> None:
        """End what runs; nothing comes of it any more."""
        ...


def outcomes(objective: Objective, task: Task) -> Iterator[Outcome]:
    """`watched`, without the pauses."""
    return (outcome for outcome in watched(objective, task, patience=None) if outcome)


def batches(objective: Objective, task: Task) -> Iterator[list[Outcome]]:
    """`outcomes`, those together that have come until they are asked for: each message of Ray's takes a millisecond."""
    results: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
    running = watched(objective, task, patience=None, results=results)
    for outcome in running:
        found: list[Outcome | None] = [outcome]
        while not results.empty():
            found.append(next(running, None))
        yield [each for each in found if each]


def watched(
    objective: Objective,
    task: Task,
    patience: float | None,
    cancelled: threading.Event | None = None,
    grace: float | None = None,
    results: queue.SimpleQueue[Outcome | None] | None = None,
) -> Iterator[Outcome | None]:
    """Run an objective on a task: its reports as they come, then `Scored`, `Judged` or `Failed`.

    The objective runs in a thread of its own, since a training cannot yield. Closing the iterator makes the
    objective's next report raise `Cancelled`, and waits for that, for a process must not train two at once. Where it
    does not come in time, the task is `left_behind`.

    Args:
        patience: seconds after which None comes where nothing else did; None to wait for ever.
        cancelled: set it to end the task without waiting for that.
        grace: seconds to wait, when the iterator is closed, for a task that may hang; None for as long as it takes.
        results: where its outcomes wait to be asked for.
    """
    results = results or queue.SimpleQueue()
    cancelled = cancelled or threading.Event()
    if cancelled.is_set():
        return  # before it has begun
    report = _Reporter(task.individual, results, cancelled)

    def work() -> None:
        try:
            last = _attempt(objective, task, report)
            release(isinstance(last, Failed))
            if last is not None:
                results.put(last)
        finally:
            results.put(None)

    thread = threading.Thread(target=work, name=task.name, daemon=True)
    thread.start()
    try:
        while True:
            try:
                if (outcome := results.get(timeout=patience)) is None:
                    thread.join()  # it has nothing left to do
                    return
                yield outcome
            except queue.Empty:
                yield None
    finally:
        if not cancelled.is_set():
            cancelled.set()
            thread.join(grace)
        _left.add(thread)


_left: WeakSet[threading.Thread] = WeakSet()


def left_behind() -> str:
    """The name of a task of this process for which nobody waits any more and that has not ended yet, or ""."""
    return next((thread.name for thread in _left if thread.is_alive()), "")


class _Reporter:
    """The `Report` that an objective is given.

    Attributes:
        begun: the epoch that is being trained.
    """

    def __init__(self, individual: int, results: queue.SimpleQueue[Outcome | None], cancelled: threading.Event) -> None:
        self._individual, self._results, self._cancelled = individual, results, cancelled
        self.begun = 1

    def __call__(self, epoch: int, metrics: Mapping[str, float], cycle: Cycle = ()) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        points = tuple((real(x), real(lr), real(mom)) for x, lr, mom in cycle)
        known = tuple(point for point in points if all(map(math.isfinite, point)))
        epoch = given("the epoch", epoch, whole)
        told = _writable(Reported(self._individual, epoch, finite(metrics), known))
        self.begun = epoch + 1
        self._results.put(told)

    def note(self, message: str) -> None:
        self._results.put(_writable(Noted(self._individual, cut(str(message), LINE))))


def _attempt(objective: Objective, task: Task, report: _Reporter) -> Outcome | None:
    start = time.monotonic()
    try:
        with put_back():
            found = objective(task, report)
        score = found if isinstance(found, Score) else _bare(found)
        # It came to its end: no epoch was begun beyond. One that tells of none is one.
        report.begun = report.begun - 1 or 1
        epochs = given("the number of epochs", score.epochs, whole) or report.begun
        return _outcome(replace(score, epochs=epochs), task, time.monotonic() - start)
    except Cancelled:
        return None
    except BaseException as error:
        return failure(error, task, time.monotonic() - start, report.begun)


def _bare(found: Any) -> Score:
    try:
        return Score(real(found))
    except ConfigError as error:
        raise ConfigError(f"what the objective returned {error}, or a gaopt.Score") from None


def failure(error: BaseException, task: Task, seconds: float = 0.0, begun: int = 0) -> Failed:
    """What an exception is written down as; `begun` is the epoch that was being trained."""
    try:
        epochs = (error.epochs if isinstance(error, Diverged) else 0) or begun
        told = cut(describe(error), LINE), cut(traced(error), TRACEBACK)
        return cast("Failed", _writable(Failed(task.individual, reason(error), told[0], seconds, epochs, told[1])))
    except Exception:  # an exception that cannot even say what it is
        return Failed(task.individual, "error", type(error).__name__, seconds)


LINE, TRACEBACK, MOST = 2_000, 20_000, 1 << 22
"""Characters of a message, a traceback and a whole outcome. An exception may quote all that it was given."""


def cut(text: str, most: int) -> str:
    """Without its middle where it is too long."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"


def _writable(outcome: Outcome) -> Outcome:
    """As the journal will give it back: what an objective tells may be anything, and must not end the study.

    Raises:
        ConfigError: it cannot be written down.
    """
    try:
        kind, body = encode(outcome)
        if len(body) > MOST:
            raise ValueError(f"it is {len(body)} characters long, and must be at most {MOST}")
        written = decode(kind, body, 0.0)
    except (StudyError, TypeError, ValueError) as error:
        raise ConfigError(f"what the objective told cannot be written down: {error}") from error
    return cast("Outcome", written)


def _outcome(score: Score, task: Task, seconds: float) -> Outcome:
    metrics = finite(score.metrics)
    if task.judge:
        return _writable(Judged(task.individual, metrics))
    fitness = given("the fitness", score.fitness)
    if not finite({"fitness": fitness}):
        raise Diverged(f"the fitness is {fitness}")
    told = given("the number of seconds", score.seconds)
    lasted = told if 0 < told < math.inf else seconds
    fitness = -fitness if task.minimize else fitness
    return _writable(Scored(task.individual, fitness, metrics, score.epochs, lasted))


def reason(error: BaseException) -> Reason:
    """The kind of a failure."""
    if isinstance(error, Diverged):
        return "diverged"
    # Ray's OutOfDiskError, too: what it had to keep did not fit.
    if isinstance(error, Unwritable) or of_disk(error) or "OutOfDisk" in type(error).__name__:
        return "disk"
    return "out of memory" if out_of_memory(error) else "error"


FRAMES = 20
"""Of a traceback are kept: a recursion without end would fill the journal."""


def traced(error: BaseException) -> str:
    """The traceback; "" for what was raised on purpose, and where no code of the user's is in it."""
    if isinstance(error, Diverged) or (isinstance(error, BadInput) and not _users(error)):
        return ""
    return "".join(traceback.format_exception(error, limit=-FRAMES)).rstrip()


def describe(error: BaseException) -> str:
    """One line that says what went wrong and where; of what was given to gaopt where in the user's code."""
    if isinstance(error, Diverged):
        return str(error)
    ours = isinstance(error, BadInput)
    text = str(error) if ours else f"{type(error).__name__}: {error}"
    frames = _users(error) if ours else traceback.extract_tb(error.__traceback__)
    return f"{text} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else text


_OURS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")


def _users(error: BaseException) -> list[traceback.FrameSummary]:
    """Of its traceback what lies outside of gaopt."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_OURS)]
