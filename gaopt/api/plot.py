"""The figures of a study's report as matplotlib's axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gaopt.errors import ConfigError, StudyError, nearest
from gaopt.report import plots, views
from gaopt.report.importance import of_search, untold

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gaopt.api.study import Study


class Plots:
    """The figures of a study: each is drawn in a new pyplot figure, or in `ax` where one axes is enough.

    Nothing is shown: a notebook displays the figures of a cell by itself, a script calls `pyplot.show` or `savefig`.
    All raise a StudyError where there is nothing to draw yet.

    Examples:
        >>> axes = gaopt.open("digits").plot.fitness()
        >>> axes.figure.savefig("fitness.png")
    """

    def __init__(self, study: Study) -> None:
        self._study = study

    def fitness(self, ax: Axes | None = None) -> Axes:
        """Every individual by generation, the best and the mean of each population, finalists to the right."""
        return plots.fitness.axes(self._study.history, ax=ax)[0]

    def progress(self) -> np.ndarray:
        """The best so far, by training and by time at work: two axes."""
        return np.array(plots.progress.axes(self._study.history))

    def genes(self, *names: str) -> np.ndarray:
        """Genes against each other, coloured by generation: axes for each pair.

        Of the genes named; by default of all, or of the five that matter most.

        Raises:
            ConfigError: there is no gene of that name.
        """
        history = self._study.history
        free = views.free(history)
        if unknown := [name for name in names if name not in free]:
            raise ConfigError(f"no gene {unknown[0]!r} was searched: {nearest(unknown[0], free)}")
        if not names and len(free) > plots.PAIRED:
            found = of_search(history)
            names = tuple(found.shares if found else free)[: plots.PAIRED]
        return np.array(plots.space.axes(history, names))

    def slices(self) -> np.ndarray:
        """The fitness against each gene, coloured by generation: axes for each gene."""
        return np.array(plots.slices.axes(self._study.history))

    def parallel(self, ax: Axes | None = None) -> Axes:
        """A line for each individual through its genes to its fitness: parallel coordinates."""
        return plots.parallel.axes(self._study.history, ax=ax)[0]

    def importance(self, ax: Axes | None = None) -> Axes:
        """How much each gene matters, by permutation importance; it takes 20 trainings."""
        history = self._study.history
        if not (found := of_search(history)):
            raise StudyError(f"nothing to draw: {untold(history.ranked)}")
        return plots.importance.axes(found, ax=ax)[0]

    def curves(self) -> np.ndarray:
        """Accuracies and losses by epoch, a line for each individual: axes for each metric."""
        return np.array(plots.curves.axes(self._study.history))

    def lineage(self, ax: Axes | None = None) -> Axes:
        """Who descends from whom, generations from left to right."""
        return plots.lineage.axes(self._study.history, ax=ax)[0]

    def timeline(self, ax: Axes | None = None) -> Axes:
        """Which individual was trained when, in as many lanes as ran at once."""
        return plots.timeline.axes(self._study.history, ax=ax)[0]
