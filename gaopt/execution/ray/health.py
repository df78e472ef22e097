"""What a Ray cluster cannot go on without, asked whether it is there: the head, and the Ray beside the driver.

Ray itself waits for the head for a minute and then ends the process from C++, with no word to Python.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any

from gaopt.errors import ConfigError, Lost

GRACE = 20.0
"""Seconds in which the head of a joined cluster may come back; less than Ray's own patience."""

DEAD = "the Ray process of this machine, the raylet, has died"


class HeadWatch:
    """The two connections of a cluster that a driver hangs on.

    Args:
        head: "host:port" of the cluster's head.
        beside: the path of the socket of the raylet on this machine.
        grace: seconds in which the head may come back.

    Attributes:
        cut: one of them is gone for good.
    """

    def __init__(self, head: str, beside: str, grace: float) -> None:
        self._head, self._grace, self.cut = head, grace, False
        # Held, not made anew each time: the raylet writes a line into its log for each one that is closed.
        self._beside = socket.socket(socket.AF_UNIX)
        with suppress(OSError):
            self._beside.connect(beside)

    def check(self) -> None:
        """Look whether both are there.

        Raises:
            Lost: the raylet is gone, or the head for longer than the grace.
        """
        deadline = time.monotonic() + (0 if self.cut else self._grace)
        while self._held():
            if is_listening(self._head):
                return
            if time.monotonic() >= deadline:
                raise self._lost(f"the head of the Ray cluster, at {self._head}, is gone")
            time.sleep(0.5)
        raise self._lost(DEAD)

    def ask(self, question: Callable[[], Any]) -> Any:
        """The answer to a question that Ray puts to the head; while it is out, the head may die.

        Raises:
            Lost: it did.
        """
        self.check()
        return awaited(in_thread(question), self.check)

    def _lost(self, message: str) -> Lost:
        self.cut = True
        return Lost(message)

    def _held(self) -> bool:
        """Whether the raylet still holds the other end."""
        try:
            return self._beside.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self) -> None:
        self._beside.close()


def in_thread(call: Callable[[], Any]) -> Future[Any]:
    """A call in a thread that may hang: it keeps nobody from ending."""
    future: Future[Any] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def awaited(future: Future[Any], look: Callable[[], None]) -> Any:
    """The result of a call in a thread; twice a second until it is there `look` is called, which may raise."""
    while wait([future], timeout=0.5).not_done:
        look()
    return future.result()


def is_listening(address: str, patience: float = 2.0) -> bool:
    """Whether somebody listens at "host:port"."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=patience).close()
    except OSError:
        return False
    return True


def check(address: str) -> None:
    """Refuse an address that gaopt cannot join.

    Raises:
        ConfigError: the address names no cluster that this machine could be a node of.
    """
    if "@" in address:  # of RAY_ADDRESS: the config's would have been refused
        raise ConfigError("RAY_ADDRESS holds an '@': Ray's addresses are HOST:PORT, without user and password")
    if address.startswith("ray://"):  # Ray's client knows no tasks that stream
        raise ConfigError(f"the address is {address!r}: this machine must be a node of the cluster, at HOST:PORT")


def check_listening(address: str) -> None:
    """Fail soon where no Ray listens: Ray itself tries for minutes.

    Raises:
        OSError, OverflowError: nobody answers at "host:port" as the head of a cluster would.
    """
    host, _, port = address.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=10) as there:
        if os.environ.get("RAY_USE_TLS", "0") not in ("", "0"):
            return
        there.sendall(_PREFACE)
        answer = there.recv(9)
    if answer[3:4] != _SETTINGS:
        raise ConnectionError("what listens there is no Ray")


_SETTINGS = b"\x04"
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + _SETTINGS + bytes(5)
"""How a client of HTTP/2, which gRPC is, begins (RFC 9113, section 3.4): both sides send a frame of settings first."""


DASHBOARD = range(8265, 8316)
"""The ports of which Ray's dashboard takes the first that is free. Where none is, Ray itself would not start."""


def free(port: int) -> bool:
    """Whether a port of this machine can be listened at."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Ray tries: one that was just left is free
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
