"""The web application: the REST interface, the page, and the layers around them."""

from __future__ import annotations

import html
import mimetypes
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.middleware.gzip import GZipMiddleware

from gaopt import __version__
from gaopt.serve import problems
from gaopt.serve.access import FAILED as FAILED_ATTEMPTS
from gaopt.serve.access import Access, Attempts, later
from gaopt.serve.api import compare, files, studies, system
from gaopt.serve.problems import problem
from gaopt.serve.service import Service
from gaopt.serve.stream import Streams
from gaopt.serve.tokens import cookie_of

PAGE = (Path(__file__).parent / "page").resolve()
VIEWS = ("/", "/new", "/queue", "/compare", "/studies/{name}")
YEAR = 365 * 24 * 3600


def create(service: Service, hosts: Collection[str], port: int) -> FastAPI:
    """The application of a service at this port; `hosts` are what the header Host may say."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.streams = Streams(service.catalog)
        yield

    app = FastAPI(
        title="gaopt", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json", separate_input_output_schemas=False,
        description="Searches over hyperparameters: started, watched, stopped, compared. Every route but `health` needs"
        " a token: `Authorization: Bearer TOKEN`.",
    )  # fmt: skip
    app.state.service = service
    problems.install(app)
    for room in (studies, compare, files, system):
        app.include_router(room.router, prefix="/api/v1")
    failed, cookie = Attempts(FAILED_ATTEMPTS), f"gaopt-{port}"
    _page(app, service, failed, cookie)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Access, tokens=service.tokens, hosts=frozenset(hosts), cookie=cookie, failed=failed)
    return app


def _page(app: FastAPI, service: Service, failed: Attempts, cookie: str) -> None:
    """The page's routes. It learns everything else from the REST interface."""

    def view() -> Response:
        return _filled("index.html")

    for path in VIEWS:
        app.get(path, include_in_schema=False)(view)

    @app.get("/static/{path:path}", include_in_schema=False)
    def static(request: Request, path: str, v: str = "") -> Response:
        found = (PAGE / path.replace("\0", "")).resolve()
        if not found.is_relative_to(PAGE) or not found.is_file() or found.suffix == ".html":
            return problem(404, f"there is no {path!r}")
        age = f"max-age={YEAR}, immutable" if v else "no-cache"
        media = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
        headers = {"Cache-Control": age}
        response = FileResponse(found, media_type=media, headers=headers, stat_result=found.stat())
        if request.headers.get("if-none-match") == (mark := response.headers["etag"]):
            return Response(status_code=304, headers=headers | {"ETag": mark})
        return response

    def admitted(request: Request, token: str) -> Response:
        address = request.client.host if request.client else ""
        if user := service.tokens.by_token(token.strip()):
            response = RedirectResponse("/", 303)
            response.set_cookie(
                cookie, cookie_of(user.name, token.strip()), max_age=YEAR, httponly=True,
                samesite="lax",  # so that a link in a chat leads to its study; changes are asked for by the page itself
                secure=service.address.startswith("https:"), path="/",
            )  # fmt: skip
            return response
        if failed.too_many(address):
            return later("too many tokens that are unknown")
        return _login("The token is unknown.", 401)

    @app.get("/login", include_in_schema=False)
    def login(request: Request, token: Annotated[str, Query(max_length=200)] = "") -> Response:
        return admitted(request, token) if token else _login("", 200)

    @app.post("/login", include_in_schema=False)
    def log_in(request: Request, token: Annotated[str, Form(max_length=200)] = "") -> Response:
        return admitted(request, token)


def _login(said: str, status: int) -> Response:
    return _filled("login.html", status, said=said)


def _filled(name: str, status: int = 200, **values: str) -> Response:
    """A file of the page with its {{places}} filled."""
    text = (PAGE / name).read_text("utf-8")
    for place, value in {"version": __version__, **values}.items():
        text = text.replace("{{" + place + "}}", html.escape(value))
    return Response(text, status, media_type="text/html")
