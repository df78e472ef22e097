"""The verbs that speak to a service: submit, queue, logs, stop, watch."""

from __future__ import annotations

import codecs
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click

from gaopt.cli.arguments import CONFIG, STUDY
from gaopt.cli.group import cli
from gaopt.cli.training import DATA, JSON, NAME, SEED, SETS, source_of, stem_of
from gaopt.errors import BadInput, StudyError
from gaopt.printable import printable, printable_lines
from gaopt.serve.client import Client, NoService, client, path_of

SERVICE = click.option(
    "--service", envvar="GAOPT_SERVICE", metavar="URL",
    help="Its address (or GAOPT_SERVICE), with the token in GAOPT_TOKEN or ~/.config/gaopt/token; by default the one"
    " that has results/.",
)  # fmt: skip
FOLLOW = click.option("--follow", is_flag=True, help="Stay until the study ends.")
AT_WORK = ("queued", "starting", "running", "stopping")
"""States of a study, and of its run in the queue, that change without anybody's doing."""
TURN = 1.0
"""Seconds between two looks at a log."""


@cli.command()
@click.argument("config", required=False, type=CONFIG)
@click.option("--generations", metavar="N", help="How many generations, the first one counted.")
@click.option("--pop", metavar="N", help="How many individuals in a generation.")
@SETS
@SEED
@DATA
@NAME
@FOLLOW
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with --follow events as JSON lines.")
@SERVICE
def submit(
    config: str | None, generations: str | None, pop: str | None, sets: tuple[str, ...], seed: str | None,
    data: str | None, name: str | None, follow: bool, as_json: bool, service: str | None,
) -> None:  # fmt: skip
    """Put a search into a service's queue. CONFIG is what `gaopt run` takes; a file is sent.

    Prints the study's name, and on stderr its link. --data is a path of the machine that the service runs on.
    """
    from gaopt.config.tables import is_named

    of = client(service)
    images = os.path.abspath(data) if data and of.here and not is_named(data) else data
    given: dict[str, Any] = {"name": name, "data": images}
    for key, number in (("generations", generations), ("population", pop), ("seed", seed)):
        given[key] = int(number) if number and number.isdecimal() else number  # else the service says what is wrong
    request = _asked_for(config, data) | {key: value for key, value in given.items() if value is not None}
    study = of.ask("POST", "/studies", {**request, "set": sets})
    link = of.address + path_of(study["name"])
    if as_json:
        click.echo(json.dumps({"event": "Submitted", **study, "link": link}))
    else:
        click.echo(study["name"])
        click.echo(link, err=True)
    if follow:
        _watch(of, study["name"], as_json)


def _asked_for(config: str | None, data: str | None) -> dict[str, str]:
    """A preset by its name: the service has its own. Else the text of a file."""
    from gaopt.config import presets
    from gaopt.config.tables import text_of

    name = config if config is not None else "images" if data else "digits"
    if name in presets():
        return {"preset": name}
    path = source_of(config, data)
    try:
        return {"config": text_of(path), "stem": stem_of(path)}
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be sent: {getattr(error, 'strerror', None) or error}") from None


@cli.group(invoke_without_command=True)
@SERVICE
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def queue(context: click.Context, service: str | None, as_json: bool) -> None:
    """What a service runs and what waits, in its order."""
    if context.invoked_subcommand is None:
        _show_queue(client(service).ask("GET", "/queue"), as_json)


@queue.command()
@click.argument("id", type=int)
@SERVICE
def cancel(id: int, service: str | None) -> None:
    """Take what waits off the queue. What runs is ended by `gaopt stop`."""
    client(service).ask("DELETE", f"/queue/{id}")


@queue.command()
@click.argument("id", type=int)
@click.argument("place", type=click.IntRange(min=1))
@JSON
@SERVICE
def move(id: int, place: int, as_json: bool, service: str | None) -> None:
    """Put what waits at another PLACE; 1 is the next to run."""
    _show_queue(client(service).ask("POST", f"/queue/{id}/move", {"position": place - 1}), as_json)


def _show_queue(found: dict[str, Any], as_json: bool) -> None:
    from gaopt.screen.console import console, listed
    from gaopt.study.progress import clock

    if as_json:
        click.echo(json.dumps(found))
        return
    rows = [
        (
            str(one["id"]),
            one["name"],
            one["state"],
            "" if one["position"] is None else str(one["position"] + 1),
            one["owner"],
            clock(time.time() - one["created"]),
        )
        for one in found["entries"]
    ]
    console().print(listed(("id", "study", "state", "place", "of", "since"), rows, ("id", "place", "since")))


