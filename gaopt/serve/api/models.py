"""What the REST interface answers, for its description."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Health(BaseModel):
    status: Literal["ok"]
    version: str


class Ready(BaseModel):
    """Whether studies can be started, and with what."""

    status: Literal["ready"]
    runner: str
    ray: str | None
    slots: int
    results: str


class Best(BaseModel):
    individual: int | None
    fitness: float
    genes: dict[str, Any]


class Place(BaseModel):
    """Where a study is in the queue: `position` counts from 0 those that wait."""

    id: int
    position: int | None
    state: str


class Summary(BaseModel):
    """A study or a comparison in short."""

    model_config = ConfigDict(extra="allow")
    name: str
    kind: Literal["study", "comparison"]
    state: str
    best: Best | None
    done: int
    trainings: int
    failed: int
    early: int
    generation: int
    generations: int
    elapsed: float
    left: float | None
    started: float
    tags: list[str]
    note: str
    owner: str | None
    queue: Place | None
    error: str | None


class Summaries(BaseModel):
    studies: list[Summary]
    next: str | None


class Preset(BaseModel):
    name: str
    title: str
    trainings: int
    generations: int
    population: int
    objective: str
    data: str | None
    space: dict[str, Any]


class Presets(BaseModel):
    presets: list[Preset]


class Plan(BaseModel):
    """What a study would do. `seconds`, `at_once` and `cost` are null unless they were measured."""

    config: dict[str, Any]
    trainings: int
    generations: int
    population: int
    epochs: int
    doubts: list[str]
    seconds: float | None
    at_once: int | None
    cost: float | None


class Waiting(BaseModel):
    id: int
    name: str
    state: str
    position: int | None
    owner: str
    created: float
    error: str | None


class QueueState(BaseModel):
    slots: int
    entries: list[Waiting]


class Classes(BaseModel):
    """The most probable classes, each with its probability."""

    classes: list[tuple[str, float]]
