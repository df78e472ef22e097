"""A search as a program, a notebook or a thread runs it: what is seen meanwhile, and how it is stopped."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from gaopt.api.callbacks import Callbacks, calling
from gaopt.screen.live import STOPPING
from gaopt.screen.watching import watching
from gaopt.study.loop import run
from gaopt.study.prepare import Ready

if TYPE_CHECKING:
    from gaopt.api.study import Study


def drive(study: Study, ready: Ready, callbacks: Callbacks, progress: bool, allow_changed: bool) -> None:
    """Run a study to its end, from wherever it is.

    Raises:
        KeyboardInterrupt: by Ctrl-C, or a notebook's stop button. The study is put down; the same call goes on.
        GaoptError: see `gaopt.study.loop.run`.
    """
    home, interrupt = study.home, _Interrupt()
    with interrupt, watching(home, ready.config, progress, lambda: interrupt.received) as (seen, tick):

        def stop() -> None:
            tick()
            interrupt.check()

        watch = calling(callbacks, study, seen)
        try:
            study._follow(run(ready, home, watch=watch, stop=stop, allow_changed=allow_changed))
        except KeyboardInterrupt:
            again = f"gaopt.open({home.handle!r}).resume()"
            raise KeyboardInterrupt(f"stopped: the same call goes on, or {again}") from None
        finally:
            study._follow(None)


class _Interrupt:
    """Notes a first SIGINT, for the search to end in good order; a second one is a KeyboardInterrupt at once.

    Elsewhere than in the main thread no signal arrives, and none can be asked for.
    """

    received = False

    def check(self) -> None:
        if self.received:
            print(STOPPING, file=sys.stderr)
            raise KeyboardInterrupt

    def _note(self, number: int, frame: Any) -> None:
        if self.received:
            raise KeyboardInterrupt
        self.received = True

    def __enter__(self) -> None:
        main = threading.current_thread() is threading.main_thread()
        self._before: Any = signal.signal(signal.SIGINT, self._note) if main else None

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
