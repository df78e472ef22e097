"""The image objective's tables of the config: [data], [net], [recipe], and what a task makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from gaopt.config import OWN_TABLES, parse
from gaopt.errors import ConfigError, nearest
from gaopt.objectives.base import Task
from resnet.data import DataSpec
from resnet.recipe import RECIPES, Recipe
from resnet.spec import NetSpec

TABLES = ("data", "net", "recipe")
NET = "net."
"""What the name of a gene begins with that is a field of [net]. The others are fields of [recipe]."""


@dataclass(frozen=True)
class Settings:
    """The objective's tables of the config."""

    data: DataSpec
    net: NetSpec
    recipe: Recipe

    @classmethod
    def of(cls, tables: Any) -> Settings:
        """The tables, checked; a ConfigError for an unknown table or key, or a value out of range."""
        for table in tables:
            if table not in TABLES:
                raise ConfigError(f"unknown table [{table}]: {nearest(table, (*OWN_TABLES, *TABLES))}")
        return cls(
            parse(DataSpec, tables.get("data", {}), "data"),
            parse(NetSpec, tables.get("net", {}), "net"),
            _recipe(tables.get("recipe", {})),
        )

    @classmethod
    def of_task(cls, task: Task) -> Settings:
        """What a task trains: the config's tables with its genes, for its share of the epochs."""
        return cls.of(task.settings).with_genes(task.genes).shortened(task.share)

    def with_genes(self, genes: Mapping[str, Any]) -> Settings:
        """The same for an individual: "net.width" is a field of [net], "lr" one of [recipe].

        A ConfigError where a gene is no such field, or the values do not go together.
        """
        net = {name.removeprefix(NET): value for name, value in genes.items() if name.startswith(NET)}
        recipe = {name: value for name, value in genes.items() if not name.startswith(NET)}
        try:
            return replace(self, net=self.net.with_genes(net), recipe=self.recipe.with_genes(recipe))
        except ValueError as error:
            raise ConfigError(str(error)) from None

    def shortened(self, share: float) -> Settings:
        """The same for a share of the epochs: on a rung."""
        return replace(self, recipe=self.recipe.shortened(share))


def _recipe(table: Any) -> Recipe:
    """What the table does not say is that of the row it names. A whole recipe is itself again."""
    row = RECIPES.get(str(table.get("name"))) if isinstance(table, Mapping) else None
    return parse(Recipe, {**asdict(row), **table} if row else table, "recipe")
