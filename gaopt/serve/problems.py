"""Errors as RFC 9457 has them: problem details, with the sentence that the command prints."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from gaopt.errors import BadInput, GaoptError, Lost, StudyError, Unwritable
from gaopt.printable import printable
from gaopt.serve.request import Forbidden

MEDIA = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")
"""What a body may be."""


class Problem(BaseModel):
    """Why a request was refused."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] | None = None


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """A response that says what is wrong."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": printable(detail)}
    return JSONResponse(body | more, status, headers, media_type="application/problem+json")


class Refused(Exception):  # noqa: N818
    """A request that cannot be done, with its status."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def status_of(error: GaoptError) -> int:
    """The status of an error: 503 is a Ray that does not answer, 507 a full disk."""
    if isinstance(error, Forbidden):
        return 403
    if isinstance(error, StudyError) and str(error).startswith("there is no"):
        return 404
    if isinstance(error, StudyError) and re.match("(the (study|comparison) '[^ ]*'|/.*) exists", str(error)):
        return 409
    if isinstance(error, BadInput):
        return 400
    if isinstance(error, Lost):
        return 503
    return 507 if isinstance(error, Unwritable) else 500


def install(app: FastAPI) -> None:
    """Make every error of an app a problem."""

    @app.exception_handler(GaoptError)
    def _(_: Request, error: GaoptError) -> JSONResponse:
        return problem(status_of(error), str(error))

    @app.exception_handler(Exception)
    def _(_: Request, error: Exception) -> JSONResponse:
        return problem(500, "the service failed at this: what it printed says why")

    @app.exception_handler(Refused)
    def _(_: Request, error: Refused) -> JSONResponse:
        return problem(error.status, str(error))

    @app.exception_handler(HTTPException)
    def _(request: Request, error: HTTPException) -> JSONResponse:
        allow = {"Allow": _methods(app, request.url.path)} if error.status_code == 405 else {}
        return problem(error.status_code, str(error.detail), {**(error.headers or {}), **allow})

    @app.exception_handler(RequestValidationError)
    def _(request: Request, error: RequestValidationError) -> JSONResponse:
        media = request.headers.get("content-type", "").partition(";")[0]
        if any(one["loc"][0] == "body" and one["type"] != "missing" for one in error.errors()) and media not in MEDIA:
            return problem(415, f"the media type {media!r} is not taken: send application/json")
        found = [{"where": [str(part) for part in one["loc"]], "message": one["msg"]} for one in error.errors()]
        said = "; ".join(f"{'.'.join(one['where'][1:]) or 'the body'}: {one['message']}" for one in found[:3])
        return problem(422, said, errors=jsonable_encoder(found))

    described = app.openapi

    def openapi() -> dict[str, Any]:
        found = described()
        found["components"]["schemas"].setdefault("Problem", Problem.model_json_schema())
        return found

    app.openapi = openapi  # type: ignore[method-assign]


def _methods(app: FastAPI, path: str) -> str:
    """What a path takes, for `Allow`: of the routes that share it, Starlette tells the first one's."""
    for template, methods in app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return ", ".join(sorted(map(str.upper, methods)))
    return "GET"
