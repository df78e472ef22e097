"""The service itself: health, presets, the queue, metrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from gaopt import __version__
from gaopt.config import from_tables, presets
from gaopt.config.tables import read_toml, text_of
from gaopt.journal.paths import results
from gaopt.serve import metrics as counters
from gaopt.serve.api.common import Of, refusals, sends
from gaopt.serve.api.models import Health, Preset, Presets, QueueState, Ready, Waiting
from gaopt.serve.request import WHOLE
from gaopt.serve.snapshot import described

router = APIRouter(tags=["service"], responses=refusals())
Id = Annotated[int, Path(ge=1, lt=2**53)]


class Move(BaseModel):
    """A place among those that wait, counted from 0."""

    model_config = ConfigDict(extra="forbid", strict=True)
    position: Annotated[int, Field(ge=0, lt=2**31), WHOLE]


@router.get("/health")
def health() -> Health:
    """Whether the service answers. The one route without a token."""
    return Health(status="ok", version=__version__)


@router.get("/ready")
def ready(of: Of) -> Ready:
    """Whether studies can be started, and with what."""
    return Ready(
        status="ready",
        runner=of.runner.name,
        ray=of.runner.dashboard or None,
        slots=of.slots,
        results=str(results().absolute()),
    )


@router.get("/presets")
def list_presets() -> Presets:
    """The presets, with what each would do."""
    found = []
    for name, path in presets().items():
        tables = read_toml(path)
        config = from_tables(tables)
        data = tables.get("data", {}).get("name")
        title = next((line.lstrip("# ") for line in text_of(path).splitlines() if line.startswith("#")), name)
        found.append(
            Preset(
                name=name, title=title, trainings=config.trainings, generations=config.generations,
                population=config.litters[0], objective=config.called, data=data if data != "folder" else None,
                space={gene: described(one) for gene, one in config.space.items()},
            )
        )  # fmt: skip
    return Presets(presets=found)


@router.get("/queue")
def queue(of: Of) -> QueueState:
    """What takes a slot, then what waits, in its order."""
    return QueueState(slots=of.slots, entries=[Waiting(**entry) for entry in of.entries()])


@router.post("/queue/{id}/move", responses=refusals(409))
def move(id: Id, to: Move, of: Of) -> QueueState:
    """Put an entry that waits at another place."""
    of.move(id, to.position)
    return queue(of)


@router.delete("/queue/{id}", status_code=204, responses=refusals(409))
def cancel(id: Id, of: Of) -> Response:
    """Take an entry that waits off the queue."""
    of.cancel(id)
    return Response(status_code=204)


@router.get("/metrics", response_class=PlainTextResponse, responses=sends("text/plain"))
def metrics(of: Of) -> Response:
    """Counters and gauges for Prometheus."""
    return Response(counters.text(of.catalog.all(), of.queue), media_type=counters.MEDIA)
