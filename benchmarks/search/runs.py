"""The runs on disk, one a row: a benchmark that was interrupted goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.search import csv_log
from benchmarks.search.measure import MARKS, Case, Run
from benchmarks.search.problems import role
from gaopt.errors import BadInput

NAME = "runs.csv"
COLUMNS = (
    "search", "problem", "seed", "together", "noise", "evaluations", "epochs", "seconds",
    *(f"regret{mark}" for mark in MARKS),
)  # fmt: skip


def read(path: Path) -> dict[Case, Run]:
    """The runs of a file by their cases; of two of a case the later.

    Raises:
        BadInput: the file is not of this form.
    """
    try:
        return {run.case: run for run in map(_run, csv_log.read(path, COLUMNS))}
    except ValueError as error:
        raise BadInput(f"{path} has a row that is not a run: {error}") from None


@contextmanager
def appending(path: Path) -> Iterator[Callable[[Run], None]]:
    """What appends a run to a file, which is held for this process alone.

    Raises:
        BadInput: another process holds the file, or it cannot be written.
    """
    with csv_log.appending(path, COLUMNS) as append:
        yield lambda run: append(_row(run))


def _row(run: Run) -> tuple[object, ...]:
    case = run.case
    named = (case.search, case.problem, case.seed, case.together, f"{case.noise:g}")
    return *named, run.evaluations, run.epochs, *(f"{figure:.6f}" for figure in (run.seconds, *run.regrets))


def _run(row: list[str]) -> Run:
    search, problem, seed, together, noise, evaluations, epochs, seconds, *regrets = row
    role(problem)  # or it is none
    case = Case(search, problem, int(seed), int(together), float(noise))
    return Run(case, int(evaluations), int(epochs), float(seconds), tuple(map(float, regrets)))
