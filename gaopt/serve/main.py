"""`gaopt serve`: a service from its options to its end."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from gaopt.config import Notify
from gaopt.errors import ConfigError, Stopped, StudyError
from gaopt.execution.ray.token import token_command
from gaopt.journal.lock import StudyLock
from gaopt.serve.app import create
from gaopt.serve.folder import ServiceDir, read_json, write_private
from gaopt.serve.request import Policy
from gaopt.serve.runner import Processes, Runner
from gaopt.serve.service import Service
from gaopt.serve.tokens import OWNER

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EVERYWHERE = ("0.0.0.0", "::")
PORT = 8400


@dataclass(frozen=True)
class Options:
    """What `gaopt serve` was given."""

    host: str = "127.0.0.1"
    port: int = PORT
    slots: int = 1
    runner: str = "ray-jobs"
    address: str = ""
    names: tuple[str, ...] = ()
    data: tuple[Path, ...] = ()
    objectives: tuple[str, ...] = ()
    price: float | None = None
    notify: str | None = None
    notify_command: str | None = None


def serve(options: Options, say: Callable[[str], None]) -> None:
    """Run a service until it is told to stop.

    Raises:
        BadInput: an option cannot be used, or another service has this results folder.
    """
    Notify(options.notify or "")
    folder = ServiceDir.default()
    folder.make()
    try:
        lock = StudyLock(folder.path)
    except StudyError as error:
        raise StudyError(f"another service uses the results in {folder.path.parent}: {error}") from None
    listening = _listen(options.host, options.port)
    # uvicorn raises again what it was ended by, when it has ended; as an exception it lets us end, too.
    signal.signal(signal.SIGTERM, _stopped)
    try:
        _serve(options, folder, listening, say)
    finally:
        listening.close()
        lock.release()


def _stopped(number: int, frame: object) -> None:
    raise Stopped(number)


def _serve(options: Options, folder: ServiceDir, listening: socket.socket, say: Callable[[str], None]) -> None:
    port = listening.getsockname()[1]
    address = _address(options, port)
    hooks = {"GAOPT_NOTIFY": options.notify or "", "GAOPT_NOTIFY_COMMAND": options.notify_command or ""}
    environment = {"GAOPT_RESULTS": str(folder.path.parent), "GAOPT_LINK": f"{address}/studies", **hooks}
    runner, end = _runner(options, folder, environment, say)
    policy = Policy(options.objectives, options.data)
    service = Service(folder, runner, options.slots, policy, options.price, address)
    token = _owner(service, folder, options, port)
    if not _on_loopback(options):
        say(
            f"warning: the service is reached from other machines at {options.host}, without encryption: who reads"
            " along has the token; put it behind a proxy with TLS, or use an SSH tunnel to 127.0.0.1"
        )
    say(f"gaopt: {address}/login?token={token}")
    if runner.dashboard:
        say(f"Ray dashboard: {runner.dashboard}  (its token: {token_command()})")
    say(f"results in {folder.path.parent}; Ctrl-C ends the service, studies that run go on")
    service.dispatcher.start()
    config = uvicorn.Config(
        create(service, _hosts(options, port), port), log_level="warning", timeout_graceful_shutdown=3,
        server_header=False, access_log=False, h11_max_incomplete_event_size=64 << 10,
    )  # fmt: skip
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        service.dispatcher.close()
        running = [entry.name for entry in service.queue.active()]
        if running:
            them, go = ("it", "goes") if len(running) == 1 else ("them", "go")
            say(f"{', '.join(running)} {go} on; `gaopt serve` finds {them} again")
        else:
            end()
        service.queue.close()


def _listen(host: str, port: int) -> socket.socket:
    """A socket, so that a port that is taken is told before anything is started. 0 is any free port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(2048)
    except (OSError, OverflowError) as error:
        found.close()
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"{host}:{port} cannot be listened at: {why}: give another --port, 0 for any") from None
    return found


def _runner(
    options: Options, folder: ServiceDir, environment: dict[str, str], say: Callable[[str], None]
) -> tuple[Runner, Callable[[], None]]:
    """What runs studies, and what ends its Ray."""
    if options.runner == "process":
        address = {"RAY_ADDRESS": options.address} if options.address else {}
        return Processes(environment | address), lambda: None
    from gaopt.serve.ray_head import head, stop
    from gaopt.serve.ray_jobs import RayJobs, joined

    say("starting Ray …" if not options.address else f"joining the Ray cluster at {options.address} …")
    runner = RayJobs(lambda: joined(options.address) if options.address else head(folder), environment)
    return runner, lambda: stop(runner.head)


def _on_loopback(options: Options) -> bool:
    return options.host in ("127.0.0.1", "localhost", "::1")


def _listens_at(options: Options) -> str:
    """A name of this machine by which it is reached at the address that is listened at."""
    if options.host in EVERYWHERE:
        return socket.gethostname()
    return f"[{options.host}]" if ":" in options.host else options.host


def _address(options: Options, port: int) -> str:
    """Where people find the service. One with a name that listens on loopback alone is behind a proxy with TLS."""
    if options.names and _on_loopback(options):
        return f"https://{options.names[0]}"
    return f"http://{(*options.names, _listens_at(options))[0]}:{port}"


def _hosts(options: Options, port: int) -> set[str]:
    """What the header Host may say: a proxy has another port, which browsers leave out where it is the usual one."""
    own = {*LOOPBACK, _listens_at(options)}
    return {f"{name}:{port}" for name in (*own, *options.names)} | {*options.names} | (own if port == 80 else set())


def _owner(service: Service, folder: ServiceDir, options: Options, port: int) -> str:
    """The token of who started the service: the same as last time, so that pages stay logged in."""
    token = ""
    with suppress(StudyError):
        token = str(read_json(folder.connection).get("token", ""))
    known = service.tokens.by_token(token)
    if known is None or known.name != OWNER:
        token = service.tokens.add(OWNER, "write")
    here = "127.0.0.1" if options.host in EVERYWHERE else _listens_at(options)
    told = {"address": f"http://{here}:{port}", "token": token, "pid": os.getpid()}
    write_private(folder.connection, json.dumps(told))
    return token
