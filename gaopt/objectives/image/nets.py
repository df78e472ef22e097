"""What the networks cost, by name and settings. Importing this is cheap; torch is loaded by what analyses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gaopt.config import parse
from gaopt.config.tables import overridden
from gaopt.errors import ConfigError, nearest
from resnet.spec import BORROWED, NAMES, NetSpec

if TYPE_CHECKING:
    from resnet.analysis import Analysis


def specs(name: str | None, overrides: Sequence[str] = ()) -> tuple[list[NetSpec], list[str]]:
    """The network of a name, or without one all that take the settings, and the names of those that do not.

    `overrides` are "net.key=value" each, as for a config.
    """
    tables = overridden({}, overrides)
    for table in tables:
        if table != "net":
            raise ConfigError(f"unknown table [{table}]: {nearest(table, ['net'])}")
    net = tables.get("net", {}) | ({} if name is None else {"name": name})
    found, refused = list[NetSpec](), list[str]()
    for each in [net["name"]] if "name" in net else NAMES:
        try:
            found.append(parse(NetSpec, {**net, "name": each}, "net"))
        except ConfigError:
            if "name" in net or (each == NAMES[-1] and not found):
                raise
            refused.append(each)
    return found, refused


def analysed(spec: NetSpec, numbers: Mapping[str, str | None]) -> Analysis:
    """The costs of a network on its paper's images, except for these: "size", "classes", "batch" as TOML has them."""
    from resnet.analysis import Case, analyse, usual
    from resnet.zoo import LibraryError

    given = [f"nets.{key}={value}" for key, value in numbers.items() if value is not None]
    try:
        tables = overridden({"nets": asdict(usual(spec))}, given)
        return analyse(spec, parse(Case, tables["nets"], "nets"))
    except LibraryError as error:
        raise ConfigError(f"net: {error}") from None


def about(spec: NetSpec) -> str:
    """What kind of network it is, in a few words."""
    if spec.library:
        return f"as {spec.library} builds it"
    if spec.name in BORROWED:
        return BORROWED[spec.name].paper.replace("*", "")
    family = spec.family
    kind = f"stem {family.stem}, {family.unit} units, order {family.order}, shortcut {family.shortcut}"
    return kind if family.shortcut == "none" else f"{kind}, join {spec.join}"


def plain(found: Analysis) -> dict[str, Any]:
    """All of an analysis as JSON has it: bytes, single parameters, single multiply-adds."""
    return {
        "net": asdict(found.spec),
        **asdict(found.case),
        "layers": found.layers,
        "parameters": found.parameters,
        "multiply_adds": found.multiply_adds,
        "memory": {"adam": found.memory("adam"), "sgd": found.memory("sgd")},
        "published": found.published and asdict(found.published),
        "stages": [asdict(stage) for stage in found.stages],
    }
