"""Where tasks are turned into outcomes."""

from typing import Any

from gaopt.config import StudyConfig
from gaopt.execution.worker import Begun, Pool
from gaopt.objectives.base import Objective

__all__ = ["Begun", "Pool", "pool"]


def pool(config: StudyConfig, objective: Objective, shared: Any) -> Pool:
    """The pool that a config names.

    Args:
        shared: what `objective.prepare` made, for every task.
    """
    made_of = objective.made_of(shared)
    data = getattr(objective, "data", lambda _: None)(shared)
    if config.pool.kind == "inline":
        from gaopt.execution.inline import Inline

        return Inline(objective, shared, made_of, data)
    from gaopt.execution.ray.pool import Cluster

    return Cluster(config.objective, shared, config.pool, made_of, data)
