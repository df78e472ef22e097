"""Callbacks: what is called at every event of a search while it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from gaopt.errors import ConfigError
from gaopt.journal.events import Event
from gaopt.journal.history import History
from gaopt.printable import printable
from gaopt.study.loop import Watch

if TYPE_CHECKING:
    from gaopt.api.study import Study

log = logging.getLogger("gaopt")


class Callback(Protocol):
    """An object with a method that is called at every event of a search, in the thread that called `search`.

    An event is one of `gaopt.events`: `Opened`, `Bred`, `Started`, `Reported` (an epoch), `Scored`, `Failed`, …,
    `Closed`; `study.history` has it already. The search waits for a callback. One that raises an exception is logged
    once and not called again; the search goes on. A `KeyboardInterrupt` from one stops the search in good order.

    Examples:
        >>> class Best:
        ...     def on_event(self, study, event):
        ...         if isinstance(event, gaopt.events.Scored):
        ...             print(study.best.value)
        >>> gaopt.search(objective, space, callbacks=[Best()])
    """

    def on_event(self, study: Study, event: Event) -> None: ...


Callbacks = Sequence[Callback | Callable[["Study", Event], object]]
"""Each an object with `on_event`, or a function with the same arguments."""


def calling(callbacks: Callbacks, study: Study, watch: Watch) -> Watch:
    """A watcher that also calls the callbacks.

    Raises:
        ConfigError: one of them cannot be called.
    """
    calls: list[tuple[Any, Any]] = [(each, getattr(each, "on_event", each)) for each in callbacks]
    for each, call in calls:
        if not callable(call) or isinstance(each, type):
            raise ConfigError(f"the callback {each!r} must be a function, or an object with a method on_event")

    def both(history: History, event: Event) -> None:
        watch(history, event)
        study._follow(history)
        for each, call in tuple(calls):
            try:
                call(study, event)
            except Exception as error:
                calls.remove((each, call))
                name, what = getattr(each, "__name__", type(each).__name__), type(event).__name__
                said = f"{name} failed at {what} and is not called again: {type(error).__name__}: {error}"
                log.warning("note: %s", printable(said))

    return both
