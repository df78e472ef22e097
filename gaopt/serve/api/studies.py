"""Studies: listed, looked at, watched, started, stopped."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from gaopt.serve import snapshot as columns
from gaopt.serve.api import models
from gaopt.serve.api.common import Name, Of, Who, answer, mark, refusals, sends, text_of
from gaopt.serve.api.models import Plan, Summaries, Summary
from gaopt.serve.problems import Refused
from gaopt.serve.reader import Reader
from gaopt.serve.request import Generations, Notes, StudyRequest

router = APIRouter(tags=["studies"], responses=refusals())
Id = Annotated[int, Path(ge=0, lt=2**31, description="Of an individual.")]
CURVES = 100
"""Individuals whose learning curves are answered at once."""


class Extension(BaseModel):
    """How far a study is to go."""

    model_config = ConfigDict(extra="forbid", strict=True)
    generations: Generations


@router.get("/studies")
def list_studies(
    of: Of,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str, Query(max_length=100, description="`next` of the page before.")] = "",
    state: Annotated[str, Query(max_length=30)] = "",
    tag: Annotated[str, Query(max_length=50)] = "",
    q: Annotated[str, Query(max_length=100, description="Part of the name.")] = "",
) -> Summaries:
    """All studies and comparisons, the newest first."""
    found = [
        one
        for one in of.catalog.all()
        if state in ("", one["state"]) and (not tag or tag in one["tags"]) and q.lower() in one["name"].lower()
    ]
    names = [one["name"] for one in found]
    if cursor and cursor not in names:
        raise Refused(400, f"the cursor is {cursor!r}: must be `next` of a page with the same filters")
    first = names.index(cursor) + 1 if cursor else 0
    page = found[first : first + limit]
    more = first + limit < len(found)
    return Summaries(studies=[Summary(**one) for one in page], next=page[-1]["name"] if more else None)


@router.post("/studies", status_code=201, responses={200: {"model": Summary}, **refusals(409, 507)})
def start_study(
    request: StudyRequest, of: Of, who: Who, response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Summary:  # fmt: skip
    """Put a study into the queue. The same Idempotency-Key again answers with the same study."""
    key = f"{who}:{idempotency_key}" if idempotency_key else None
    summary, new = of.submit(request, who, key)
    response.headers["Location"] = f"/api/v1/studies/{summary['name']}"
    response.status_code = 201 if new else 200
    return Summary(**summary)


@router.post("/plan", responses=refusals(503))
def plan_study(
    request: StudyRequest, of: Of, measure: Annotated[bool, Query(description="Time three steps of it.")] = False
) -> Plan:
    """What a study would do: trainings, epochs and, if measured, time and cost. Nothing is started."""
    return Plan(**of.plan(request, measure))


@router.get("/studies/{name}", responses=sends(models.Study))
def study(name: Name, of: Of, request: Request) -> Response:
    """One study, with its config."""
    reader = _read(of, name)
    summary = of.catalog.summary(name)

    def whole() -> dict[str, Any]:
        with reader.lock:
            return summary | columns.about(reader.history) | {
                "number": reader.number,
                "allowed": _allowed(summary["state"]),
                "links": _links(of, name),
            }  # fmt: skip

    return answer(request, f"{mark(reader, summary)}-{of.catalog.home(name).report.is_file():d}", whole)


def _allowed(state: str) -> list[str]:
    """What can be done with a study now."""
    if state in ("queued", "starting", "running"):
        return ["stop"]
    if state == "finished":
        return ["extend"]
    return ["resume", "extend"] if state in ("interrupted", "failed", "cut off") else []


def _links(of: Any, name: str) -> dict[str, str | None]:
    home, entry = of.catalog.home(name), of.queue.of(name)
    base = f"/api/v1/studies/{name}"
    return {
        "report": f"{base}/report" if home.report.is_file() else None,
        "weights": f"{base}/files/best.safetensors" if home.weights.is_file() else None,
        "log": f"{base}/log" if entry else None,
        "job": (of.runner.link(entry.handle) or None) if entry and entry.handle else None,
    }


@router.get("/studies/{name}/snapshot", responses=sends(models.Snapshot))
def snapshot(name: Name, of: Of, request: Request) -> Response:
    """All individuals as columns, with the number of the last event: a page goes on from there by `events`."""
    reader = _read(of, name)
    summary = of.catalog.summary(name)
    tag = mark(reader, summary)

    def whole() -> str:
        with reader.lock:
            if reader.snapshot[0] != tag:
                reader.snapshot = tag, text_of(columns.snapshot(reader.history, reader.number, summary))
            return reader.snapshot[1]

    return answer(request, tag, whole)


@router.get("/studies/{name}/epochs", responses=sends(models.Curves))
def epochs(
    name: Name, of: Of, request: Request,
    individuals: Annotated[str, Query(pattern=r"^[0-9]{1,9}(,[0-9]{1,9})*$", max_length=1100, examples=["0,3"])],
) -> Response:  # fmt: skip
    """The learning curves of some individuals, at most 100."""
    ids = sorted(set(map(int, individuals.split(","))))
    if len(ids) > CURVES:
        raise Refused(400, f"individuals names {len(ids)}: at most {CURVES}")
    reader = _read(of, name)
    with reader.lock:
        found = {"number": reader.number, "curves": columns.curves(reader.history, ids)}
    return answer(request, f"{reader.number}-{individuals}", found)


@router.get("/studies/{name}/individuals/{id}", responses=sends(models.IndividualDetail))
def individual(name: Name, id: Id, of: Of, request: Request) -> Response:
    """All that is known of an individual."""
    reader = _read(of, name)
    with reader.lock:
        if id not in reader.history.individuals:
            raise Refused(404, f"there is no individual {id} in {name!r}")
        found = columns.individual(reader.history, reader.history.individuals[id])
    return answer(request, f"{reader.number}-{id}", found)


@router.get("/studies/{name}/failures", responses=sends(models.Failures))
def failures(name: Name, of: Of, request: Request) -> Response:
    """Individuals that failed, the newest first, each with the nearest that did not."""
    reader = _read(of, name)
    with reader.lock:
        found = {"failures": columns.failures(reader.history)}
    return answer(request, f"{reader.number}", found)


@router.get("/studies/{name}/events", response_class=StreamingResponse, responses=sends("text/event-stream"))
def events(
    name: Name, of: Of, request: Request,
    after: Annotated[int, Query(ge=0, lt=2**53, description="The number of the last event that is known.")] = 0,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> StreamingResponse:  # fmt: skip
    """Server-sent events from a number on, without an end: those of the journal, and `progress`."""
    of.catalog.summary(name)  # where it cannot be read this says why
    known = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
    return _stream(request.app.state.streams.study(name, known))


@router.get("/events", response_class=StreamingResponse, responses=sends("text/event-stream"))
def all_events(request: Request) -> StreamingResponse:
    """Server-sent events `studies`: what changes in the list, first of all what is not over."""
    return _stream(request.app.state.streams.all())


def _stream(messages: Any) -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(messages, media_type="text/event-stream", headers=headers)


@router.post("/studies/{name}/stop", status_code=202, responses=refusals(409))
def stop(name: Name, of: Of) -> Summary:
    """End a study in good order; it can be resumed. One that waits is taken off the queue."""
    return Summary(**of.stop(name))


@router.post("/studies/{name}/resume", status_code=202, responses=refusals(409))
def resume(name: Name, of: Of, who: Who) -> Summary:
    """Put a study that stopped into the queue again."""
    return Summary(**of.go_on(name, who))


@router.post("/studies/{name}/extend", status_code=202, responses=refusals(409))
def extend(name: Name, extension: Extension, of: Of, who: Who) -> Summary:
    """The same for a study that is to go on to so many generations."""
    return Summary(**of.go_on(name, who, extension.generations))


@router.put("/studies/{name}/notes", responses=refusals(507))
def write_notes(name: Name, notes: Notes, of: Of) -> Summary:
    """Replace a study's note and tags. They lie beside its journal."""
    return Summary(**of.note(name, notes))


def _read(of: Any, name: str) -> Reader:
    """The reader of a study, with all that its journal has now."""
    reader: Reader = of.catalog.reader(name)
    reader.catch_up()
    return reader
