"""What a training takes of a Ray cluster: an accelerator, or CPU cores."""

from __future__ import annotations

from typing import Any

import ray

from gaopt.config import PoolConfig
from gaopt.errors import ConfigError


def wanted(config: PoolConfig) -> tuple[str, str, float]:
    """The resource that a training takes, the config's key for how much of it, and how much.

    Raises:
        ConfigError: the cluster has no such accelerator. Without a GPU, which every config asks for, CPUs train.
    """
    name = config.accelerator
    there = [kind for kind, number in ray.cluster_resources().items() if number > 0 and ":" not in kind]
    if config.gpus and name in there:
        return name, "pool.gpus", config.gpus
    if config.gpus and name != "GPU":
        known = sorted({*there} - {"CPU", "memory", "object_store_memory"})
        raise ConfigError(f"pool.accelerator is {name!r}: the cluster has {', '.join(known) or 'no accelerators'}")
    return "CPU", "pool.cpus", float(config.cpus)


def needs(kind: str, number: float) -> dict[str, Any]:
    """The options of a task of Ray's that takes so much of a resource.

    Of CPUs a training on an accelerator counts none: eight GPUs of a node with two cores are all used.
    """
    if kind == "CPU":
        return {"num_cpus": number}
    return {"num_cpus": 0} | ({"num_gpus": number} if kind == "GPU" else {"resources": {kind: number}})
