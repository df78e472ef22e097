"""What a person sees while a search runs: watchers of the events."""

import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from gaopt.config import from_tables
from gaopt.journal import events
from gaopt.journal.history import History, Individual
from gaopt.printable import printable
from gaopt.report.format import score
from gaopt.report.views import score_name
from gaopt.screen.console import generation, genes, headline, page, text
from gaopt.study.progress import clock, metric, progress, telling

STOPPING = "stopping in good order; once more to end at once"


class Lines:
    """One line for each thing worth knowing, in words."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, history: History, event: events.Event) -> None:
        if line := printable(sentence(history, event)):
            if isinstance(event, events.Scored | events.Failed):
                now = progress("", history, held=True, now=event.at)
                best = f", best {score(now.value)} by i{now.best.id}" if now.best else ""
                line += f"; {now.done}/{now.trainings}{best}" + (f", {clock(now.left)} left" if now.left else "")
            print(line, file=self._stream, flush=True)


def sentence(history: History, event: events.Event) -> str:
    """An event in words; "" for one not worth a line."""
    one = history.individuals.get(getattr(event, "individual", -1))
    which, of = (_which(one), genes(one)) if one else ("", "")
    match event:
        case events.Opened(changed=changed) if history.individuals:
            trained = sum(i.done or bool(i.early) for i in history.individuals.values())
            return f"going on: {trained} trained so far" + "".join(f"; changed since: {what}" for what in changed)
        case events.Recalled(study, _, fitness):
            best = f", the fittest with {score(history.sign * max(fitness))}" if fitness else ""
            return f"from {study}: {len(fitness)} scored{best}"
        case events.Bred():
            return _bred(history, event)
        case events.Granted(individuals, share):
            return f"  {len(individuals)} go on to {_portion(share)}: {' '.join(f'i{id}' for id in individuals)}"
        case events.Reported(individual, epoch, metrics):
            wanted = ("train_loss", "valid_loss", metric(history.config))
            keys = [key for key in wanted if key in metrics] or sorted(metrics)[:3]
            values = " ".join(f"{key}={metrics[key]:.4g}" for key in keys)
            return f"  i{individual} epoch {epoch} {values}".rstrip()
        case events.Scored(_, fitness, seconds=seconds):
            return f"  {which} {score_name(history)} {score(history.sign * fitness)} in {clock(seconds)} ({of})"
        case events.Noted(_, message):
            return f"  {which}: {message}"
        case events.Retried(_, reason, message):
            return f"  {which} is begun again: {reason}: {message}"
        case events.Failed(_, reason, message):
            return f"  {which} failed: {reason}: {message} ({of})"
        case events.Judged(individual, metrics):
            values = " ".join(f"{key}={value:.4f}" for key, value in telling(metrics, history).items())
            return f"test: i{individual} {values}"
        case events.Closed("failed"):
            return "failed"
    return ""


def _bred(history: History, event: events.Bred) -> str:
    births = event.births
    if births and births[0].origin == "repeat":
        return f"finalists: {', '.join(f'i{id}' for id in dict.fromkeys(b.parents[0] for b in births))} again"
    if event.generation and len(births) == 1 and from_tables(history.config).mode == "steady":
        parents = " and ".join(f"i{parent}" for parent in births[0].parents)
        return f"  i{births[0].id} for a free worker{parents and f', of {parents}'}"
    first = f" for {_portion(births[0].share)}" if births and births[0].share < 1 else ""
    number = len(event.survivors)
    survivors = f", {number} survivor{'s' * (number > 1)}" if number else ""
    which = generation(event.generation, max(event.generation + 1, from_tables(history.config).generations))
    return f"{which}: {len(births)} to train{first}{survivors}"


def _portion(share: float) -> str:
    return "a whole training" if share == 1 else f"{100 * share:.3g} % of a training"


def _which(individual: Individual) -> str:
    """Its id, and what is special about its training."""
    if individual.birth.origin == "repeat":
        return f"i{individual.id} (i{individual.birth.parents[0]} again)"
    return f"i{individual.id}" + (f" ({100 * individual.share:.3g} %)" if individual.share < 1 else "")


class Page:
    """A page that renews itself in the terminal.

    Args:
        stopping: whether the search was told to stop.
        workers: how many trainings run at the same time; 0 where nobody knows.
    """

    def __init__(self, name: str, stopping: Callable[[], bool], workers: Callable[[], int] = int) -> None:
        self._name, self._stopping, self._ask, self._history = name, stopping, workers, History()
        self._workers = workers()
        self._console = Console(stderr=True)
        # Drawn by a thread of its own, several times a second: clocks go on between events.
        self.live = Live(console=self._console, get_renderable=self._draw, refresh_per_second=4)

    def __call__(self, history: History, event: events.Event) -> None:
        self._history = history
        if isinstance(event, events.Started):  # it was just asked how many there are
            self._workers = self._ask()
        if isinstance(event, events.Noted | events.Retried | events.Failed):
            style = "yellow" if isinstance(event, events.Noted) else "red"
            self._console.print(text(sentence(history, event).strip(), style))

    def _draw(self) -> Group:
        try:
            if not self._history.opened:
                return Group(headline(self._name, "starting"))
            now = progress(self._name, self._history, held=True, now=time.time())
            drawn = page(now, time.time(), self._console.width, self._workers if now.state == "running" else 0)
            stopping = self._stopping() and now.state == "running"
            return Group(drawn, Text(STOPPING, "yellow")) if stopping else drawn
        except RuntimeError:  # the search changed the history while it was read: the next drawing has it
            return Group(Text("…"))
