"""Where tasks are turned into outcomes."""

from collections.abc import Callable, Mapping
from typing import Any

from gaopt.config import StudyConfig
from gaopt.execution.worker import Begun, Pool
from gaopt.journal.events import Data
from gaopt.objectives.base import Objective

__all__ = ["Begun", "Pool", "pool"]


def pool(config: StudyConfig, objective: Objective, shared: Callable[[], Any]) -> Pool:
    """The pool that a config names.

    Args:
        shared: gives what `objective.prepare` makes for every task; called in a thread while Ray starts.
    """

    def prepared() -> tuple[Any, Mapping[str, str], Data | None]:
        made = shared()
        return made, objective.made_of(made), getattr(objective, "data", lambda _: None)(made)

    if config.pool.kind == "inline":
        from gaopt.execution.inline import Inline

        return Inline(objective, *prepared())
    from gaopt.execution.ray.health import in_thread

    preparing = in_thread(prepared)
    from gaopt.execution.ray.pool import Cluster  # takes a while

    if preparing.done():
        preparing.result()  # data that are not there are no reason to start Ray
    return Cluster(config.objective, config.pool, preparing.result, max(config.litters))
