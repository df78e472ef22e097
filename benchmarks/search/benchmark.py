"""All cases of a benchmark: those that are missing are measured, in several processes if asked."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.search import csv_log, problems, runs
from benchmarks.search.problems import Problem
from benchmarks.search.runs import Case, Run, measured
from gaopt.search.surrogate.gp import one_thread


def cases(
    searches: Sequence[str], names: Sequence[str], seeds: int, togethers: Sequence[int], noise: float
) -> list[Case]:
    """Seed by seed, so that a benchmark that was interrupted has as many runs of each search and problem."""
    each = (
        Case(search, problem, seed, together, noise)
        for seed in range(seeds)
        for together in togethers
        for problem in names
        for search in searches
    )
    return list(dict.fromkeys(each))  # what is named twice is measured once


def run(path: Path, wanted: Sequence[Case], data: Path | None, jobs: int, tell: Callable[[str], None]) -> None:
    """Measure the cases that the file of runs does not have, and append each as it ends.

    Raises:
        BadInput: the problems cannot be loaded, or the file cannot be read or written.
    """
    there = {Case(*row) for row in runs.read(path)[[*runs.CASE]].itertuples(index=False)}
    missing = [case for case in wanted if case not in there]
    tell(f"{len(wanted) - len(missing)} of {len(wanted)} runs are there, {len(missing)} to go")
    if not missing:
        return
    Measurer.load({case.problem for case in missing}, data)
    with csv_log.appending(path, runs.COLUMNS) as append:
        for done, ended in enumerate(_ended(missing, data, jobs), 1):
            append(runs.row(ended))
            if 100 * done // len(missing) > 100 * (done - 1) // len(missing):  # about a hundred lines
                tell(f"{done} of {len(missing)}, seed {ended.case.seed}: {ended.case.search} on {ended.case.problem}")


def _ended(missing: Sequence[Case], data: Path | None, jobs: int) -> Iterator[Run]:
    if jobs == 1:
        yield from map(Measurer.measured, missing)
        return
    needed = {case.problem for case in missing}
    with multiprocessing.get_context("spawn").Pool(jobs, Measurer.load, (needed, data)) as pool:
        yield from pool.imap_unordered(Measurer.measured, missing)


class Measurer:
    """What each process has once: the problems."""

    _problems: dict[str, Problem] = {}  # noqa: RUF012 - of the process

    @classmethod
    def load(cls, names: Iterable[str], data: Path | None) -> None:
        cls._problems = problems.load(sorted(names), data)

    @classmethod
    def measured(cls, case: Case) -> Run:
        with one_thread():
            return measured(case, cls._problems[case.problem])
