"""An experiment: networks and recipes side by side, and what a paper claims of them. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from gaopt.config import parse
from gaopt.config.parsing import table
from gaopt.errors import ConfigError, StudyError, nearest
from gaopt.papers.published import published

T = TypeVar("T")


@dataclass(frozen=True)
class Variant:
    """One thing that is compared: what it changes in the tables [net] and [recipe] of the config."""

    name: str
    panel: str = ""  # which panel of the figure it is drawn in
    paper: str = ""  # the key of the published result that it is to be held against (`gaopt.papers.published`)
    net: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """What a paper says of two variants, by their names: the first has the higher error."""

    text: str
    higher: str
    lower: str
    error: Literal["training", "validation", "test"] = "test"


@dataclass(frozen=True)
class Experiment:
    """What is compared (`title`), and where the paper has it (`source`)."""

    title: str
    source: str = ""
    variants: tuple[Variant, ...] = ()
    claims: tuple[Claim, ...] = ()

    def variant(self, genes: Mapping[str, Any]) -> Variant:
        """The variant that an individual is, by its name; in studies of 0.5 and before by its number from 0."""
        found = genes.get("variant")
        for number, variant in enumerate(self.variants):
            if found in (variant.name, number):
                return variant
        raise StudyError(f"{repr(found)[:40]} is no variant of the experiment {self.title[:80]!r}")


def experiment(tables: Mapping[str, Any]) -> Experiment | None:
    """The experiment that a config describes in its table [experiment]; None where there is none."""
    if "experiment" not in tables:
        return None
    found = table(tables, "experiment")
    whole = parse(Experiment, {**found, "variants": [], "claims": []}, "experiment")
    return replace(whole, variants=_rows(Variant, found, "variants"), claims=_rows(Claim, found, "claims"))


def _rows(kind: type[T], found: Mapping[str, Any], key: str) -> tuple[T, ...]:
    rows = found.get(key, [])
    if not isinstance(rows, list | tuple):
        raise ConfigError(f"experiment.{key} is {rows!r}: must be an array of tables")
    return tuple(parse(kind, row, f"experiment.{key}[{n}]") for n, row in enumerate(rows))


def check(found: Experiment) -> None:
    """Refuse too few variants, or two of a name, claims that do not speak of two, and keys of no published result."""
    names, keys = [variant.name for variant in found.variants], [result.key for result in published()]
    if len(names) < 2:
        raise ConfigError(f"experiment.variants has {len(names)} entries: must have two or more")
    for variant in found.variants:
        if not variant.name or names.count(variant.name) > 1:
            raise ConfigError(f"a variant has the name {variant.name!r}: each must have one, and its own")
        if variant.paper and variant.paper not in keys:
            raise ConfigError(f"variant {variant.name!r} has paper = {variant.paper!r}: {nearest(variant.paper, keys)}")
    for claim in found.claims:
        for name in (claim.higher, claim.lower):
            if name not in names:
                raise ConfigError(f"experiment.claims speaks of the variant {name!r}: {nearest(name, names)}")
