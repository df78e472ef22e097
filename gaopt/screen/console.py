"""What is drawn in a terminal: the state of a study, and tables that fit its width."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gaopt.journal.history import Individual
from gaopt.printable import printable, shown
from gaopt.report.format import score
from gaopt.study.progress import Progress, clock, metric

WIDE = 110  # columns from which there is room for the losses of each individual
LONG = 40  # columns of the whole search's, at most
UNLIMITED = 1000  # columns of what is no terminal, and cuts nothing


def console() -> Console:
    """Of stdout. Where that is no terminal, nothing is cut: rich would do so at 80 columns."""
    found = Console()
    return found if found.is_terminal else Console(width=UNLIMITED)


def text(found: str, style: str = "") -> Text:
    """Of unknown origin: shown as it is, without what rich or a terminal would take for a command."""
    return Text(printable(found), style)


def genes(individual: Individual) -> str:
    return " ".join(f"{name}={value}" for name, value in shown(individual.genes).items())


def generation(number: int, of: int) -> str:
    """For people, who count from 1."""
    return f"generation {max(0, number) + 1} of {of}"


def page(now: Progress, clock_now: float, width: int, workers: int = 0) -> Group:
    """The state of a study: where it is, its best, how busy its workers are, and each running individual."""
    head = headline(now.name, now.state)
    if now.generations > 1:
        head.append(f"  {generation(now.generation, now.generations)}")
    parts: list[Any] = [head, *_how_far(now, width), _best(now)]
    if busy := _busy(now, workers):
        parts.append(Text(busy, style="dim"))
    if now.running:
        parts.append(fitted(_columns(now, clock_now, width), width))
    return Group(*parts)


def headline(name: str, state: str) -> Text:
    style = {"running": "cyan", "finished": "green"}.get(state, "yellow")
    return Text.assemble((printable(name), "bold"), "  ", (state, style))


def _how_far(now: Progress, width: int) -> list[Any]:
    """A bar, and below it what it says."""
    numbers = ((now.early, "left early"), (now.failed, "failed"))
    told = [f"{now.done}/{now.trainings} trained", *(f"{number} {what}" for number, what in numbers if number)]
    time = clock(now.elapsed) + (f", {clock(now.left)} left" if now.left is not None else "")
    bar = ProgressBar(total=max(1, now.trainings), completed=now.done, width=min(LONG, width))
    return [bar, Text("\n" + "  ".join([*told, time]))]  # a bar ends no line


def _busy(now: Progress, workers: int) -> str:
    """How many workers train nobody, and the speed of those that do, by their latest epochs."""
    latest = [i.reports[i.epoch].metrics.get("images_per_second", 0.0) for i in now.running if i.epoch]
    idle = f"{max(0, workers - len(now.running))} of {workers} workers idle" if workers else ""
    return "  ".join(filter(None, (idle, f"{sum(latest):,.0f} images/s" if any(latest) else "")))


def _best(now: Progress) -> Text:
    if not now.best:
        return Text("no individual has a score yet", style="dim")
    how = f" mean of {now.trials}" if now.trials > 1 else ""
    said = Text.assemble(("best ", "dim"), (score(now.value), "bold green"), (how, "dim"))
    said.append(f"  i{now.best.id} {genes(now.best)}")
    if now.ended:
        said.append(f"\nended early: {printable(now.ended)}", "dim")
    elif now.mean is not None:
        said.append(f"\nmean {score(now.sign * now.mean)} in this generation", "dim")
    if now.test:
        said.append("\ntest " + " ".join(f"{printable(k)} {value:.4f}" for k, value in now.test.items() if k != "loss"))
    return said


@dataclass(frozen=True)
class Column:
    """A head, and a cell for each row; where all have no room, those that give most are left out first, 0 never."""

    head: str
    cells: Sequence[str]
    gives: int = 0
    left: bool = False

    @property
    def width(self) -> int:
        return max(cell_len(printable(cell)) for cell in (self.head, *self.cells)) + 2


def fitted(columns: Sequence[Column], width: int) -> Table:
    """A table of those that have room. What is too wide even then goes on in the next line: nothing is cut short."""
    kept = list(columns)
    while sum(column.width for column in kept) > width + 2 and (most := max(column.gives for column in kept)):
        kept.remove([column for column in kept if column.gives == most][-1])
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for column in kept:
        table.add_column(text(column.head), justify="left" if column.left else "right", overflow="fold")
    for cells in zip(*(column.cells for column in kept), strict=True):
        table.add_row(*map(text, cells))
    return table


def _columns(now: Progress, clock_now: float, width: int) -> list[Column]:
    """Who is trained: genes, how far, how well, how long."""
    found = [shown(i.genes) for i in now.running]
    last: list[Mapping[str, float]] = [i.reports[i.epoch].metrics if i.epoch else {} for i in now.running]
    columns = [Column("", [f"i{i.id}" for i in now.running], left=True)]
    for name in map(printable, now.config["space"]):
        if any(name in each for each in found):
            columns.append(Column(name, [each.get(name, "–") for each in found], gives=4))
    if any(i.share < 1 for i in now.running):
        columns.append(Column("share", [f"{100 * i.share:.3g} %" for i in now.running], gives=2))
    columns.append(Column("epoch", [f"{i.epoch}/{now.length(i)}" if now.epochs else str(i.epoch) for i in now.running]))
    wanted = {(key := metric(now.config)): "top-1" if key == "top1" else key}
    if width >= WIDE:
        wanted |= {"train_loss": "train loss", "valid_loss": "valid loss"}
    for key, name in wanted.items():
        if any(key in metrics for metrics in last):
            columns.append(Column(name, [f"{each[key]:.4f}" if key in each else "" for each in last], gives=1))
    return [*columns, Column("time", [clock(clock_now - i.started) for i in now.running])]


OVERVIEW = ("study", "state", "generations", "trained", "failed", "best", "test top-1", "time")
_GIVES = (0, 1, 5, 3, 6, 2, 7, 4)


def overview(rows: Iterable[Sequence[str]], width: int) -> Table:
    """One line a study, or a comparison: rows by `OVERVIEW`. Names, which are typed again, are always whole."""
    cells = list(zip(*rows, strict=True)) or [()] * len(OVERVIEW)
    columns = zip(OVERVIEW, cells, _GIVES, strict=True)
    return fitted([Column(head, of, gives, left=gives < 2) for head, of, gives in columns], width)


def line(now: Progress) -> tuple[str, ...]:
    """A study's of the overview."""
    best = score(now.value) if now.best else ""
    test = f"{now.test['top1']:.4f}" if now.test and "top1" in now.test else ""
    where, trained = f"{now.generation + 1}/{now.generations}", f"{now.done}/{now.trainings}"
    return now.name, now.state, where, trained, str(now.failed), best, test, clock(now.elapsed)


def listed(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[str] = ()) -> Table:
    """Rows of words under a head; the columns named in `numbers` flush right."""
    cells = list(zip(*rows, strict=True)) or [()] * len(head)
    return fitted([Column(name, cells[n], left=name not in numbers) for n, name in enumerate(head)], UNLIMITED)
