"""The config of a study: a TOML file, overrides, and the checks that make one clear sentence of a mistake."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Gt, Le, Lt
from pydantic import TypeAdapter, ValidationError

from gaopt.errors import ConfigError, nearest
from gaopt.space import Gene, Space
from gaopt.tables import check_plain, overridden, read_toml

T = TypeVar("T")
StrategyName = Literal["genetic", "assisted", "grid", "fixed"]


class _Bred:
    """What searches that breed generations have in common."""

    population: int
    survivors: float

    @property
    def promoted(self) -> int:
        """How many individuals survive each generation."""
        return max(1, int(self.population * self.survivors))


@dataclass(frozen=True)
class Genetic(_Bred):
    """The numbers of the genetic algorithm.

    Attributes:
        population: individuals in a generation.
        generations: how many generations, the first (random) one counted.
        survivors: the share of a generation that is promoted unchanged, rounded down, at least one.
        mutation: a gene is drawn anew where a uniform number falls under this threshold; one always is.
        crossover: the probability that a mutated offspring is also mated with a survivor.
        point: where a genome is cut for mating, as a share of its length; 0.5 is the middle.
        retrain: train the survivors again, with a fresh seed, in each generation.
    """

    population: Annotated[int, Ge(2), Le(10_000)] = 10
    generations: Annotated[int, Ge(1), Le(10_000)] = 5
    survivors: Annotated[float, Gt(0), Lt(1)] = 0.5
    mutation: Annotated[float, Ge(0), Le(1)] = 0.5
    crossover: Annotated[float, Ge(0), Le(1)] = 0.5
    point: Annotated[float, Gt(0), Lt(1)] = 0.5
    retrain: bool = False

    @property
    def litters(self) -> list[int]:
        """How many individuals each generation trains, at most."""
        later = self.population if self.retrain else self.population - self.promoted
        return [self.population] + [later] * (self.generations - 1)


@dataclass(frozen=True)
class Assisted(_Bred):
    """The numbers of the genetic algorithm with a model that chooses among its offspring.

    Attributes:
        population: individuals in the first generation, spread evenly over the space.
        generations: how many generations, the first one counted.
        litter: how many individuals each later generation trains.
        survivors: how many are promoted unchanged each time, as a share of `population`, rounded down, at least one.
    """

    population: Annotated[int, Ge(2), Le(1000)] = 10
    generations: Annotated[int, Ge(1), Le(1000)] = 9
    litter: Annotated[int, Ge(1), Le(1000)] = 5
    survivors: Annotated[float, Gt(0), Lt(1)] = 0.5

    def __post_init__(self) -> None:
        # The model's time grows with the cube of what it has seen: here a generation is decided in half a minute.
        if sum(self.litters) > 2000:
            raise ValueError(f"population + litter × (generations - 1) is {sum(self.litters)}: must be at most 2000")

    @property
    def litters(self) -> list[int]:
        """How many individuals each generation trains, at most."""
        return [self.population] + [self.litter] * (self.generations - 1)


@dataclass(frozen=True)
class GridConfig:
    """The numbers of the strategy that tries everything.

    Attributes:
        repeats: how often each combination of the genes is trained, each time with the next seed.
    """

    repeats: Annotated[int, Ge(1), Le(1000)] = 1

    def litter(self, space: Space) -> int:
        """How many individuals that makes; the genes are whole numbers."""
        return self.repeats * math.prod(int(gene.high - gene.low) + 1 for gene in space.values())


@dataclass(frozen=True)
class PoolConfig:
    """Where individuals are trained.

    Attributes:
        kind: "ray" (a local or a joined cluster) or "inline" (one after another in this process).
        address: the Ray cluster to join; empty for RAY_ADDRESS if set, else a local one.
        gpus: GPUs for one individual, a fraction to share one; not used where there are none.
        cpus: CPU cores, and torch threads, for one individual. Another number of threads gives other numbers.
        dashboard: start the Ray dashboard with a local cluster.
    """

    kind: Literal["ray", "inline"] = "ray"
    address: str = ""
    gpus: Annotated[float, Ge(0), Le(64)] = 1.0
    cpus: Annotated[int, Ge(1), Le(1024)] = 1
    dashboard: bool = True

    def __post_init__(self) -> None:
        if self.gpus > 1 and self.gpus % 1:
            raise ValueError(f"gpus is {self.gpus:g}: must be a whole number, or a fraction below 1")


@dataclass(frozen=True)
class StudyConfig:
    """All that decides what a study does.

    Attributes:
        space: the genes.
        objective: what scores an individual, as "package.module:function".
        strategy: "genetic", "assisted" for the same with a model that chooses among the offspring, "grid" for every
            combination of genes that are whole numbers, or "fixed" for one training with the genes of `fixed`.
        seed: every random number of the search and of the trainings follows from it.
        settings: the objective's own tables, as plain data.
    """

    space: Space
    objective: str
    strategy: StrategyName = "genetic"
    seed: int = 0
    genetic: Genetic = Genetic()
    assisted: Assisted = Assisted()
    grid: GridConfig = GridConfig()
    fixed: Mapping[str, float] = field(default_factory=dict)
    pool: PoolConfig = PoolConfig()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def litters(self) -> list[int]:
        """How many individuals each generation trains, at most."""
        match self.strategy:
            case "genetic":
                return self.genetic.litters
            case "assisted":
                return self.assisted.litters
            case "grid":
                return [self.grid.litter(self.space)]
            case "fixed":
                return [1]

    @property
    def numbers(self) -> str:
        """The table that says how many generations there are."""
        return "assisted" if self.strategy == "assisted" else "genetic"

    @property
    def trainings(self) -> int:
        return sum(self.litters)

    @property
    def generations(self) -> int:
        return len(self.litters)

    def rounds(self, together: int) -> int:
        """How often the pool is filled, with so many trained together: a generation waits for the one before."""
        return sum(-(-litter // together) for litter in self.litters)

    def plain(self) -> dict[str, Any]:
        """The config as tables of plain data, as in its TOML file: the inverse of `from_tables`."""
        study = {"objective": self.objective, "strategy": self.strategy, "seed": self.seed}
        space = {name: asdict(gene) for name, gene in self.space.items()}
        tables: dict[str, Any] = {"study": study, "space": space, "genetic": asdict(self.genetic)}
        if self.strategy == "assisted":
            tables["assisted"] = asdict(self.assisted)
        if self.strategy == "grid":
            tables["grid"] = asdict(self.grid)
        if self.fixed:
            tables["fixed"] = dict(self.fixed)
        return tables | {"pool": asdict(self.pool)} | json.loads(json.dumps(self.settings))


@dataclass(frozen=True)
class _Study:
    """The table [study]."""

    objective: str
    strategy: StrategyName = "genetic"
    seed: Annotated[int, Ge(0), Lt(2**63)] = 0


OWN_TABLES = ("study", "space", "genetic", "assisted", "grid", "fixed", "pool")


def load(source: str | Path, overrides: Sequence[str] = ()) -> StudyConfig:
    """The config of a preset or a TOML file, with overrides.

    Args:
        source: the name of a preset ("cifar10") or the path of a file.
        overrides: "table.key=value" each, the value written as in TOML; a bare word is a string.

    Raises:
        ConfigError: what is wrong, the value found, and what is allowed.
    """
    return from_tables(overridden(read_toml(find(source)), overrides))


def from_tables(tables: Mapping[str, Any]) -> StudyConfig:
    """A config from plain tables. Tables that gaopt does not know belong to the objective, which checks them."""
    check_plain(tables, "")
    study = parse(_Study, tables.get("study", {}), "study")
    return StudyConfig(
        space=_space(tables),
        objective=study.objective,
        strategy=study.strategy,
        seed=study.seed,
        genetic=parse(Genetic, _table(tables, "genetic"), "genetic"),
        assisted=parse(Assisted, _table(tables, "assisted"), "assisted"),
        grid=parse(GridConfig, _table(tables, "grid"), "grid"),
        fixed=_numbers(_table(tables, "fixed"), "fixed"),
        pool=parse(PoolConfig, _table(tables, "pool"), "pool"),
        settings={name: table for name, table in tables.items() if name not in OWN_TABLES},
    )


def _space(tables: Mapping[str, Any]) -> Space:
    """The genes; of an experiment that names none, the number of a variant."""
    genes = {name: parse(Gene, gene, f"space.{name}") for name, gene in _table(tables, "space").items()}
    variants = _table(tables, "experiment").get("variants", ())
    if not genes and isinstance(variants, list | tuple) and len(variants) > 1:
        return variant_space(len(variants))
    return Space(**genes)


def variant_space(variants: int) -> Space:
    """The one gene of an experiment: which of its variants."""
    return Space(variant=Gene(0, variants - 1, integer=True))


def presets() -> dict[str, Path]:
    """The presets by name."""
    return _shipped("*.toml")


def experiments() -> dict[str, Path]:
    """The experiments of the papers by name: configs with a table [small], what to change for a CPU."""
    return _shipped("reproduce/*.toml")


def _shipped(pattern: str) -> dict[str, Path]:
    """Configs beside the code in an installed package, in configs/ in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "presets", package.parent / "configs"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob(pattern), key=lambda path: path.stem)}
    return {}


