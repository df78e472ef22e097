"""Where tasks are turned into outcomes."""

from typing import Any

from gaopt.config import StudyConfig
from gaopt.objective import Objective
from gaopt.pools.base import Begun, Pool

__all__ = ["Begun", "Pool", "pool"]


def pool(config: StudyConfig, objective: Objective, shared: Any) -> Pool:
    """The pool that a config names.

    Args:
        shared: what `objective.prepare` made, for every task.
    """
    if config.pool.kind == "inline":
        from gaopt.pools.inline import Inline

        return Inline(objective, shared)
    from gaopt.pools.cluster import Cluster

    return Cluster(config.objective, shared, config.pool)
