"""What the terminal shows of every kind of study."""

import io
import os
import re
import signal

import pytest
from rich.console import Console

from gaopt.cli.signals import STOPPING, Signals
from gaopt.config import Fidelity, Genetic, Noise, from_tables
from gaopt.journal.events import Bred, Closed, Granted, Recalled, Reported, Scored, Started
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.screen.console import line, overview, page
from gaopt.screen.live import Lines, sentence
from gaopt.study.loop import run
from gaopt.study.progress import ahead, current, planned, progress
from tests.conftest import toy
from tests.unit.test_report_kinds import ADAM, SGD, again, births, config, opened, rungs, trained


def shown(history: History, width: int = 130, held: bool = True) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(page(progress("mine", history, held=held, now=10.0), 10.0, width))
    return capture.get()


def last(events: list) -> str:
    return sentence(History(events), events[-1])


def test_each_decision_and_outcome_is_a_line() -> None:
    events = rungs()
    assert last(events[:2]) == "generation 1 of 1: 4 to train for 25 % of a training"
    assert last(events[:4]).startswith("  i0 (25 %) fitness 0.3000 in 2 s (optimizer=sgd lr=0.01 nesterov=true")
    granted = next(n for n, event in enumerate(events) if isinstance(event, Granted))
    assert last(events[: granted + 1]) == "  1 go on to a whole training: i1"
    events = again()
    repeats = max(n for n, event in enumerate(events) if isinstance(event, Bred))
    assert last(events[: repeats + 1]) == "finalists: i0, i1 again"
    assert last(events).startswith("  i7 (i1 again) fitness 0.8700")
    assert last([opened(), Recalled("old", (SGD, ADAM), (0.5, 0.75))]) == "from old: 2 scored, the fittest with 0.7500"
    assert last([opened(), Recalled("old", (), ())]) == "from old: 0 scored"
    assert last([*rungs(), opened()]) == "going on: 4 trained so far"


def test_a_running_individual_has_a_dash_for_a_gene_that_is_not_there_and_its_own_length() -> None:
    first = opened(settings={"recipe": {"epochs": 8}}, fidelity=Fidelity((0.25,)))
    history = History([first, Bred(0, births(0.25)), Started(0), Started(1), *list(trained(0, 0.5, 1))[:1]])
    lines = shown(history).splitlines()
    assert lines[-3].split()[:7] == ["optimizer", "lr", "nesterov", "mom", "beta", "batch", "share"]
    assert lines[-2].split()[:10] == ["i0", "sgd", "0.01", "true", "0.9", "–", "–", "25", "%", "1/2"]
    assert lines[-1].split()[1:7] == ["adam", "0.001", "–", "–", "0.99", "32"]


def test_who_may_still_go_on_is_not_said_to_be_left() -> None:
    granted = next(n for n, event in enumerate(rungs()) if isinstance(event, Granted))
    assert progress("mine", History(rungs()[:granted]), held=True, now=10.0).early == 0
    assert progress("mine", History(rungs()[: granted + 1]), held=True, now=10.0).early == 2


def test_what_lies_ahead_is_known_by_its_share() -> None:
    search = config(fidelity=Fidelity((0.2, 0.5), 0.4), genetic=Genetic(10, 2), noise=Noise(2, 3))
    assert ahead(History(), search) == [(10, 0.2), (4, 0.5), (2, 1.0), (5, 0.2), (2, 0.5), (1, 1.0), (6, 1.0)]
    assert planned(search) == 30
    assert planned(config()) == config().trainings


def test_how_busy_the_workers_are_is_shown() -> None:
    events = [opened(), Bred(0, births()), Started(0), Started(1)]
    events += [Reported(n, 1, {"images_per_second": 700.0 + n}) for n in range(2)]
    now = progress("mine", History(events), held=True, now=10.0)
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(page(now, 10.0, 100, workers=3))
    assert "1 of 3 workers idle  1,401 images/s" in capture.get()
    assert "workers" not in shown(History(events))


