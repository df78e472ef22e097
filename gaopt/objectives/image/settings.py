"""The image objective's tables, with an individual's genes, and whether they can be trained."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice, pairwise
from typing import Any, Literal, Self

from gaopt.config import OWN_TABLES, SEARCHES, StudyConfig, parse, parse_value
from gaopt.config.tables import reported
from gaopt.errors import ConfigError, nearest
from gaopt.objectives.base import Task
from gaopt.printable import spoken
from gaopt.space.gene import AnyGene, Choice, Gene
from gaopt.space.space import Genes, Space
from resnet.data import DataSpec
from resnet.recipe import RECIPES, Recipe
from resnet.spec import FAMILIES, NetSpec

TABLES = ("data", "net", "recipe", "fitness")
NET = "net."  # what the name of a gene begins with that is a field of [net]. The others are fields of [recipe]

DRAWN = 200  # random individuals that are checked besides the ends and choices of each gene

Check = Callable[[Genes], object]  # raises a ConfigError for genes that cannot be trained


@dataclass(frozen=True)
class Fitness:
    """What a search looks for: the key of [fitness] in docs/config.md."""

    metric: Literal["top1", "balanced", "macro_f1", "top5", "-loss", "auc"] = "top1"

    @property
    def key(self) -> str:
        """Its name among the metrics of a training."""
        return reported(self.metric)


@dataclass(frozen=True)
class Settings:
    """The objective's tables of the config."""

    data: DataSpec
    net: NetSpec
    recipe: Recipe
    fitness: Fitness = Fitness()

    @classmethod
    def of(cls, tables: Any) -> Self:
        """The tables, checked; a ConfigError for an unknown table or key, or a value out of range."""
        for table in tables:
            if table not in TABLES:
                raise ConfigError(f"unknown table [{table}]: {nearest(table, (*OWN_TABLES, *TABLES))}")
        return cls(
            parse(DataSpec, tables.get("data", {}), "data"),
            parse(NetSpec, tables.get("net", {}), "net"),
            _recipe(tables.get("recipe", {})),
            parse(Fitness, tables.get("fitness", {}), "fitness"),
        )

    @classmethod
    def of_task(cls, task: Task) -> Self:
        """What a task trains: the config's tables with its genes, for its share of the epochs."""
        return cls.of(task.settings).with_genes(task.genes).shortened(task.share)

    def with_genes(self, genes: Mapping[str, Any]) -> Self:
        """The same for an individual: "net.width" is a field of [net], "lr" one of [recipe]; else a ConfigError."""
        net = {name.removeprefix(NET): value for name, value in genes.items() if name.startswith(NET)}
        recipe = {name: value for name, value in genes.items() if not name.startswith(NET)}
        try:
            return replace(self, net=self.net.with_genes(net), recipe=self.recipe.with_genes(recipe))
        except ValueError as error:
            raise ConfigError(str(error)) from None

    def basic(self, net: NetSpec) -> NetSpec:
        """`net` with this individual's name, and whether it drops: all of its genes that decide if it can be built."""
        drop, path = (0.1 if rate > 0 else rate for rate in (self.net.drop_rate, self.net.drop_path_rate))
        return replace(net, name=self.net.name, drop_rate=drop, drop_path_rate=path)

    def shortened(self, share: float) -> Self:
        """The same for a share of the epochs: on a rung."""
        return replace(self, recipe=self.recipe.shortened(share))

    def check_genes(self, config: StudyConfig) -> None:
        """A ConfigError for a gene that is no field, a value out of its range, or values that do not go together."""
        for name, gene in config.space.items():
            whole = [_check_value(name, value) for value in ends(gene)]
            if any(whole) and isinstance(gene, Gene) and not gene.integer:
                table = "net" if name.startswith(NET) else "recipe"
                key = f'"{name}"' if "." in name else name  # as a TOML file has it
                raise ConfigError(f"the gene {name!r} is a whole number of the {table}: set space.{key}.integer = true")
        for each in (*config.given, config.fixed):
            for name, value in each.items():
                _check_value(name, value)
            self.with_genes(each)
        if config.strategy != "fixed":
            check_individuals(config.space, self.with_genes)

    def check_rungs(self, config: StudyConfig) -> None:
        """A ConfigError where two rungs come to the same number of epochs."""
        if config.strategy not in SEARCHES:
            return
        gene = config.space.get("epochs")
        fewest = self.with_genes({"epochs": min(ends(gene))} if gene else {})
        for one, other in pairwise((*config.fidelity.rungs, 1.0)):  # which increase
            epochs = fewest.shortened(one).recipe.epochs
            if epochs == fewest.shortened(other).recipe.epochs:
                both = f"the shares {one:g} and {other:g} of {fewest.recipe.epochs} epochs are both {epochs}"
                raise ConfigError(f"fidelity.rungs: {both}: must be an epoch apart")

    def default(self, space: Space) -> Genes:
        """The value of each gene in the tables or, where they leave it to the network's name, in its family."""
        tables = {NET + name: value for name, value in asdict(self.net).items()} | asdict(self.recipe)
        found = {name: tables[name] for name in space}
        if self.net.name in FAMILIES:
            family, units = self.net.family, set(self.net.family.units)
            own = {NET + key: getattr(family, key) for key in ("stem", "shortcut", "order")}
            own[NET + "units"] = units.pop() if len(units) == 1 else None
            found |= {name: own[name] for name in own.keys() & space.keys() if found[name] not in ends(space[name])}
        return found

    def doubts(self, config: StudyConfig) -> list[str]:
        """Sentences on settings that can be trained and learn nothing."""
        if config.strategy == "fixed":
            where, most = "mom", config.fixed.get("mom", self.recipe.mom)
        elif gene := config.space.get("mom"):
            where, most = "space.mom", max(ends(gene))
        else:
            where, most = "recipe.mom", self.recipe.mom
        if most < 1:
            return []
        told = f"{where} {'goes up to' if where == 'space.mom' else 'is'} {most:g}"
        return [f"{told}, and a training with a momentum of 1 or more does not learn: 0.99 is enough"]


