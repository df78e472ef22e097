"""The config of a study: a TOML file, overrides, and the checks that make one clear sentence of a mistake."""

from gaopt.config.parsing import parse, parse_value
from gaopt.config.search import Assisted, Faults, Fidelity, First, Genetic, GridConfig, Noise, Operators, Stop, Warm
from gaopt.config.strategies import COMPARED, SEARCHES, STRATEGIES
from gaopt.config.study import (
    COMPARE,
    DECIDING,
    OWN_TABLES,
    Notify,
    PoolConfig,
    StudyConfig,
    from_tables,
    genes_of,
    load,
    variant_space,
)
from gaopt.config.tables import experiments, find, presets
from gaopt.config.unused_keys import check_unused_keys
