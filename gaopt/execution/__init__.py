"""Where tasks are turned into outcomes."""

from collections.abc import Callable, Mapping
from typing import Any

from gaopt.config import StudyConfig
from gaopt.errors import ConfigError
from gaopt.execution.ray.health import awaited, in_thread
from gaopt.execution.worker import Begun, Pool
from gaopt.journal.events import Data
from gaopt.objectives.base import Objective

__all__ = ["Begun", "Pool", "pool"]


def pool(
    config: StudyConfig, objective: Objective, shared: Callable[[], Any], stop: Callable[[], None] = lambda: None
) -> Pool:
    """The pool that a config names.

    Args:
        shared: gives what `objective.prepare` makes for every task; called in a thread, while Ray starts.
        stop: called twice a second while that is waited for; raises `Stopped` to end it.
    """

    def prepare() -> tuple[Any, Mapping[str, str], Data | None]:
        try:
            made = shared()
        except SystemExit as error:
            raise ConfigError(f"what the objective prepares ended with SystemExit: {error.code}") from error
        return made, objective.made_of(made), getattr(objective, "data", lambda _: None)(made)

    preparing = in_thread(prepare)

    if config.pool.kind == "inline":
        from gaopt.execution.inline import Inline

        return Inline(objective, *awaited(preparing, stop))
    from gaopt.execution.ray.pool import Cluster  # takes a while

    if preparing.done():
        preparing.result()  # data that are not there are no reason to start Ray
    return Cluster(config.objective, config.pool, lambda: awaited(preparing, stop), max(config.litters))
