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


class ImageData(BaseModel):
    """The images of a study: `counts` has by split how many there are of each class."""

    name: str
    classes: list[str]
    counts: dict[str, list[int]]
    warnings: list[str]


class Study(Summary):
    """A study with its config. `number` is of its last event, `trials` of how many trainings its best is the mean."""

    number: int
    config: dict[str, dict[str, Any]]
    data: ImageData | None
    trials: int
    allowed: list[Literal["stop", "resume", "extend"]]
    links: dict[str, str | None]


class Columns(BaseModel):
    """Individuals in order of birth, a list for each attribute; 0 where a moment is not there yet."""

    id: list[int]
    generation: list[int]
    status: list[str]
    origin: list[str]
    parents: list[list[int]]
    share: list[float]
    fitness: list[float | None]
    expected: list[float | None]
    deviation: list[float | None]
    epoch: list[int]
    seconds: list[float]
    started: list[float]
    ended: list[float]
    reason: list[str | None]
    genes: dict[str, list[Any]]


class Snapshot(BaseModel):
    """All of a study but its learning curves, as it was after event `number`."""

    version: int
    number: int
    study: Summary
    space: dict[str, dict[str, Any]]
    metrics: list[str]
    workers: int
    individuals: Columns
    generations: list[list[int]]
    repeats: list[int]


class Curve(BaseModel):
    """What was measured after each epoch."""

    epoch: list[int]
    metrics: dict[str, list[float | None]]


class Curves(BaseModel):
    """Learning curves by individual."""

    number: int
    curves: dict[str, Curve]


class Nearest(BaseModel):
    """The individual with the most similar genes that did not fail, and by gene [of this one, of that one]."""

    individual: int
    differences: dict[str, list[Any]]


class Failure(BaseModel):
    """Why a training failed."""

    reason: str
    message: str
    traceback: str
    nearest: Nearest | None


class FailedIndividual(Failure):
    """An individual whose training failed."""

    individual: int
    genes: dict[str, Any]
    at: float


class Failures(BaseModel):
    """Those that failed, the newest first."""

    failures: list[FailedIndividual]


class IndividualDetail(BaseModel):
    """An individual. `cycle` has positions in the training, each with its learning rate and momentum."""

    id: int
    generation: int
    status: str
    origin: str
    parents: list[int]
    genes: dict[str, Any]
    share: float
    fitness: float | None
    metrics: dict[str, float | None]
    seconds: float
    curve: Curve
    cycle: list[list[float]]
    notes: list[dict[str, Any]]
    retried: list[dict[str, Any]]
    failure: Failure | None


class Comparison(BaseModel):
    """Studies beside each other: those whose configs differ in the seed alone are of one method."""

    studies: list[Summary]
    verdict: list[str]
    methods: list[dict[str, Any]]
    best_so_far: dict[str, dict[str, list[float]]]
    differences: dict[str, list[Any]]


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
