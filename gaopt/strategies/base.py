"""The protocol of a strategy, and where its random numbers come from."""

import hashlib
import random
from dataclasses import dataclass
from typing import Protocol

from gaopt.journal.events import Bred, Granted
from gaopt.journal.history import History

USED_UP = "there was no individual left to train"


@dataclass(frozen=True)
class Wait:
    """Nothing is decided before more outcomes have come. False, as a decision never is."""

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True)
class Done:
    """The search is over; with the reason where it ended before its plan was through. False, too."""

    reason: str = ""

    def __bool__(self) -> bool:
        return False


Decision = Bred | Granted | Wait | Done


class Strategy(Protocol):
    """Decides what is trained next from what has happened, and from nothing else.

    It keeps no state: the same history always gives the same decision, and resuming is no different from going on.
    """

    def decide(self, history: History, room: int) -> Decision:
        """What to train next, or why nothing; `room` is how many individuals the pool could take now."""
        ...


def keyed(seed: int, *key: int) -> random.Random:
    """A generator for one purpose, the same in every process: keyed, never a stream that lives on."""
    digest = hashlib.blake2b(repr((seed, *key)).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))
