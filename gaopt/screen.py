"""What a person, or a program, sees while a search runs: watchers of the events."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gaopt.events import Bred, Closed, Event, Failed, Judged, Opened, Reported, Scored, encode
from gaopt.experiment import shown
from gaopt.history import History, Individual
from gaopt.journal import Journal
from gaopt.progress import Progress, clock, progress


class Watcher(Protocol):
    """Is told of every event; a context manager around the search."""

    def __call__(self, history: History, event: Event) -> None: ...
    def __enter__(self) -> Any: ...
    def __exit__(self, *error: object) -> None: ...


def watcher(name: str, as_json: bool) -> Watcher:
    """JSON lines on stdout; else a live page where stderr is a terminal, plain lines on stderr where it is not."""
    if as_json:
        return Json(sys.stdout)
    return Page(name) if sys.stderr.isatty() else Lines(sys.stderr)


def genes(config: Mapping[str, Any], individual: Individual) -> str:
    return " ".join(f"{name}={value}" for name, value in shown(config, individual.genes).items())


class Json:
    """One JSON object a line: the events as they are in the journal, with their time and kind."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, history: History, event: Event) -> None:
        kind, body = encode(event)
        print(json.dumps({"event": kind, "at": event.at} | json.loads(body)), file=self._stream, flush=True)

    def __enter__(self) -> Json:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Lines:
    """One line for each thing worth knowing, in words."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, history: History, event: Event) -> None:
        if line := sentence(history, event):
            print(line, file=self._stream, flush=True)

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def sentence(history: History, event: Event) -> str:
    """An event in words; "" for one not worth a line."""
    match event:
        case Opened() if history.individuals:
            return f"going on: {len(history.scored) + len(history.failed)} trained so far"
        case Bred(generation, births, survivors):
            return f"generation {generation}: {len(births)} to train, {len(survivors)} survivors"
        case Reported(individual, epoch, metrics):
            keys = [key for key in ("train_loss", "valid_loss", "top1") if key in metrics] or sorted(metrics)[:3]
            values = " ".join(f"{key}={metrics[key]:.4g}" for key in keys)
            return f"  i{individual} epoch {epoch} {values}".rstrip()
        case Scored(individual, fitness, seconds=seconds):
            return f"  i{individual} fitness {fitness:.4f} in {clock(seconds)} ({_named(history, individual)})"
        case Failed(individual, reason, message):
            return f"  i{individual} failed: {reason}: {message} ({_named(history, individual)})"
        case Judged(individual, metrics):
            return f"test: i{individual} " + " ".join(f"{key}={value:.4f}" for key, value in metrics.items())
        case Closed(reason) if reason == "failed":
            return reason
    return ""


def _named(history: History, individual: int) -> str:
    return genes(history.config, history.individuals[individual])


class Page:
    """A page that renews itself in the terminal."""

    def __init__(self, name: str) -> None:
        self._name, self._history = name, History()
        self._console = Console(stderr=True)
        # Drawn by a thread of its own, several times a second: clocks go on between events.
        self._live = Live(console=self._console, get_renderable=self._draw, refresh_per_second=4)

    def __call__(self, history: History, event: Event) -> None:
        self._history = history
        if isinstance(event, Failed):
            self._console.print(Text(sentence(history, event).strip(), style="red"))

    def _draw(self) -> Group:
        try:
            now = progress(self._name, self._history, held=True, now=time.time())
            return page(now, time.time(), self._console.width)
        except RuntimeError:  # the search changed the history while it was read: the next drawing has it
            return Group(Text("…"))

    def __enter__(self) -> Page:
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.__exit__(None, None, None)


def page(now: Progress, clock_now: float, width: int) -> Group:
    """The state of a study: where it is, its best, and each running individual with its epoch."""
    parts: list[Any] = [_head(now, width), _best(now)]
    if now.running:
        parts.append(_running(now, clock_now, width))
    return Group(*parts)


WIDE = 110  # columns from which there is room for bars and losses


def _head(now: Progress, width: int) -> Table:
    grid = Table.grid(padding=(0, 2))
    state = Text(now.state, style={"running": "cyan", "finished": "green"}.get(now.state, "yellow"))
    where = f"generation {max(0, now.generation)} ({now.generation + 1}/{now.generations})"
    cells: list[Any] = [Text(now.name, style="bold"), state, where]
    if width >= WIDE:
        cells.append(ProgressBar(total=max(1, now.trainings), completed=now.done, width=24))
    cells.append(f"{now.done}/{now.trainings} trained")
    if now.failed:
        cells.append(f"{now.failed} failed")
    cells.append(clock(now.elapsed) + (f", {clock(now.left)} left" if now.left is not None else ""))
    grid.add_row(*cells)
    return grid


def _best(now: Progress) -> Text:
    if not now.best:
        return Text("no individual has a score yet", style="dim")
    text = Text.assemble(
        ("best ", "dim"), (f"{now.best.fitness:.4f}", "bold green"), f"  i{now.best.id} {genes(now.config, now.best)}"
    )
    if now.mean is not None:
        text.append(f"\nmean {now.mean:.4f} in this generation", "dim")
    if now.test:
        text.append("\ntest " + " ".join(f"{key} {value:.4f}" for key, value in now.test.items() if key != "loss"))
    return text


def _running(now: Progress, clock_now: float, width: int) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    names = list(shown(now.config, now.running[0].genes))
    wanted = {"top1": "top-1", "train_loss": "train loss", "valid_loss": "valid loss"}
    if width < WIDE:
        wanted = {"top1": "top-1"}
    reported = {key for i in now.running if i.epoch for key in i.reports[i.epoch].metrics}
    measures = {key: name for key, name in wanted.items() if key in reported}
    for column in ("", *names, "epoch", *([""] if width >= WIDE else []), *measures.values(), "time"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for i in now.running:
        metrics = i.reports[i.epoch].metrics if i.epoch else {}
        epoch = f"{i.epoch}/{now.epochs}" if now.epochs else str(i.epoch)
        bar = [ProgressBar(total=max(1, now.epochs), completed=i.epoch, width=12)] if width >= WIDE else []
        values = [f"{metrics[key]:.4f}" if key in metrics else "" for key in measures]
        found = shown(now.config, i.genes).values()
        table.add_row(f"g{i.generation} i{i.id}", *found, epoch, *bar, *values, clock(clock_now - i.started))
    return table


def follow(name: str, journal: Journal, held: Callable[[], bool]) -> None:
    """Draw a study again and again until no driver holds it."""
    history, ended = History(), False
    console = Console()
    with Live(console=console, auto_refresh=False) as live:
        for event in journal.follow():
            if event:
                history.add(event)
                continue
            now = progress(name, history, held=held(), now=time.time())
            live.update(page(now, time.time(), console.width), refresh=True)
            if now.state != "running":
                # Once more: the driver may have written its last events after they were read and before it was asked.
                if ended:
                    return
                ended = True


def overview(found: list[Progress]) -> Table:
    """One line a study."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for column in ("study", "state", "generations", "trained", "failed", "best", "test top-1", "time"):
        table.add_column(column, justify="left" if column in ("study", "state") else "right")
    for now in found:
        best = f"{now.best.fitness:.4f}" if now.best else ""
        test = f"{now.test['top1']:.4f}" if now.test and "top1" in now.test else ""
        where, trained = f"{now.generation + 1}/{now.generations}", f"{now.done}/{now.trainings}"
        table.add_row(now.name, now.state, where, trained, str(now.failed), best, test, clock(now.elapsed))
    return table


def listed(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[str] = ()) -> Table:
    """Rows of words under a head; the columns named in `numbers` flush right."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for column in head:
        table.add_column(column, justify="right" if column in numbers else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
