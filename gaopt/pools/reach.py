"""What a Ray cluster cannot go on without, asked whether it is there: the head, and the Ray beside the driver.

Ray itself waits for the head for a minute and then ends the process from C++, with no word to Python.
"""

from __future__ import annotations

import socket
import time

from gaopt.errors import ConfigError, Lost

GRACE = 20.0
"""Seconds in which the head of a joined cluster may come back; less than Ray's own patience."""

DEAD = "the Ray process of this machine, the raylet, has died"


class Lifelines:
    """The two sockets of a cluster that a driver hangs on.

    Args:
        head: "host:port" of the cluster's head.
        beside: the path of the socket of the raylet on this machine.
        grace: seconds in which the head may come back.
    """

    def __init__(self, head: str, beside: str, grace: float) -> None:
        self._head, self._beside, self._grace = head, beside, grace

    def check(self) -> None:
        """
        Raises:
            Lost: one of them is gone, and the head for longer than the grace.
        """
        if not _listens(self._beside):
            raise Lost(DEAD)
        deadline = time.monotonic() + self._grace
        while not answers(self._head):
            if time.monotonic() >= deadline:
                raise Lost(f"the head of the Ray cluster, at {self._head}, is gone")
            time.sleep(0.5)


def answers(address: str, patience: float = 2.0) -> bool:
    """Whether somebody listens at "host:port"."""
    try:
        _connect(address, patience)
    except OSError:
        return False
    return True


def _connect(address: str, patience: float) -> None:
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=patience).close()


def _listens(path: str) -> bool:
    """Whether somebody listens at a socket in the file system; where that cannot be found out, yes."""
    with socket.socket(socket.AF_UNIX) as tried:
        try:
            tried.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
    return True


def knock(address: str | None) -> None:
    """Fail at once where nobody listens: Ray itself tries for minutes.

    Raises:
        ConfigError: the address is "host:port" and cannot be reached.
    """
    colon, port = (address or "").rpartition(":")[1:]
    if not address or not colon or not port.isdigit():
        return  # "auto", or a name that Ray knows what to do with
    try:
        _connect(address.removeprefix("ray://"), 10)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"the Ray cluster at {address!r} cannot be joined: {error}") from error


def free(port: int) -> bool:
    """Whether a port of this machine can be listened at."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Ray tries: one that was just left is free
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
