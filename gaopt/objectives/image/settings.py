"""The image objective's tables of the config: [data], [net], [recipe]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gaopt.config import OWN_TABLES, parse
from gaopt.errors import ConfigError, nearest
from resnet.data import DataSpec
from resnet.recipe import RECIPES, Recipe
from resnet.spec import NetSpec

TABLES = ("data", "net", "recipe")


@dataclass(frozen=True)
class Settings:
    """The objective's tables of the config."""

    data: DataSpec
    net: NetSpec
    recipe: Recipe

    @classmethod
    def of(cls, tables: Any) -> Settings:
        """
        Raises:
            ConfigError: an unknown table or key, or a value out of range.
        """
        for table in tables:
            if table not in TABLES:
                raise ConfigError(f"unknown table [{table}]: {nearest(table, (*OWN_TABLES, *TABLES))}")
        return cls(
            parse(DataSpec, tables.get("data", {}), "data"),
            parse(NetSpec, tables.get("net", {}), "net"),
            _recipe(tables.get("recipe", {})),
        )


def _recipe(table: Any) -> Recipe:
    """What the table does not say is that of the row it names. A whole recipe is itself again."""
    row = RECIPES.get(str(table.get("name"))) if isinstance(table, Mapping) else None
    return parse(Recipe, {**asdict(row), **table} if row else table, "recipe")
