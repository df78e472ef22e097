"""Ctrl-C, SIGTERM and SIGHUP, turned into an end in good order."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

from gaopt.errors import Stopped
from gaopt.screen.live import STOPPING

SHOW_CURSOR = b"\x1b[?25h"
"""To a terminal: a page that renews itself has hidden it."""


class Signals:
    """Notes SIGINT, SIGTERM and SIGHUP (a terminal that is gone), for the search to end in good order.

    A second one ends the process at once, but for SIGHUP: a shell that ends and the kernel may both send it. A handler
    that raised would do so anywhere, also inside of Ray, which turns it into an error of another kind. A word from here
    would push down a page that renews itself: where that says that the search stops, it is `told_on_a_page`.
    """

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.received: int | None = None
        self.told_on_a_page = False
        self._terminals = [stream for stream in (1, 2) if os.isatty(stream)]

    def check(self) -> None:
        """Raise `Stopped` if a signal came."""
        if self.received:
            raise Stopped(self.received)

    def listen(self) -> None:
        for number in self.numbers:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup: it is to go on
                signal.signal(number, self._note)

    def _note(self, number: int, frame: Any) -> None:
        if number == signal.SIGHUP:
            self._hush()  # a terminal that is gone takes no more words
        if self.received:
            if number != signal.SIGHUP:
                self._write(SHOW_CURSOR if 2 in self._terminals else b"")
                os._exit(128 + number)
            return
        self.received = number
        if not self.told_on_a_page:
            self._write(f"{STOPPING}\n".encode())

    @staticmethod
    def _write(words: bytes) -> None:
        with suppress(OSError):  # stderr may be gone, with the terminal
            os.write(2, words)  # print is not safe in a handler

    def _hush(self) -> None:
        for stream in self._terminals:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)

    def __enter__(self) -> Signals:
        self._before = {number: signal.getsignal(number) for number in self.numbers}
        self.listen()
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            if handler is not None:  # one that C had installed cannot be put back
                signal.signal(number, handler)
