"""Hooks: a URL or a command that is told of new bests, and how a study ended. None of them holds the study up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import click

from gaopt import __version__
from gaopt.config.study import Notify
from gaopt.journal.events import Closed, Event, Failed, Opened, Scored
from gaopt.journal.history import History
from gaopt.printable import printable
from gaopt.report.format import plural
from gaopt.study.loop import Watch
from gaopt.study.progress import progress

WAITS = (0.0, 1.0, 3.0)
"""Seconds before each try."""
ANSWERED = 5.0
"""Seconds that a URL may take to answer a try."""
DONE = 30.0
"""Seconds that a command may take."""
BETWEEN = 60.0
"""Seconds between two new bests: of those in between only the last is told, and none once the study has ended."""
AT_END = 10.0
"""Seconds that the end of a run waits for its hooks."""

Message = Mapping[str, Any]
NamedHook = tuple[str, Callable[[Message], None]]
"""With what it is called where it fails."""
Notified = tuple[str | None, str | None]
"""A URL and a command, as options give them."""


def post(url: str) -> Callable[[Message], None]:
    """A hook that posts the message as JSON."""

    def send(message: Message) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": f"gaopt/{__version__}"}
        with urlopen(Request(url, json.dumps(message).encode(), headers), timeout=ANSWERED):
            pass

    return send


def call(command: str) -> Callable[[Message], None]:
    """A hook that runs a line of the shell, with the message as JSON on its stdin."""

    def send(message: Message) -> None:
        told = {"GAOPT_EVENT": message["event"], "GAOPT_STUDY": message["study"]}
        child = subprocess.Popen(
            command, shell=True, text=True, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, **told}, start_new_session=True,  # a Ctrl-C is not meant for it
        )  # fmt: skip
        try:
            _, said = child.communicate(json.dumps(message), timeout=DONE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            raise
        if child.returncode:
            last = said.strip().rpartition("\n")[2]
            raise ChildProcessError(f"exit code {child.returncode}{last and f': {last}'}")

    return send


class Hook(threading.Thread):
    """Sends messages one after the other, in a thread of its own."""

    def __init__(self, name: str, send: Callable[[Message], None]) -> None:
        super().__init__(name=f"notify {name}", daemon=True)
        self._shown, self._send = name, send
        self._latest: Message = {}
        self._fresh, self._ended = threading.Event(), threading.Event()
        self.start()

    def tell(self, message: Message) -> None:
        """Send this, and nothing older that was not sent yet; one that is no new best is the last."""
        self._latest = message
        if message["event"] != "best":
            self._ended.set()
        self._fresh.set()

    def run(self) -> None:
        while True:
            self._fresh.wait()
            self._fresh.clear()
            message = self._latest
            self._deliver(message)
            if message["event"] != "best":
                return
            self._ended.wait(BETWEEN)

    def _deliver(self, message: Message) -> None:
        last, why = message["event"] != "best", ""
        for wait in WAITS:
            if last:
                time.sleep(wait)
            elif self._ended.wait(wait):
                return  # how the study ended is more than that
            try:
                self._send(message)
                return
            except (OSError, ValueError, HTTPException, subprocess.SubprocessError) as error:
                why = str(error)
        click.echo(printable(f"note: {self._shown} was not told of {message['text']!r}: {why}"), err=True)


class Notifier:
    """A watcher of events that tells hooks of some."""

    def __init__(self, name: str, hooks: list[Hook]) -> None:
        self._name, self._hooks = name, hooks
        self._history, self._best, self._ended = History(), -1, False
        if page := os.environ.get("GAOPT_LINK"):  # set by a service
            self._link = {"link": f"{page}/{name}"}
        else:
            self._link = {}

    def __call__(self, history: History, event: Event) -> None:
        self._history = history
        best = history.best.id if isinstance(event, Opened | Scored | Failed) and history.best else self._best
        if isinstance(event, Closed):
            self._tell(event.reason, event.at)
        elif best != self._best:
            self._best = best
            if not isinstance(event, Opened):  # else it was told before
                self._tell("best", event.at)

    def _tell(self, what: str, at: float) -> None:
        self._ended = what != "best"
        now = progress(self._name, self._history, held=not self._ended, now=at)
        found = f"{now.fitness:.4f} by individual {now.best.id}" if now.best else ""
        said = f"new best {found}" if what == "best" else f"{what}{found and f', best {found}'}"
        text = f"{self._name}: {said}, {now.done} of {plural(now.trainings, 'training')}"
        told = {"event": what, "study": self._name, "state": "running" if what == "best" else what}
        counted = {"best": now.plain()["best"], "done": now.done, "trainings": now.trainings}
        for hook in self._hooks:
            hook.tell(told | counted | {"at": at, "text": printable(text)} | self._link)

    def close(self) -> None:
        """Wait for the last message, not for long."""
        if self._history.opened and not self._ended:  # a full disk took no end
            self._tell("failed", time.time())
        deadline = time.monotonic() + AT_END
        for hook in self._hooks if self._ended else ():
            hook.join(max(0.0, deadline - time.monotonic()))


def hooks_of(config: Notify, url: str | None, command: str | None) -> list[NamedHook]:
    """What is to be told: by a name that may be shown, for a webhook's path is its password."""
    found = list[NamedHook]()
    if where := Notify(url).url if url else config.url:
        found.append((f"{urlsplit(where).scheme}://{urlsplit(where).hostname}/…", post(where)))
    if command:
        found.append((f"`{command}`", call(command)))
    return found


@contextmanager
def notifying(name: str, hooks: Sequence[NamedHook], watch: Watch) -> Iterator[Watch]:
    """A watcher that also tells the hooks; at the end they are waited for."""
    notifier = Notifier(name, [Hook(*hook) for hook in hooks])

    def both(history: History, event: Event) -> None:
        watch(history, event)
        notifier(history, event)

    try:
        yield both
    finally:
        notifier.close()
