"""A study that somebody asks for: checked as the command checks it, and by what the service allows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gaopt.config import StudyConfig, from_tables, presets
from gaopt.config.tables import changed, parse_toml, read_toml
from gaopt.errors import ConfigError, GaoptError, nearest
from gaopt.objectives.base import epochs
from gaopt.study.prepare import Ready, prepare_new

Line = Annotated[str, Field(max_length=1000)]
Tag = Annotated[str, Field(min_length=1, max_length=50)]


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""JSON knows no difference between 2.0 and 2. `false` is neither."""
Generations = Annotated[int, Field(ge=1, le=10_000), WHOLE]


class Notes(BaseModel):
    """What people write of a study."""

    model_config = ConfigDict(extra="forbid", strict=True)
    note: str = Field("", max_length=20_000)
    tags: list[Tag] = Field([], max_length=20)


class StudyRequest(Notes):
    """A study to run: a preset or a config in TOML, and what to change of it."""

    preset: str | None = Field(None, max_length=100, examples=["quick"])
    config: str | None = Field(None, max_length=1 << 20, description="A config in TOML, in place of a preset.")
    name: str | None = Field(None, max_length=100, description="By default the preset's and a number.")
    stem: str | None = Field(None, max_length=100, description="What a number follows, where no name is given.")
    generations: Generations | None = None
    population: Annotated[int, Field(ge=2, le=10_000), WHOLE] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**53), WHOLE] | None = None
    data: str | None = Field(
        None, max_length=4096, description="Images on the server: a folder, archive or table; or torchvision:NAME."
    )
    set: list[Line] = Field([], max_length=200, examples=[["recipe.epochs=5"]], description="table.key=value, each")


class Forbidden(GaoptError):  # noqa: N818 - named for what the user reads
    """What this service does not let anybody ask for."""


@dataclass(frozen=True)
class Policy:
    """What a config may name: it names code, and files of the server.

    Attributes:
        objectives: allowed besides those of the presets.
        data: folders below which images may lie.
    """

    objectives: tuple[str, ...] = ()
    data: tuple[Path, ...] = ()

    def check(self, config: StudyConfig) -> None:
        """Raise `Forbidden` for a config with something that is not allowed."""
        known = {_objective(path) for path in presets().values()} | set(self.objectives)
        if config.called not in known:
            raise Forbidden(
                f"the objective {config.called!r} is not allowed here: it is code; allow it where the service is"
                f" started, by --objective {config.called}"
            )
        if config.notify.url:
            raise Forbidden("notify.url is given: the service would call it; say it where that is started, by --notify")
        if config.pool.address:
            raise Forbidden(f"pool.address is {config.pool.address!r}: the service has a Ray of its own")
        if paths := [name for name in config.warm.studies if os.sep in name or name in (".", "..")]:
            raise Forbidden(f"warm.studies names {paths[0]!r}: a name of a study is allowed, not a path")
        tables: Mapping[str, Any] = config.settings
        for table, key in (("data", "path"), ("net", "pretrained")):
            path = tables.get(table, {}).get(key, "") if isinstance(tables.get(table), Mapping) else ""
            if path and not self._allows(str(path)):
                raise Forbidden(
                    f"{table}.{key} is {path!r}: not below a folder that the service may read; allow it where the"
                    " service is started, by --data FOLDER"
                )

    def _allows(self, path: str) -> bool:
        real = Path(os.path.realpath(os.path.expanduser(path)))
        return any(real.is_relative_to(os.path.realpath(root)) for root in self.data)


def _objective(path: Path) -> str:
    return str(read_toml(path).get("study", {}).get("objective", ""))


@dataclass(frozen=True)
class Wanted:
    """A study that can be run: its config, checked, and what it is called after."""

    ready: Ready
    stem: str


def wanted(request: StudyRequest, policy: Policy) -> Wanted:
    """Check a request as `gaopt run` checks what it is given.

    Raises:
        BadInput: it cannot be run.
        Forbidden: it is not allowed here.
    """
    tables, stem = _tables(request)
    numbers = from_tables(changed(tables, None, request.set, {})).numbers
    keys = {
        f"{numbers}.generations": request.generations,
        f"{numbers}.population": request.population,
        "study.seed": request.seed,
    }
    given = {key: str(value) for key, value in keys.items() if value is not None}
    config = from_tables(changed(tables, request.data, request.set, given))
    policy.check(config)
    images = config.settings.get("data", {})
    if isinstance(images, Mapping) and images.get("name") == "folder" and not images.get("path"):
        raise ConfigError(
            "data is missing: images of your own are wanted, in a folder, an archive or a table on the server"
        )
    return Wanted(prepare_new(config), stem)


def _tables(request: StudyRequest) -> tuple[dict[str, Any], str]:
    if (request.preset is None) == (request.config is None):
        raise ConfigError("give either a preset or a config")
    if request.config is not None:
        return parse_toml(request.config, "the config"), request.stem or "study"
    name, known = str(request.preset), presets()
    if name not in known:
        raise ConfigError(f"there is no preset {name!r}: {nearest(name, known)}")
    return read_toml(known[name]), name


def plan(found: Wanted) -> dict[str, Any]:
    """What will be done, before it is: as `gaopt run --dry-run` says it, without loading data."""
    config = found.ready.config
    doubts: Any = getattr(found.ready.objective, "doubts", lambda _: ())
    told: Sequence[str] = list(doubts(config))
    return {
        "config": config.plain(),
        "trainings": config.trainings,
        "generations": config.generations,
        "population": config.litters[0],
        "epochs": round(sum(share * number for share, number in config.waves) * epochs(config)),
        "doubts": told,
    }
