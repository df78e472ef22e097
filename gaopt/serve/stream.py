"""Events as they come, for many watchers: each journal is looked at four times a second, not once per watcher."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from gaopt.errors import GaoptError
from gaopt.serve.catalog import Catalog, Summary
from gaopt.serve.reader import Reader, announcement

TURN = 0.25
"""Seconds between two looks at a journal that somebody watches."""
LIST_TURN = 1.0
"""Seconds between two looks at all studies."""
SILENCE = 15.0
"""Seconds after which a stream says that it is still there."""
STILL_HERE = b": keep-alive\n\n"
RENEWED = 5.0
"""Seconds after which a running study's clock is told again."""
_log = logging.getLogger(__name__)


class Beat:
    """What is looked at again and again while anybody waits for it, and wakes all who wait."""

    def __init__(self, look: Callable[[], Any], seconds: float) -> None:
        self._look, self._seconds = look, seconds
        self.watchers = 0
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.value: Any = None  # also where it cannot be read, or is gone: the routes that read it tell why

    async def __aenter__(self) -> Beat:
        self.watchers += 1
        if self.watchers == 1:
            self._task = asyncio.create_task(self._run())
        try:
            await self._turn()
        except BaseException:  # who asked is gone
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.watchers -= 1
        if not self.watchers and self._task:
            self._task.cancel()
            self._task = None

    async def _turn(self) -> None:
        try:
            found = await asyncio.to_thread(self._look)
        except (GaoptError, OSError):
            found = None
        except Exception:
            _log.exception("a stream cannot be made now")
            found = None
        if found != self.value:
            self.value = found
            self._changed.set()
            self._changed = asyncio.Event()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self._turn()

    async def change(self, timeout: float) -> bool:
        """Wait until what is looked at is another; whether it is, before the time is over."""
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except TimeoutError:
            return False
        return True


class Streams:
    """The streams of a service: one of each study, and one of the list."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._studies: dict[str, tuple[_Turn, Beat]] = {}
        self._list = Beat(catalog.all, LIST_TURN)

    async def study(self, name: str, after: int) -> AsyncIterator[bytes]:
        """The events of a study after a number, and how far it is after each turn; until the study is removed."""
        if not (known := self._studies.get(name)):
            turn = _Turn(self._catalog, self._catalog.reader(name))
            known = self._studies[name] = turn, Beat(turn, TURN)
        reader, beat = known[0].reader, known[1]
        try:
            async with beat:
                yield STILL_HERE  # so that a browser knows that the stream is open
                life, position = reader.lives, after if after <= reader.number else 0
                while (seen := beat.value) and reader.lives == life:
                    while position < reader.number:
                        chunk, position = await asyncio.to_thread(reader.after, position)
                        yield chunk
                    yield seen
                    while beat.value is seen:
                        if not await beat.change(SILENCE):
                            yield STILL_HERE
        finally:
            if not beat.watchers:
                self._studies.pop(name, None)

    async def all(self) -> AsyncIterator[bytes]:
        """What changes in the list of studies; first of all those that are not over."""
        async with self._list:
            yield STILL_HERE
            before: dict[str, Summary] = {one["name"]: one for one in self._list.value or () if one["state"] in _OVER}
            while (seen := self._list.value) is not None:
                now = {one["name"]: one for one in seen}
                changed = [one for name, one in now.items() if before.get(name) != one]
                if changed or before.keys() - now.keys():
                    yield announcement("studies", {"changed": changed, "removed": sorted(before.keys() - now.keys())})
                before = now
                while self._list.value is seen:
                    if not await self._list.change(SILENCE):
                        yield STILL_HERE


_OVER = ("finished", "interrupted", "failed", "cut off", "empty", "unreadable", "cancelled")


class _Turn:
    """A look at a study: what a stream says of how far it is, made once for all watchers.

    It is another one after each event, and each few seconds while the study runs.
    """

    def __init__(self, catalog: Catalog, reader: Reader) -> None:
        self._catalog, self.reader = catalog, reader
        self._number, self._at, self._said = -1, 0.0, b""

    def __call__(self) -> bytes:
        number = self.reader.catch_up()
        if number != self._number or time.monotonic() - self._at > RENEWED:
            said = announcement(
                "progress", {**self._catalog.summary(self.reader.home.name, self.reader), "number": number}
            )
            self._number, self._at, self._said = number, time.monotonic(), said
        return self._said
