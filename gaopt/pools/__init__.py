"""Where tasks are turned into outcomes."""

from typing import Any

from gaopt.config import StudyConfig
from gaopt.objective import Described, Objective
from gaopt.pools.base import Begun, Pool

__all__ = ["Begun", "Pool", "pool"]


def pool(config: StudyConfig, objective: Objective, shared: Any) -> Pool:
    """The pool that a config names.

    Args:
        shared: what `objective.prepare` made, for every task.
    """
    made_of = objective.made_of(shared)
    data = objective.data(shared) if isinstance(objective, Described) else None
    if config.pool.kind == "inline":
        from gaopt.pools.inline import Inline

        return Inline(objective, shared, made_of, data)
    from gaopt.pools.cluster import Cluster

    return Cluster(config.objective, shared, config.pool, made_of, data)
