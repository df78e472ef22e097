"""A sign of life while something is begun that takes its time."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from gaopt.study.progress import clock


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on stderr what is waited for and how long it took last time; on a terminal also how long it has lasted."""
    kept = _kept(what)
    usual = _read(kept)
    hint = f" (last time it took {clock(usual)})" if usual is not None else ""
    begun = time.monotonic()
    if sys.stderr.isatty():
        with _drawn(lambda: Text(f"{what} … {clock(time.monotonic() - begun)}{hint}")):
            yield
    else:
        print(f"{what} …{hint}", file=sys.stderr, flush=True)
        yield
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(f"{time.monotonic() - begun:.0f}\n")


@contextmanager
def _drawn(line: Callable[[], Text]) -> Iterator[None]:
    live = Live(
        get_renderable=line, console=Console(stderr=True), refresh_per_second=2, transient=True,
        redirect_stdout=False, redirect_stderr=False,
    )  # fmt: skip
    # The thread that draws takes no signals: where they wait in this thread, they would be heard by it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        live.start(refresh=True)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield
    finally:
        live.stop()


def _kept(what: str) -> Path:
    cache = Path(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")) / "gaopt"
    return cache / f"{what.replace(' ', '-')}.seconds"


def _read(kept: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(kept.read_text()[:6])
    return None
