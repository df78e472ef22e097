"""One run, how it is measured, and the runs on disk: a benchmark that was interrupted goes on where it was."""

from __future__ import annotations

import math
import multiprocessing
import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import pandas as pd

from benchmarks.search import csv_log, problems
from benchmarks.search.problems import Problem, role
from benchmarks.search.protocol import Search, Setting, Trial
from benchmarks.search.searches import SEARCHES
from gaopt.errors import BadInput
from gaopt.space.space import Genes
from gaopt.strategies.surrogate.gp import one_thread

MARKS = (10, 20, 30, 40, 50)
"""After so many full trainings, or as many epochs, the regret is taken."""


@dataclass(frozen=True)
class Case:
    """What tells a run from every other one.

    Attributes:
        seed: the number of the run, from 0.
        together: trained at once, after a first generation of ten or more.
        noise: the standard deviation in points of accuracy that is added to what the search sees.
        evaluations: full trainings that the search may pay for; a short one costs its share of epochs.
    """

    search: str
    problem: str
    seed: int
    together: int
    noise: float = 0.0
    evaluations: int = MARKS[-1]


@dataclass(frozen=True)
class Run:
    """How a case went.

    Attributes:
        epochs: trained in all.
        seconds: of computing time for each suggestion, telling included.
        regrets: of the true score of what the search held for the best, at each of the `MARKS`; nan past the last.
    """

    case: Case
    epochs: int
    seconds: float
    regrets: tuple[float, ...]


def measured(case: Case, problem: Problem) -> Run:
    setting = Setting(problem.space, problem.epochs, case.evaluations, case.together, seed_of(case), case.noise > 0)
    search = SEARCHES[case.search](setting)
    curve = Curve(problem, case.noise, random.Random(f"noise {setting.seed}"))  # none that a search draws from
    seconds, start = 0.0, time.process_time()
    while curve.epochs < case.evaluations * problem.epochs and (trials := search.ask()):
        seconds += time.process_time() - start
        scores = [curve.add(trial) for trial in trials]
        start = time.process_time()
        search.tell(scores)
        curve.agree(search)
    regrets = tuple(curve.at(m * problem.epochs) if m <= case.evaluations else math.nan for m in MARKS)
    seconds = (seconds + search.seconds) / max(1, curve.trainings)
    return Run(case, curve.epochs, seconds, regrets)


def seed_of(case: Case) -> int:
    """The same for every search, another for every problem."""
    return zlib.crc32(f"{case.problem} {case.seed}".encode())


@dataclass
class Curve:
    """The regret of what the search holds for the best, after every training.

    Attributes:
        epochs: trained so far.
    """

    problem: Problem
    noise: float
    rng: random.Random
    epochs: int = 0
    _points: list[tuple[int, float]] = field(default_factory=list)
    _best: float = -math.inf
    _regret: float = 1.0  # of nobody: what the median of random genes has

    @property
    def trainings(self) -> int:
        return len(self._points)

    def add(self, trial: Trial) -> float:
        """The score that the search is to see."""
        seen = self.problem.seen(trial.genes, trial.epochs, self.noise, self.rng)
        self.epochs += trial.epochs
        if trial.epochs == self.problem.epochs and seen > self._best:
            self._best, self._regret = seen, self._true(trial.genes)
        self._points.append((self.epochs, self._regret))
        return seen

    def agree(self, search: Search) -> None:
        """Put what the search itself would recommend in the place of the best that was seen."""
        if (genes := search.recommended()) is not None:
            self._points[-1] = (self.epochs, self._true(genes))

    def at(self, epochs: int) -> float:
        """The regret when no more than so many epochs were spent."""
        return [1.0, *(regret for spent, regret in self._points if spent <= epochs)][-1]

    def _true(self, genes: Genes) -> float:
        """nan, where one seed of a row failed, is as bad as nobody."""
        regret = self.problem.regret(self.problem.score(genes, self.problem.epochs))
        return 1.0 if math.isnan(regret) else regret


NAME = "runs.csv"
CASE = tuple(field.name for field in fields(Case))
COLUMNS = (*CASE, "epochs", "seconds", *(f"regret{mark}" for mark in MARKS))
TYPES = {"seed": int, "together": int, "evaluations": int, "epochs": int}


def read(path: Path) -> pd.DataFrame:
    """The runs of a file, a row each, and the regret after the last training; of two of a case the later."""
    found = pd.DataFrame(csv_log.read(path, COLUMNS), columns=COLUMNS).replace("", math.nan)
    try:
        found = found.astype({name: TYPES.get(name, float) for name in COLUMNS[2:]})
        found["role"] = [role(problem) for problem in found.problem]
        found["regret"] = [row[f"regret{row.evaluations}"] for _, row in found.iterrows()]
    except ValueError as error:
        raise BadInput(f"{path} has a row that is not a run: {error}") from None
    return found.drop_duplicates([*CASE], keep="last", ignore_index=True)


def row(run: Run) -> tuple[object, ...]:
    """As `COLUMNS` has it."""
    case = run.case
    named = (case.search, case.problem, case.seed, case.together, f"{case.noise:g}", case.evaluations)
    figures = ("" if math.isnan(figure) else f"{figure:.6f}" for figure in (run.seconds, *run.regrets))
    return *named, run.epochs, *figures


def cases(
    searches: Sequence[str],
    names: Sequence[str],
    seeds: int,
    togethers: Sequence[int],
    noise: float,
    evaluations: int = MARKS[-1],
) -> list[Case]:
    """Seed by seed, so that a benchmark that was interrupted has as many runs of each search and problem."""
    each = (
        Case(search, problem, seed, together, noise, evaluations)
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
    there = {Case(*row) for row in read(path)[[*CASE]].itertuples(index=False)}
    missing = [case for case in wanted if case not in there]
    tell(f"{len(wanted) - len(missing)} of {len(wanted)} runs are there, {len(missing)} to go")
    if not missing:
        return
    Measurer.load({case.problem for case in missing}, data)
    with csv_log.appending(path, COLUMNS) as append:
        for done, ended in enumerate(_ended(missing, data, jobs), 1):
            append(row(ended))
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
