"""What a person, or a program, sees while a search runs: watchers of the events."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gaopt.events import (
    Bred,
    Closed,
    Event,
    Failed,
    Granted,
    Judged,
    Noted,
    Opened,
    Recalled,
    Reported,
    Retried,
    Scored,
    encode,
)
from gaopt.experiment import shown
from gaopt.history import History, Individual
from gaopt.journal import Journal
from gaopt.printable import printable
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
        if line := printable(sentence(history, event)):
            print(line, file=self._stream, flush=True)

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def sentence(history: History, event: Event) -> str:
    """An event in words; "" for one not worth a line."""
    match event:
        case Opened(changed=changed) if history.individuals:
            trained = sum(i.done or bool(i.early) for i in history.individuals.values())
            return f"going on: {trained} trained so far" + "".join(f"; changed since: {what}" for what in changed)
        case Recalled(study, _, fitness):
            return f"from {study}: {len(fitness)} scored" + (
                f", the fittest with {max(fitness):.4f}" if fitness else ""
            )
        case Bred():
            return _bred(event)
        case Granted(individuals, share):
            return f"  {len(individuals)} go on to {_portion(share)}: {' '.join(f'i{id}' for id in individuals)}"
        case Reported(individual, epoch, metrics):
            keys = [key for key in ("train_loss", "valid_loss", "top1") if key in metrics] or sorted(metrics)[:3]
            values = " ".join(f"{key}={metrics[key]:.4g}" for key in keys)
            return f"  i{individual} epoch {epoch} {values}".rstrip()
        case Scored(individual, fitness, seconds=seconds):
            which = _which(history.individuals[individual])
            return f"  {which} fitness {fitness:.4f} in {clock(seconds)} ({_named(history, individual)})"
        case Noted(individual, message):
            return f"  {_which(history.individuals[individual])}: {message}"
        case Retried(individual, reason, message):
            return f"  {_which(history.individuals[individual])} is begun again: {reason}: {message}"
        case Failed(individual, reason, message):
            which = _which(history.individuals[individual])
            return f"  {which} failed: {reason}: {message} ({_named(history, individual)})"
        case Judged(individual, metrics):
            return f"test: i{individual} " + " ".join(f"{key}={value:.4f}" for key, value in metrics.items())
        case Closed(reason) if reason == "failed":
            return reason
    return ""


def _bred(event: Bred) -> str:
    births = event.births
    if births and births[0].origin == "repeat":
        return f"finalists: {', '.join(f'i{id}' for id in dict.fromkeys(b.parents[0] for b in births))} again"
    first = f" for {_portion(births[0].share)}" if births and births[0].share < 1 else ""
    return f"generation {event.generation}: {len(births)} to train{first}, {len(event.survivors)} survivors"


def _portion(share: float) -> str:
    return "a whole training" if share == 1 else f"{100 * share:.3g} % of a training"


def _which(individual: Individual) -> str:
    """Its id, and what is special about its training."""
    if individual.birth.origin == "repeat":
        return f"i{individual.id} (i{individual.birth.parents[0]} again)"
    return f"i{individual.id}" + (f" ({100 * individual.share:.3g} %)" if individual.share < 1 else "")


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
        if isinstance(event, Noted | Retried | Failed):
            style = "yellow" if isinstance(event, Noted) else "red"
            self._console.print(_text(sentence(history, event).strip(), style))

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
BAR = 12  # columns of a bar


def _head(now: Progress, width: int) -> Table:
    grid = Table.grid(padding=(0, 2))
    state = Text(now.state, style={"running": "cyan", "finished": "green"}.get(now.state, "yellow"))
    where = f"generation {max(0, now.generation)} ({now.generation + 1}/{now.generations})"
    cells: list[Any] = [_text(now.name, "bold"), state, where]
    if width >= WIDE:
        cells.append(ProgressBar(total=max(1, now.trainings), completed=now.done, width=24))
    cells.append(f"{now.done}/{now.trainings} trained")
    cells += [f"{number} {what}" for number, what in ((now.early, "left early"), (now.failed, "failed")) if number]
    cells.append(clock(now.elapsed) + (f", {clock(now.left)} left" if now.left is not None else ""))
    grid.add_row(*cells)
    return grid


def _best(now: Progress) -> Text:
    if not now.best:
        return Text("no individual has a score yet", style="dim")
    how = f" mean of {now.trials}" if now.trials > 1 else ""
    text = Text.assemble(("best ", "dim"), (f"{now.fitness:.4f}", "bold green"), (how, "dim"))
    text.append(f"  i{now.best.id} {genes(now.config, now.best)}")
    if now.ended:
        text.append(f"\nended early: {printable(now.ended)}", "dim")
    elif now.mean is not None:
        text.append(f"\nmean {now.mean:.4f} in this generation", "dim")
    if now.test:
        text.append(
            "\ntest " + " ".join(f"{printable(key)} {value:.4f}" for key, value in now.test.items() if key != "loss")
        )
    return text


@dataclass(frozen=True)
class _Column:
    """A head, and a cell for each running individual; `gives` where it is left out before it is cut short."""

    head: str
    cells: list[Any]
    gives: bool = False

    @property
    def width(self) -> int:
        return max(len(self.head), *(BAR if isinstance(cell, ProgressBar) else len(cell) for cell in self.cells)) + 2


def _running(now: Progress, clock_now: float, width: int) -> Table:
    columns = _columns(now, clock_now, width)
    while sum(column.width for column in columns) > width and (genes := [c for c in columns if c.gives]):
        columns.remove(genes[-1])
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(_text(column.head), justify="right" if column.head else "left", no_wrap=True)
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(_text(cell) if isinstance(cell, str) else cell for cell in cells))
    return table


def _columns(now: Progress, clock_now: float, width: int) -> list[_Column]:
    """Who is trained: genes, how far, how well, how long."""
    found, last = [shown(now.config, i.genes) for i in now.running], [_last(i) for i in now.running]
    columns = [_Column("", [f"g{i.generation} i{i.id}" for i in now.running])]
    for name in map(printable, now.config["space"]):
        if any(name in each for each in found):
            columns.append(_Column(name, [each.get(name, "–") for each in found], gives=True))
    if any(i.share < 1 for i in now.running):
        columns.append(_Column("share", [f"{100 * i.share:.3g} %" for i in now.running]))
    columns.append(
        _Column("epoch", [f"{i.epoch}/{now.length(i)}" if now.epochs else str(i.epoch) for i in now.running])
    )
    wanted = {"top1": "top-1"}
    if width >= WIDE:
        bars = [ProgressBar(total=max(1, now.length(i)), completed=i.epoch, width=BAR) for i in now.running]
        columns.append(_Column("", bars))
        wanted |= {"train_loss": "train loss", "valid_loss": "valid loss"}
    for key, name in wanted.items():
        if any(key in metrics for metrics in last):
            columns.append(_Column(name, [f"{each[key]:.4f}" if key in each else "" for each in last]))
    return [*columns, _Column("time", [clock(clock_now - i.started) for i in now.running])]


def _last(individual: Individual) -> Mapping[str, float]:
    """What it reported last."""
    return individual.reports[individual.epoch].metrics if individual.epoch else {}


def _text(found: str, style: str = "") -> Text:
    """Of unknown origin: shown as it is, without what rich or a terminal would take for a command."""
    return Text(printable(found), style)


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
        best = f"{now.fitness:.4f}" if now.best else ""
        test = f"{now.test['top1']:.4f}" if now.test and "top1" in now.test else ""
        where, trained = f"{now.generation + 1}/{now.generations}", f"{now.done}/{now.trainings}"
        table.add_row(_text(now.name), now.state, where, trained, str(now.failed), best, test, clock(now.elapsed))
    return table


def listed(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[str] = ()) -> Table:
    """Rows of words under a head; the columns named in `numbers` flush right."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for column in head:
        table.add_column(column, justify="right" if column in numbers else "left")
    for row in rows:
        table.add_row(*map(_text, row))
    return table
