"""What can happen to a study: the rows of its journal. Everything else is read off these.

Each event is plain data that turns into JSON and back. `at` is stamped by the journal when it is written
(seconds since 1970); order is the order of writing, never the clock.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import FiniteFloat, TypeAdapter, ValidationError

from gaopt.config.parsing import sentence_of
from gaopt.errors import ConfigError, StudyError
from gaopt.space.numbers import given

Origin = Literal["random", "mutation", "crossover", "retrained", "given", "default", "repeat", "sampled"]
Count = Annotated[int, Ge(0), Lt(2**31)]  # individuals, epochs of a training, trainings of the same genes
Seconds = Annotated[float, Ge(0), Lt(2**40)]
Date = Annotated[float, Ge(0), Lt(2**37)]  # seconds since 1970: calendars end with the year 9999
Share = Annotated[float, Gt(0), Le(1)]  # of a whole training
Values = dict[str, bool | int | FiniteFloat | str]  # genes, as they are written down
Reason = Literal["diverged", "out of memory", "killed", "node lost", "timed out", "disk", "error"]


@dataclass(frozen=True)
class Birth:
    """One individual, as it is decided on."""

    id: Count  # unique in the study, counted from 0
    genes: Values
    origin: Origin
    parents: tuple[int, ...] = ()  # ids it was bred from; none where it was drawn at random
    trial: Count = 0  # how often the same genes were trained before: the seed is the study's and this
    share: Share = 1.0  # of a whole training, that it has at first; less than 1 on a rung
    # The fitness that the model expected after a whole training, and its standard deviation; None without a model.
    expected: tuple[FiniteFloat, FiniteFloat] | None = None


@dataclass(frozen=True)
class Data:
    """The images of a study, as they were split: `counts` and `origins` are by "train", "valid" and "test"."""

    name: str  # of the data set
    classes: tuple[str, ...]
    counts: dict[str, tuple[Annotated[int, Ge(0), Le(2**40)], ...]]
    origins: dict[str, str] = field(default_factory=dict)  # where they come from, in words
    warnings: tuple[str, ...] = ()  # what whoever reads of scores should know, a sentence each

    def majority(self, split: str) -> float:
        """The accuracy of who always says the commonest class: its share of the split; 0 for no images."""
        counts = self.counts.get(split, ())
        return max(counts, default=0) / max(1, sum(counts))

    def counted(self, split: str) -> str:
        """How many images of each class, in words; of many classes the fewest and the most."""
        found = list(zip(self.counts.get(split, ()), self.classes, strict=False))
        if len(found) <= 10:
            return ", ".join(f"{name} {count}" for count, name in found)
        (few, rarest), (many, commonest) = min(found), max(found)
        if few == many:
            return f"{few} of each class"
        return f"{few} ({rarest}) to {many} ({commonest}) of a class"


@dataclass(frozen=True)
class Opened:
    """A driver took the study up: at its start, and at every resume. The latest config rules."""

    config: dict[str, Any]
    version: str
    host: str
    pid: int
    made_of: dict[str, str] = field(default_factory=dict)  # see `Objective.made_of`
    changed: tuple[str, ...] = ()  # in how individuals are trained, since the study was opened last; a phrase each
    data: Data | None = None  # the images, where an objective has any
    at: Date = 0.0


@dataclass(frozen=True)
class Bred:
    """A decision: the next generation is these survivors and these births; or these more births of the newest one."""

    generation: int
    births: tuple[Birth, ...]
    survivors: tuple[int, ...] = ()
    at: Date = 0.0


@dataclass(frozen=True)
class Granted:
    """A decision: these individuals, trained for a share of a training so far, are trained anew for a larger one."""

    individuals: tuple[int, ...]
    share: Share
    at: Date = 0.0


@dataclass(frozen=True)
class Recalled:
    """What an earlier study found, written down once, before the first decision."""

    study: str  # its name
    genes: tuple[Values, ...]  # of each of its individuals that was scored
    fitness: tuple[FiniteFloat, ...]  # of each
    at: Date = 0.0


@dataclass(frozen=True)
class Started:
    """An individual is about to be handed to the pool."""

    individual: int
    at: Date = 0.0


@dataclass(frozen=True)
class Reported:
    """One epoch of an individual; `cycle` is some points (position in the training from 0 to 1, lr, momentum) of it."""

    individual: int
    epoch: Count  # counted from 1
    metrics: dict[str, FiniteFloat]  # by name; one that is not finite is left out
    cycle: tuple[tuple[FiniteFloat, FiniteFloat, FiniteFloat], ...] = ()
    at: Date = 0.0


@dataclass(frozen=True)
class Noted:
    """What whoever reads of a training should know: a checkpoint that could not be used."""

    individual: int
    message: str
    at: Date = 0.0


@dataclass(frozen=True)
class Scored:
    """An individual is trained, for as large a share as it was granted. `fitness`: higher is better, always finite."""

    individual: int
    fitness: float
    metrics: dict[str, FiniteFloat] = field(default_factory=dict)
    epochs: Count = 0
    seconds: Seconds = 0.0
    share: Share = 1.0  # of a whole training, where it was stopped on its way; 1 where it was not
    at: Date = 0.0


@dataclass(frozen=True)
class Failed:
    """An individual has no score, and why. It ranks below every score."""

    individual: int
    reason: Reason
    message: str = ""
    seconds: Seconds = 0.0
    epochs: Count = 0  # begun, that in which it failed included; 0 where nobody knows: those reported are counted
    traceback: str = ""  # of an exception that nobody raised on purpose
    at: Date = 0.0


@dataclass(frozen=True)
class Retried:
    """A training was lost by what may be the machine's fault, and is begun again; its cost counts for nothing."""

    individual: int
    reason: Reason
    message: str = ""
    seconds: Seconds = 0.0
    at: Date = 0.0


