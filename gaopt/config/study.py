"""The config of a study: its tables, checked, and back. docs/config.md has the keys."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from annotated_types import Ge, Le, Lt

from gaopt.config.parsing import parse, table
from gaopt.config.search import Assisted, Faults, Fidelity, Genetic, GridConfig, Noise, Operators, Stop, Warm
from gaopt.config.source_digest import called
from gaopt.config.strategies import SEARCHES, STRATEGIES
from gaopt.config.tables import find, overridden, plain, read_toml, renamed
from gaopt.errors import ConfigError, nearest
from gaopt.space.gene import AnyGene, Choice, Gene
from gaopt.space.numbers import given
from gaopt.space.space import Genes, Space

Mode = Literal["generational", "steady"]


@dataclass(frozen=True)
class PoolConfig:
    """Where individuals are trained."""

    kind: Literal["ray", "inline"] = "ray"
    address: str = ""
    gpus: Annotated[float, Ge(0), Le(64)] = 1.0
    accelerator: str = "GPU"
    cpus: Annotated[int, Ge(1), Le(1024)] = 1
    dashboard: bool = True

    def __post_init__(self) -> None:
        if "@" in self.address:  # the config is written down, and shown in the report
            raise ConfigError("address holds an '@': Ray's addresses are HOST:PORT, without user and password")
        if self.gpus > 1 and self.gpus % 1:
            raise ConfigError(f"gpus is {self.gpus:g}: must be a whole number, or a fraction below 1")
        if self.accelerator in ("", "CPU", "memory", "object_store_memory"):
            given = f"accelerator is {self.accelerator!r}"
            raise ConfigError(f"{given}: must be the name of a resource of Ray's, GPU or TPU say; gpus = 0 uses none")


@dataclass(frozen=True)
class Notify:
    """Who is told of new bests and of the end. A command would be code, and is never taken from a config."""

    url: str = ""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            good = not self.url or (parts.scheme in ("http", "https") and parts.hostname)
        except ValueError:
            good = False
        if not good:
            raise ConfigError(f"url is {self.url!r}: must be an address that begins with http:// or https://")


@dataclass(frozen=True)
class StudyConfig:
    """All that decides what a study does.

    Attributes:
        space: the genes.
        objective: what scores an individual: a function, or the name of one, "package.module:function".
        strategy: one of `STRATEGIES`.
        given: individuals that the first generation begins with.
        default_first: begin it, where none is given, with the values that the genes have without a search.
        mode: "steady" breeds an individual whenever a worker is free.
        minimize: the objective gives losses: the fitness is minus what it gives.
        fixed: the genes of the strategy "fixed".
        settings: the objective's own tables, as plain data.
    """

    space: Space
    objective: str | Callable[..., Any]
    strategy: str = "assisted"
    seed: int = 0
    genetic: Genetic = field(default_factory=Genetic)
    assisted: Assisted = field(default_factory=Assisted)
    operators: Operators = field(default_factory=Operators)
    fidelity: Fidelity = field(default_factory=Fidelity)
    noise: Noise = field(default_factory=Noise)
    stop: Stop = field(default_factory=Stop)
    warm: Warm = field(default_factory=Warm)
    grid: GridConfig = field(default_factory=GridConfig)
    given: tuple[Genes, ...] = ()
    default_first: bool = True
    mode: Mode = "generational"
    minimize: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)
    pool: PoolConfig = field(default_factory=PoolConfig)
    faults: Faults = field(default_factory=Faults)
    settings: Mapping[str, Any] = field(default_factory=dict)
    notify: Notify = field(default_factory=Notify)

    @property
    def litters(self) -> list[int]:
        """How many individuals each generation begins to train, at most."""
        return STRATEGIES[self.strategy].litters(self)

    @property
    def numbers(self) -> str:
        """The table that says how many generations there are."""
        return "assisted" if self.strategy == "assisted" else "genetic"

    @property
    def trainings(self) -> int:
        """How many individuals there will be, at most."""
        return sum(self.litters) + (self.noise.trainings if self.strategy in SEARCHES else 0)

    @property
    def generations(self) -> int:
        return len(self.litters)

    @property
    def waves(self) -> list[tuple[float, int]]:
        """The share of a whole training and how many are trained for it, at most, one wave waiting for the one before.

        A wave is a generation; with rungs, what is left of one on each of them; the finalists at the end.
        """
        if self.strategy not in SEARCHES:
            return [(1.0, litter) for litter in self.litters]
        litters = [self.litters[0], sum(self.litters[1:])] if self.mode == "steady" else self.litters
        found = [wave for litter in litters for wave in self.fidelity.waves(litter)]
        return [*found, (1.0, self.noise.trainings)] if self.noise.finalists else found

    def rounds(self, together: int) -> float:
        """How many whole trainings last as long as all, with so many trained together."""
        return sum(share * -(-number // together) for share, number in self.waves)

    @property
    def called(self) -> str:
        """The name of the objective, which the journal keeps."""
        return called(self.objective)

    def plain(self) -> dict[str, Any]:
        """The config as tables of plain data, as in its TOML file: the inverse of `from_tables`."""
        study: dict[str, Any] = {"objective": self.called, "strategy": self.strategy, "seed": self.seed}
        if self.strategy in SEARCHES:
            study["default_first"] = self.default_first
        if self.mode != "generational":
            study["mode"] = self.mode
        if self.minimize:
            study["minimize"] = True
        if constraints := getattr(self.space, "constraints", ()):
            study["constraints"] = [constraint.text for constraint in constraints]
        tables = {"study": plain(study, "study"), "space": _space(self.space)}
        own = "grid" if self.strategy == "grid" else self.numbers
        tables |= {name: plain(found, name) for name in ("given", "fixed") if (found := getattr(self, name))}
        for name, kind in CHECKED.items():  # what the strategy reads, and what was changed
            found = _table(getattr(self, name), name)
            if name in (own, "pool") or found != _table(kind(), name):
                tables[name] = found
        settings = table({"settings": self.settings}, "settings")
        if taken := [name for name in OWN_TABLES if name in settings]:
            raise ConfigError(f"settings has a table {taken[0]!r}, which gaopt reads itself: must have another name")
        return tables | {name: plain(found, name) for name, found in settings.items()}

    def read_back(self) -> "StudyConfig":
        """As the journal will give it back, checked like a file; with the objective itself, which may be a function."""
        return replace(from_tables(self.plain()), objective=self.objective)


DECIDING = {
    "genetic": Genetic,
    "assisted": Assisted,
    "operators": Operators,
    "fidelity": Fidelity,
    "noise": Noise,
    "stop": Stop,
    "warm": Warm,
    "grid": GridConfig,
}
"""The tables of `gaopt.config.search`."""
CHECKED = {**DECIDING, "faults": Faults, "pool": PoolConfig, "notify": Notify}
COMPARE = "compare"
"""A table of tables: what `gaopt compare` changes in a config. Nothing else reads it."""
OWN_TABLES = ("study", "space", "given", "fixed", *CHECKED, COMPARE)


@dataclass(frozen=True)
class _Study:
    """The table [study]."""

    objective: str
    strategy: str = "assisted"
    seed: Annotated[int, Ge(0), Lt(2**63)] = 0
    default_first: bool = True
    mode: Mode = "generational"
    minimize: bool = False
    constraints: tuple[str, ...] = ()


def load(source: str | Path, overrides: Sequence[str] = ()) -> StudyConfig:
    """The config of a preset or a TOML file, with overrides.

    Args:
        source: the name of a preset ("cifar10") or the path of a file.
        overrides: "table.key=value" each, the value written as in TOML; a bare word is a string.
    """
    return from_tables(overridden(read_toml(find(source)), overrides))


def from_tables(tables: Mapping[str, Any]) -> StudyConfig:
    """A config from plain tables. Tables that gaopt does not know belong to the objective, which checks them."""
    tables = renamed(tables)
    tables = plain({**tables, "stop": _table(tables.get("stop", {}), "stop")}, "")
    study = parse(_Study, tables.get("study", {}), "study")
    if study.strategy not in STRATEGIES:
        raise ConfigError(f"study.strategy is {study.strategy!r}: {nearest(study.strategy, STRATEGIES)}")
    space = genes_of(tables, study.constraints)
    said = {field.name: getattr(study, field.name) for field in fields(study) if field.name != "constraints"}
    return StudyConfig(
        space=space,
        **said,
        **{name: parse(kind, tables.get(name, {}), name) for name, kind in CHECKED.items()},
        given=_given(tables.get("given", ()), space),
        fixed=_fixed(table(tables, "fixed"), space),
        settings={name: table for name, table in tables.items() if name not in OWN_TABLES},
    )


def genes_of(tables: Mapping[str, Any], constraints: Sequence[str] = ()) -> Space:
    """The genes of a config's tables; of an experiment that names none, which of its variants."""
    genes = {name: _gene(gene, f"space.{name}") for name, gene in table(tables, "space").items()}
    variants = table(tables, "experiment").get("variants", ())
    if not genes and isinstance(variants, list | tuple) and len(variants) > 1:
        names = [str(variant.get("name", "")) for variant in variants if isinstance(variant, Mapping)]
        return variant_space(names if len(set(names)) == len(variants) else [str(n) for n in range(len(variants))])
    return Space(*constraints, **genes)