def find(source: str | Path) -> Path:
    """The file of a preset's name or of a path."""
    known, path = presets(), Path(source)
    if str(source) in known:
        return known[str(source)]
    try:
        if path.is_file():
            return path
    except (OSError, ValueError):
        pass  # too long, or not a path at all: then no file either
    raise ConfigError(f"there is no preset and no file {str(source)!r}: {nearest(str(source), known)}")


def parse(kind: type[T], table: Any, where: str) -> T:
    """A dataclass from a table, each value checked against its annotation.

    Raises:
        ConfigError: an unknown key, with the nearest known one; a value of the wrong type or out of its
            range, with the range.
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where} is {table!r}: must be a table")
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise ConfigError(f"unknown key {where}.{key}: {nearest(key, known)}")
    try:
        # As JSON, so that a list may stand for a tuple while "3" still does not stand for 3.
        parsed: T = TypeAdapter(kind).validate_json(json.dumps(table, default=str), strict=True)
    except ValidationError as error:
        raise ConfigError(_sentence(error, where)) from None
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    return parsed


def _sentence(error: ValidationError, where: str) -> str:
    first = error.errors(include_url=False)[0]
    parts = [part for part in first["loc"] if not str(part).startswith("function-")]
    key = where + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    if first["type"] == "missing":
        return f"{key} is missing"
    what = (
        first["msg"].removeprefix("Value error, ").replace("Input should be", "must be").replace("an object", "a table")
    )
    return f"{key} is {first['input']!r}: {what}" if first["type"] != "value_error" else f"{where}: {what}"


def _table(tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, Mapping):
        raise ConfigError(f"{name} is {table!r}: must be a table")
    return table


def _numbers(table: Mapping[str, Any], where: str) -> dict[str, float]:
    for key, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{where}.{key} is {value!r}: must be a number")
    return {key: float(value) for key, value in table.items()}