@dataclass(frozen=True)
class Judged:
    """The best individual was measured on the test split."""

    individual: int
    metrics: dict[str, FiniteFloat]
    at: Date = 0.0


@dataclass(frozen=True)
class Closed:
    """A driver put the study down. Missing after a kill."""

    reason: Literal["finished", "interrupted", "failed"]
    why: str = ""  # of a search that finished before its plan was through
    at: Date = 0.0


Outcome = Reported | Noted | Scored | Failed | Judged
Event = Opened | Recalled | Bred | Granted | Started | Reported | Noted | Retried | Scored | Failed | Judged | Closed

_readers: dict[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(Event)}


LARGEST = 1e150  # of scores and metrics: with the square of a larger one no mean, spread or axis could be computed


def finite(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Those metrics that are finite, as Python floats; a ConfigError where one is no number.

    NaN, infinities and what is as good as one are left out.
    """
    if not isinstance(metrics, Mapping):
        raise ConfigError(f"the metrics are {metrics!r}: must be a dictionary of numbers by name")
    found = {name: given(f"the metric {name!r}", value) for name, value in metrics.items()}
    return {name: number for name, number in found.items() if abs(number) <= LARGEST}


def encode(event: Event) -> tuple[str, str]:
    """(kind, body): the event's name and the rest as JSON, without its time. Of a text, what is none becomes "?"."""
    body = {name: value for name, value in vars(event).items() if name != "at"}
    text = json.dumps(body, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=asdict)
    return type(event).__name__, text.encode("utf-8", "replace").decode()  # a file's name need not be text


def decode(kind: str, body: str, at: float) -> Event:
    """The inverse of `encode`; a StudyError where the body does not fit, or a score is no number to count with."""
    if kind not in _readers:
        raise StudyError(f"the journal holds an event {kind!r} that this version does not know")
    why = str(body)[:80]
    try:
        event: Event = _readers[kind].validate_json(f'{body[:-1]},"at":{at!r}}}')  # a fifth of the time of json.loads
        if not isinstance(event, Scored) or abs(event.fitness) <= LARGEST:
            return event
    except ValidationError as error:
        why = sentence_of(error, kind)[:200]
    except (ValueError, TypeError, RecursionError):
        pass
    raise StudyError(f"the journal holds an event {kind!r} that cannot be read: {why}")