@cli.command()
@click.argument("study", type=STUDY)
@FOLLOW
@SERVICE
def logs(study: str, follow: bool, service: str | None) -> None:
    """What a study that a service began has printed."""
    of, decoder = client(service), codecs.getincrementaldecoder("utf-8")("replace")
    text, end = of.log(study, tail=1 << 20)
    while True:
        click.echo(printable_lines(decoder.decode(text)), nl=False)
        if not text and (not follow or not _at_work(of.ask("GET", path_of(study)))):
            return
        if not text:
            time.sleep(TURN)
        text, end = of.log(study, after=end, tail=1 << 20)


@cli.command()
@click.argument("study", type=STUDY)
@SERVICE
def stop(study: str, service: str | None) -> None:
    """End a study in good order: one of a service, or one that `gaopt run` runs on this machine.

    What is being trained is given up; `gaopt resume` goes on from there.
    """
    try:
        state = client(service).ask("POST", f"{path_of(study)}/stop")["state"]
    except (BadInput, NoService) as error:
        if service is not None:
            raise
        state = _stopped_here(study, error)
    click.echo(f"{printable(study)} {state}")


def _stopped_here(study: str, refused: Exception) -> str:
    """Tell the process of this machine that holds a study to stop; `refused` says why the service does not."""
    from gaopt.journal.lock import check_free, holder
    from gaopt.journal.studies import find_study

    home = find_study(study)
    if pid := holder(home.path):
        os.kill(pid, signal.SIGTERM)
        return "stopping"
    try:
        check_free(home.path)
    except StudyError as error:
        raise StudyError(f"{error}: stop it there") from None
    raise refused if isinstance(refused, BadInput) else StudyError(f"the study {study!r} is not running")


@cli.command()
@click.argument("study", type=STUDY)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines, and at last the result.")
@SERVICE
def watch(study: str, as_json: bool, service: str | None) -> None:
    """Follow a study of a service until it ends. Ctrl-C ends the watching, not the study.

    Exits with 0 where the study finished, with 1 where it was stopped, failed or was cancelled.
    """
    _watch(client(service), study, as_json)


def _watch(of: Client, study: str, as_json: bool) -> None:
    from gaopt.journal.events import decode
    from gaopt.journal.history import History

    history, last, lock, number = History(), dict[str, Any](), threading.Lock(), 0
    with _shown(history, last, lock, as_json) as show:
        for kind, data in _until_cancelled(of.events(study), last):
            body = json.loads(data)
            if kind == "progress":
                last.update(body)
                if _is_over(last) and last["number"] <= number:
                    break
                continue
            event, number = decode(kind, data, body["at"]), number + 1
            with lock:
                history.add(event)
            show(history, event)
    if as_json:
        click.echo(json.dumps({"event": "Result", "study": study, **last}))
    if last["state"] != "finished":
        why = f": {last['error']}" if last.get("error") else ""
        click.echo(f"gaopt: the study {study!r} is {last['state']}{printable(why)}", err=True)
        click.get_current_context().exit(1)


def _until_cancelled(events: Iterator[tuple[str, str]], last: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The events of a study; one that is cancelled before it begins is gone."""
    try:
        yield from events
    except BadInput:
        if last.get("state") not in AT_WORK:
            raise
        last["state"] = "cancelled"


def _is_over(summary: dict[str, Any]) -> bool:
    """Whether nothing more comes. A run that was killed is begun again by the service."""
    if summary["state"] in ("cut off", "empty"):
        return not _at_work(summary)
    return summary["state"] not in AT_WORK


def _at_work(summary: dict[str, Any]) -> bool:
    return summary["state"] in AT_WORK or (summary["queue"] or {}).get("state") in AT_WORK


@contextmanager
def _shown(history: Any, last: dict[str, Any], lock: threading.Lock, as_json: bool) -> Iterator[Callable[..., None]]:
    """What is called with each event: JSON lines; else lines, or on a terminal a page that renews itself."""
    from rich.live import Live
    from rich.text import Text

    from gaopt.cli.live import as_json_line
    from gaopt.screen.console import console, page
    from gaopt.screen.live import Lines, sentence
    from gaopt.study.progress import progress

    screen, lines = console(), Lines(sys.stdout)

    def tell(history: Any, event: Any) -> None:
        if last:
            lines(history, event)
        elif line := printable(sentence(history, event)):  # of before: how far it was then would take the square of it
            print(line)

    def draw() -> Any:
        if not last:
            return Text("…")
        with lock:
            now = progress(last["name"], history, held=last["state"] in AT_WORK, now=time.time())
            return page(replace(now, state=last["state"]), time.time(), screen.width)

    if as_json:
        yield as_json_line
    elif not screen.is_terminal:
        yield tell
    else:
        with Live(console=screen, get_renderable=draw, refresh_per_second=4):
            yield lambda history, event: None