def _recipe(table: Any) -> Recipe:
    """What the table does not say is that of the row it names. A whole recipe is itself again."""
    row = RECIPES.get(str(table.get("name"))) if isinstance(table, Mapping) else None
    return parse(Recipe, {**asdict(row), **table} if row else table, "recipe")


def check_individuals(space: Space, check: Check) -> None:
    """Raise a ConfigError for an individual of the space that the check refuses, naming the genes at fault."""
    for genes in individuals(space):
        if not _refusal(check, genes):
            continue
        for name in list(genes):  # down to the fewest that are refused; the others have the config's own value
            fewer = {other: value for other, value in genes.items() if other != name}
            genes = fewer if _refusal(check, fewer) else genes
        said = " with ".join(f"{name} = {spoken(value)}" for name, value in genes.items())
        raise ConfigError((f"the space has {said}: " if said else "") + _refusal(check, genes))


def individuals(space: Space) -> Iterator[Genes]:
    """A sample of the space: one individual at each end and choice of every gene, then others drawn evenly.

    A value is left out where a hundred draws find none with it that the conditions and constraints allow.
    """
    rng = random.Random(0)
    for name, gene in space.items():
        for value in ends(gene):
            points = ({each: other.at(rng.random()) for each, other in space.items()} for _ in range(100))
            drawn = (space.expressed(point | {name: value}) for point in points)
            yield from islice((genes for genes in drawn if name in genes and space.allows(genes)), 1)
    for _ in range(DRAWN):
        yield space.sample(rng)


def ends(gene: AnyGene) -> tuple[Any, ...]:
    """The choices of a gene, or its lowest and highest value."""
    if isinstance(gene, Choice):
        return gene.choices
    return (int(gene.low), int(gene.high)) if gene.integer else (gene.low, gene.high)


def _refusal(check: Check, genes: Genes) -> str:
    try:
        check(genes)
    except ConfigError as error:
        return str(error)
    return ""


def _check_value(name: str, value: Any) -> bool:
    """Check a value by itself; whether the gene is a whole number."""
    kind, table, field = (NetSpec, "net", name.removeprefix(NET)) if name.startswith(NET) else (Recipe, "recipe", name)
    own = getattr(kind, field, None)
    try:
        kind().with_genes({field: own})
    except ValueError as error:
        raise ConfigError(str(error)) from None
    whole = type(own) is int
    if whole and isinstance(value, float) and value % 1 == 0:
        value = int(value)
    parse_value(kind, field, value, f"as a gene, {table}.{field}")
    return whole