def _gene(found: Any, where: str) -> AnyGene:
    """A choice where the table has choices, else a range."""
    if isinstance(found, Mapping):
        for key, inner in found.items():
            if isinstance(inner, Mapping):
                name = f"{where.removeprefix('space.')}.{key}"
                raise ConfigError(f'{where} holds a table {key!r}: a gene with a dot is written [space."{name}"]')
    if isinstance(found, Mapping) and "choices" in found:
        return parse(Choice, found, where)
    return parse(Gene, found, where)


def _given(found: Any, space: Space) -> tuple[Genes, ...]:
    if not isinstance(found, list | tuple) or not all(isinstance(each, Mapping) for each in found):
        raise ConfigError(f"given is {found!r}: must be an array of tables, the genes of one individual each")
    return tuple(given("given:", each, space.check) for each in found)


def _fixed(found: Mapping[str, Any], space: Space) -> Genes:
    """Some genes of a training: what is missing the recipe has, and the strategy looks for what is unknown."""
    known = space.keys() & found.keys()
    return dict(found) | {name: given(f"fixed.{name}", found[name], space[name].check) for name in known}


def _table(found: Any, where: str, unsaid: Sequence[tuple[str, Any]] = (("target", None),)) -> Any:
    """A dataclass as a table of plain data, without what TOML does not have or most tables do not say."""
    if is_dataclass(found) and not isinstance(found, type):
        found = asdict(found)
    if isinstance(found, Mapping):
        found = {key: value for key, value in found.items() if (key, value) not in unsaid}
    return plain(found, where)


def _space(genes: Any) -> Any:
    """Genes as tables, without what most do not have."""
    if not isinstance(genes, Mapping):
        return plain(genes, "space")
    unsaid = (("when", ""), ("step", 0.0), ("prior", None), ("spread", 0.0))
    return {name: _table(gene, f"space.{name}", unsaid) for name, gene in genes.items()}


def variant_space(names: Sequence[str]) -> Space:
    """The one gene of an experiment: which of its variants."""
    return Space(variant=Choice(tuple(names)))
