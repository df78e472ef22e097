"""What all routes have in common: the service, who asks, and how columns are answered."""

from __future__ import annotations

import json
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel

from gaopt.serve.reader import Reader
from gaopt.serve.service import Service

Name = Annotated[
    str, Path(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Of a study.", examples=["digits-1"])
]


def service(request: Request) -> Service:
    return cast("Service", request.app.state.service)


def user(request: Request) -> str:
    """The name of who asks."""
    return str(request.scope["state"]["user"].name)


Of = Annotated[Service, Depends(service)]
Who = Annotated[str, Depends(user)]


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The statuses of a route's problems, for the description; some are every route's."""
    found = {400, 401, 403, 404, 405, 413, 415, 422, 429, 500, *statuses}
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "The sentence says why.", "content": content} for status in sorted(found)}


def sends(what: type[BaseModel] | str) -> dict[int | str, dict[str, Any]]:
    """What a route answers, for the description: an object with an ETag, or text of a media type."""
    if isinstance(what, str):
        return {200: {"content": {what: {"schema": {"type": "string"}}}}}
    return {200: {"model": what}, 304: {"description": "It is the one of If-None-Match."}}


def text_of(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def answer(request: Request, tag: str, content: Any) -> Response:
    """JSON with an ETag; nothing where the client has it already."""
    if request.headers.get("if-none-match") == (mark := f'"{tag}"'):
        return Response(status_code=304, headers={"ETag": mark})
    found = content() if callable(content) else content
    text = found if isinstance(found, str) else text_of(found)
    return Response(text, media_type="application/json", headers={"ETag": mark, "Cache-Control": "private, no-cache"})


def mark(reader: Reader, summary: dict[str, Any]) -> str:
    """What changes whenever an answer about a study would: its events, its state, what people wrote."""
    said = hash((summary["note"], *summary["tags"], str(summary["queue"]), summary["error"])) & 0xFFFFFFFF
    return f"{reader.lives}-{reader.number}-{summary['state'].replace(' ', '-')}-{said:x}"
