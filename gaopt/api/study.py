"""A study as Python sees it. Only `resume` and `report` write to it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gaopt.api.callbacks import Callbacks
from gaopt.api.drive import drive
from gaopt.config import SEARCHES
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.lock import held
from gaopt.journal.paths import StudyDir
from gaopt.journal.studies import find_study
from gaopt.report.format import score
from gaopt.space.space import Genes
from gaopt.study.prepare import prepare, resumed
from gaopt.study.progress import Progress, current, progress

if TYPE_CHECKING:
    import pandas as pd

    from gaopt.api.plot import Plots


@dataclass(frozen=True)
class Best:
    """The best individual of a study so far.

    Attributes:
        id: its number in the study.
        genes: its values by name.
        value: what the objective returned: a fitness, or a loss in a study that minimizes; of a finalist that was
            trained again the mean.
        fitness: the same, higher for the better: minus a loss.
        test: its metrics on the test split; empty where there is none, or not yet.
    """

    id: int
    genes: Genes
    value: float
    fitness: float
    test: dict[str, float]


class Study:
    """A study, running or done. `gaopt.search` and `gaopt.open` give one.

    It reads its journal again whenever that has grown, so that a study can be followed while another process runs it.

    Examples:
        >>> study = gaopt.open("digits")
        >>> study
        <gaopt.Study 'digits': finished, 30/30 trained, best 0.9667 by i12>
        >>> study.best.genes
        {'lr': 0.00166416, 'wd': 0.0, 'mom': 0.1}
    """

    def __init__(self, home: StudyDir, objective: str | Callable[..., Any] = "") -> None:
        self.home, self._objective = home, objective
        self._live: History | None = None
        self._read: tuple[tuple[int, bool], History] | None = None

    @property
    def name(self) -> str:
        return self.home.name

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.home.path

    @property
    def history(self) -> History:
        """All that has happened so far: every individual with its genes, epochs and outcome."""
        if self._live:
            return self._live
        with Journal(self.home.journal) as journal:
            now = journal.last, held(self.path)
        if self._read is None or self._read[0] != now:
            self._read = now, current(self.home)[0]
        return self._read[1]

    def _follow(self, history: History | None) -> None:
        """Use the history of a search in this process, until it is None."""
        self._live = history

    @property
    def progress(self) -> Progress:
        """How far it is: `state`, `done` of `trainings`, `failed`, `left` in seconds, …"""
        history = self.history
        return progress(self.name, history, held=bool(self._live) or held(self.path), now=time.time())

    @property
    def state(self) -> str:
        """ "running", "finished", "interrupted", "failed", or "cut off" where it was killed."""
        return self.progress.state

    @property
    def minimize(self) -> bool:
        """Whether values are losses, the lowest being the best."""
        return self.history.sign < 0

    @property
    def best(self) -> Best:
        """The best individual so far.

        Raises:
            StudyError: none has a score.
        """
        now = self.progress
        if now.best is None or now.fitness is None or now.value is None:
            raise StudyError(f"no individual of the study {self.name!r} has a score")
        judged = self.history.judged.get(now.best.id)
        return Best(now.best.id, now.best.genes, now.value, now.fitness, dict(judged.metrics) if judged else {})

    def frame(self) -> pd.DataFrame:
        """One row per individual: genes, `value`, origin and parents, cost, metrics at its end.

        `value` is what the objective returned, NaN after a failure. A gene or metric of that name is in `value_`.
        """
        from gaopt.report import tables

        table = tables.individuals(self.history).rename(columns={"value": "value_"})
        fitness = [name for name in map(str, table) if name == "fitness" or name.startswith("fitness_at_")]
        return self._valued(table, fitness).rename(columns={name: f"value{name[7:]}" for name in fitness})

    def epochs(self) -> pd.DataFrame:
        """One row per individual and epoch: metrics, and lr and momentum at its end where they are known."""
        from gaopt.report import tables

        return tables.epochs(self.history)

    def generations(self) -> pd.DataFrame:
        """One row per generation: how many were trained and failed; best, mean and median value; cost."""
        from gaopt.report import tables

        return self._valued(tables.generations(self.history), ("best", "mean", "median", "best_so_far"))

    def _valued(self, table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
        """The table with losses in place of fitnesses, if the study minimizes."""
        for name in columns if self.minimize else ():
            table[name] = -table[name].astype(float)
        return table

    @property
    def plot(self) -> Plots:
        """Its figures as matplotlib's axes: `study.plot.fitness()`, `.genes()`, `.curves()`, …"""
        from gaopt.api.plot import Plots

        return Plots(self)

    def report(self) -> Path:
        """Write report, tables and figures to its folder, and return the path of the page."""
        from gaopt.report.study import write

        write(self.history, self.home)
        return self.home.report

    def resume(
        self,
        trainings: int | None = None,
        *,
        callbacks: Callbacks = (),
        progress: bool = True,
        allow_changed: bool = False,
    ) -> Study:
        """Go on from where it is, whatever stopped it; with `trainings` until it has so many in all.

        Args:
            callbacks, progress, allow_changed: as of `gaopt.search`.

        Raises:
            BadInput: another process runs it, or its objective is a function of another program.
            KeyboardInterrupt, GaoptError: as of `gaopt.search`.

        Examples:
            >>> gaopt.open("results/mine").resume(trainings=60)
        """
        config = resumed(self.home, (), allow_changed, self._objective)
        if trainings is not None and config.strategy not in SEARCHES:
            raise ConfigError(f"trainings is {trainings}: the strategy is {config.strategy!r}, which has no more")
        if trainings is not None:
            config = resumed(self.home, [f"{config.numbers}.trainings={trainings}"], allow_changed, self._objective)
        drive(self, prepare(config), callbacks, progress, allow_changed)
        return self

    def __repr__(self) -> str:
        now = self.progress
        failed = f", {now.failed} failed" if now.failed else ""
        best = f", best {score(now.value)} by i{now.best.id}" if now.best else ""
        return f"<gaopt.Study {self.home.handle!r}: {now.state}, {now.done}/{now.trainings} trained{failed}{best}>"

    def _repr_html_(self) -> str:
        from gaopt.screen.notebook import html

        return html(self.progress, self.history)


def open(study: str | os.PathLike[str]) -> Study:
    """Open a study, running or done, by its name in results/ or the path of its folder.

    Raises:
        StudyError: there is none, with the nearest name.

    Examples:
        >>> gaopt.open("digits").frame()
        >>> gaopt.open("results/digits").plot.fitness()
    """
    return Study(find_study(os.fspath(study)))
