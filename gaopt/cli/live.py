"""What a person, or a program, sees while a verb that trains runs."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live

from gaopt.cli.signals import Signals
from gaopt.execution import Pool
from gaopt.journal import events
from gaopt.journal.history import History
from gaopt.screen.live import Lines, Page
from gaopt.study.loop import Watch


@contextmanager
def watcher(name: str, as_json: bool, signals: Signals, pool: Pool) -> Iterator[Watch]:
    """JSON lines on stdout; else a live page where stderr is a terminal, plain lines on stderr where it is not."""
    if as_json:
        yield as_json_line
    elif not sys.stderr.isatty():
        yield Lines(sys.stderr)
    else:
        page = Page(name, lambda: bool(signals.received), lambda: pool.capacity)
        signals.told_on_a_page = True
        try:
            with page.live:
                yield page
        finally:
            signals.told_on_a_page = False


def as_json_line(history: History, event: events.Event) -> None:
    """One JSON object: the event as it is in the journal, with its time and kind."""
    kind, body = events.encode(event)
    print(json.dumps({"event": kind, "at": event.at} | json.loads(body)), flush=True)


def follow(look: Callable[[], Any], drawn: Callable[[Any], RenderableType], console: Console) -> None:
    """Draw what is looked at again and again, each second, until it does not run any more."""
    with Live(console=console, auto_refresh=False) as live:
        while True:
            now = look()
            live.update(drawn(now), refresh=True)
            if now.state != "running":
                return
            time.sleep(1)
