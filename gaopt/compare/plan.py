"""What a comparison is to do: its table, beside the configs of what it compares."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

import tomli_w
from annotated_types import Ge, Gt, Le

from gaopt.config import StudyConfig, from_tables, parse
from gaopt.config.parsing import table
from gaopt.config.tables import read_toml
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.paths import ComparisonDir
from gaopt.objectives.base import resolve


@dataclass(frozen=True)
class Plan:
    """The table [comparison] of a plan, and the configs."""

    methods: tuple[str, ...]  # their names, the first being the one that the others are held against
    configs: Mapping[str, Mapping[str, Any]]  # by name; a method that is none of these names searches with the first
    studies: tuple[str, ...] = ()  # folders of studies that are there already, and are all that is compared; else none
    seeds: Annotated[int, Ge(1), Le(1000)] = 5
    budget: Annotated[float, Ge(0)] = 0.0  # of each search
    cost: Literal["epochs", "seconds"] = "epochs"  # what the budget is counted in
    finals: Annotated[int, Ge(1), Le(100)] = 1  # trainings of each winner when the searches are over
    difference: Annotated[float, Gt(0)] = 0.01  # worth showing, in units of fitness: 0.01 is a point of accuracy

    @property
    def base(self) -> StudyConfig:
        """The config of the first: what all searches have in common."""
        return self.config(next(iter(self.configs)))

    def config(self, name: str) -> StudyConfig:
        """A config of the plan, checked and complete."""
        config = from_tables(self.configs[name])
        return resolve(config.objective).check(config)


def write(plan: Plan, home: ComparisonDir) -> None:
    settings = asdict(plan)
    configs = settings.pop("configs")
    home.write(home.plan, tomli_w.dumps({"comparison": settings, "configs": configs}))


def read(home: ComparisonDir) -> Plan:
    """The plan of a folder; a ConfigError where the file was changed to something that is none."""
    tables = read_toml(home.plan)
    plan = parse(Plan, {**table(tables, "comparison"), "configs": tables.get("configs", {})}, "comparison")
    if not plan.configs or not plan.methods:
        raise ConfigError(f"{home.plan} names no configs or no methods: it is not what a comparison wrote")
    return plan


def extended(plan: Plan, seeds: int | None) -> Plan:
    """The same with more seeds; a StudyError for fewer, and where it compares studies that have theirs."""
    if seeds and plan.studies:
        raise StudyError("--seeds is given, and studies that are there are compared as they are: leave it out")
    if seeds and seeds < plan.seeds:
        raise StudyError(f"--seeds is {seeds}: the comparison has {plan.seeds} already")
    return replace(plan, seeds=seeds or plan.seeds)
