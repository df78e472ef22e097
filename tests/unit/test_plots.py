"""Figures of a study for whoever plots them, and what they are read off."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from gaopt.api.plot import Plots
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.events import Birth, Bred, Event, Failed, Opened, Scored
from gaopt.journal.history import History
from gaopt.report import plots, views
from gaopt.report.plots.timeline import Bar, pack
from gaopt.space.gene import Gene
from gaopt.space.space import Space
from tests.unit.test_report import SPACE, clocked, config, searched


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    pyplot.close("all")


def paused(minimize: bool = False) -> History:
    """Six trainings of ten seconds on two workers, of which one failed; with a pause of a day in the middle."""
    opened = Opened(replace(config(), objective="mine:loss", minimize=minimize).plain(), "0.1.0", "host", 1)
    births = tuple(Birth(n, {name: gene.at(n / 5) for name, gene in SPACE.items()}, "random") for n in range(6))
    events: list[Event] = [replace(opened, at=1000.0), Bred(0, births, at=1000.0)]
    for n in range(6):
        at = 1010.0 + 10 * (n // 2) + (86_400 if n > 3 else 0)
        if n == 4:
            events.append(replace(opened, at=at - 10))
        outcome = Failed(n, "error", "bad", 10.0) if n == 1 else Scored(n, -n / 10, {}, 1, 10.0)
        events.append(replace(outcome, at=at))
    return History(events)


def test_time_at_work_has_no_pauses() -> None:
    history = paused()
    assert [step.at for step in views.steps(history)] == [10.0, 10.0, 20.0, 20.0, 30.0, 30.0]
    assert history.elapsed == 30.0
    assert views.worked(history, history.updated) == 30.0


def test_bars_lie_in_as_many_lanes_as_ran_at_once() -> None:
    individual = paused().individuals[0]
    times = [(0, 10), (0, 4), (4, 6), (5, 7), (10, 12)]
    assert pack([Bar(begin, end, individual, "scored") for begin, end in times]) == [0, 1, 1, 2, 0]
    (axes,) = plots.timeline.axes(paused())
    assert [label.get_text() for label in axes.get_yticklabels()] == ["worker 1", "worker 2"]
    assert axes.get_xlim() == (0, 30)


def test_a_plot_is_drawn_in_a_new_figure_of_pyplots_or_in_the_axes_given() -> None:
    before = dict(pyplot.rcParams)
    (axes,) = plots.fitness.axes(paused())
    assert axes.figure is pyplot.gcf()
    own = Figure().subplots()
    assert plots.fitness.axes(paused(), ax=own) == [own]
    assert len(pyplot.get_fignums()) == 1
    assert dict(pyplot.rcParams) == before
    assert len(plots.slices.axes(paused())) == len(SPACE), "neither the key of the colours nor an empty panel"
    with pytest.raises(StudyError, match="nothing to draw: there is too little for the plot 'Best so far'"):
        plots.progress.axes(History())


def test_a_study_has_every_figure() -> None:
    six = Space(lr=SPACE["lr"], **{name: Gene(1e-3, 1.0) for name in "bcdef"})
    history = History(clocked(searched(config(six, population=12))))
    study: Any = SimpleNamespace(history=history)
    plot = Plots(study)
    one = (plot.fitness, plot.parallel, plot.lineage, plot.timeline, plot.importance)
    assert [draw().get_xlabel() != "" for draw in one] == [True, False, True, True, True]
    assert (plot.progress().shape, plot.slices().shape, plot.curves().shape) == ((2,), (6,), (4,))
    assert plot.genes().shape == (10,), "of six genes the five that matter most, in pairs"
    assert "lr" in plot.importance().get_yticklabels()[0].get_text()
    with pytest.raises(StudyError, match="This cannot be told from 5 whole trainings: it takes 20"):
        Plots(SimpleNamespace(history=paused())).importance()  # type: ignore[arg-type]
    (axes,) = plot.genes("f", "b")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("f", "b")
    with pytest.raises(ConfigError, match="no gene 'g'"):
        plot.genes("g", "a")


def test_losses_are_drawn_as_losses_the_failed_beyond_the_worst() -> None:
    (axes,) = plots.fitness.axes(paused(minimize=True))
    assert axes.get_ylabel() == "loss"
    best = next(line for line in axes.lines if line.get_label() == "best of the population")
    assert list(best.get_ydata()) == [0.0]
    failed = next(marks for marks in axes.collections if marks.get_label() == "failed, no fitness")
    assert failed.get_offsets()[0][1] > 0.5