def test_the_mean_of_the_best_is_shown() -> None:
    history = History([*again(), Closed("finished")])
    assert "best 0.8800 mean of 3  i1 optimizer=adam" in shown(history, held=False)
    now = progress("mine", history, held=False, now=10.0)
    assert now.plain()["best"] == {"individual": 1, "fitness": 0.88, "genes": ADAM, "mean": now.fitness, "trainings": 3}
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(overview([line(now)], 100))
    assert "8/8" in capture.get()
    assert "mean" not in progress("mine", History(rungs()), held=False, now=1.0).plain()["best"]


def test_a_search_that_ended_early_is_whole_and_says_why(home: StudyDir) -> None:
    history = run(from_tables({**toy("sphere", population=4, generations=9).plain(), "stop": {"target": -9.0}}), home)
    text = shown(history, held=False)
    assert "finished  generation 1 of 9" in text
    assert "4/4 trained" in text
    assert "ended early: the target of -9 was reached" in text
    assert progress("mine", history, held=False, now=1.0).plain()["ended"] == "the target of -9 was reached"


def test_time_left_goes_by_the_length_of_what_is_ahead() -> None:
    first = opened(fidelity=Fidelity((0.25,), 0.25), genetic=Genetic(4, 1))
    short = [Scored(n, 0.5, at=1.0 + n) for n in range(4)]
    history = History([first, Bred(0, births(0.25)), *short])
    # Four quarters took four seconds; what is left is one whole training.
    assert progress("mine", history, held=True, now=4.0).left == pytest.approx(4.0)


def test_a_narrow_terminal_shows_all_in_lines_that_fit(home: StudyDir) -> None:
    long = ("the-study-whose-name-is-as-long-as-people-make-them", "b")
    rows = [(name, "interrupted", "3/5", "12/30", "0", "0.9333", "0.9111", "1:02:03") for name in long]
    for width in (40, 60, 80, 130):
        console = Console(width=width, color_system=None)
        with console.capture() as capture:
            console.print(overview(rows, width))
        drawn = capture.get()
        assert "…" not in drawn
        assert all(name in re.sub(r"\s|interrupted", "", drawn) for name in long)
        assert width < 60 or max(long) in drawn
        history = History([opened(), Bred(0, births()), Started(0), *list(trained(0, 0.5))[:2]])
        text = shown(history, width)
        coloured = Console(width=width, force_terminal=True, color_system="standard")  # the rest of a bar is a colour
        with coloured.capture() as capture:
            coloured.print(page(progress("mine", history, held=True, now=10.0), 10.0, width))
        assert "━" in capture.get()
        assert "…" not in text
        assert all(len(line) <= width for line in text.splitlines())
        assert "0/8 trained" in text


def test_plain_lines_say_how_far_the_search_is_and_what_is_best(home: StudyDir) -> None:
    stream = io.StringIO()
    run(toy("sphere", population=4, generations=2), home, watch=Lines(stream))
    said = stream.getvalue().splitlines()
    assert said[0] == "generation 1 of 2: 4 to train"
    assert re.search(r"; 1/6, best -?\d\.\d+ by i0", next(line for line in said if " fitness " in line))
    assert [line for line in said if line.startswith("generation 2 of 2: 2 to train, 2 survivors")]


def test_what_was_trained_when_a_search_stopped_is_not_said_to_be_running(home: StudyDir) -> None:
    home.make()
    events = [opened(), Bred(0, births()), Started(0)]
    for stopped in ([*events, Closed("interrupted")], events):
        with Journal(home.journal, write=True) as journal:
            for event in stopped[len(list(journal)) :]:
                journal.append(event)
        history, held = current(home)
        assert (history.running, held) == ([], False)
        home.journal.unlink()


def test_a_page_that_renews_itself_is_not_pushed_down_by_a_signal(capfd: pytest.CaptureFixture[str]) -> None:
    said = []
    for on_a_page in (False, True):
        with Signals() as signals:
            signals.told_on_a_page = on_a_page
            os.kill(os.getpid(), signal.SIGINT)
            assert signals.received == signal.SIGINT
        said.append(capfd.readouterr().err)
    assert said == [f"{STOPPING}\n", ""]


def test_a_hang_up_that_whoever_started_it_has_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with Signals():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
