"""The config of a study: a TOML file, overrides, and the checks that make one clear sentence of a mistake."""

from gaopt.config.faults import Faults
from gaopt.config.parsing import parse, parse_value
from gaopt.config.search import Assisted, Fidelity, First, Genetic, GridConfig, Noise, Operators, Stop, Warm
from gaopt.config.shipped import experiments, find, presets
from gaopt.config.study import (
    COMPARE,
    DECIDING,
    OWN_TABLES,
    PEERS,
    SEARCHES,
    PoolConfig,
    StrategyName,
    StudyConfig,
    from_tables,
    genes_of,
    load,
    variant_space,
)
from gaopt.config.unread import check_read

__all__ = [
    "COMPARE",
    "DECIDING",
    "OWN_TABLES",
    "PEERS",
    "SEARCHES",
    "Assisted",
    "Faults",
    "Fidelity",
    "First",
    "Genetic",
    "GridConfig",
    "Noise",
    "Operators",
    "PoolConfig",
    "Stop",
    "StrategyName",
    "StudyConfig",
    "Warm",
    "check_read",
    "experiments",
    "find",
    "from_tables",
    "genes_of",
    "load",
    "parse",
    "parse_value",
    "presets",
    "variant_space",
]
