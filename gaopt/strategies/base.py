"""The protocol of a strategy, and where its random numbers come from."""

from __future__ import annotations

import hashlib
import random
from typing import Protocol

from gaopt.events import Decision
from gaopt.history import History


class Strategy(Protocol):
    """Decides what is trained next from what has happened, and from nothing else.

    The same history always gives the same decision: a strategy keeps no state, so that resuming a study is
    no different from going on with it.
    """

    def decide(self, history: History, room: int) -> Decision | None:
        """The next decision; None when outcomes are awaited, or when the search is over.

        Args:
            room: how many individuals the pool could take now.
        """
        ...


def keyed(seed: int, *key: int) -> random.Random:
    """A generator for one purpose, the same in every process: keyed, never a stream that lives on."""
    digest = hashlib.blake2b(repr((seed, *key)).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))
