"""Who may ask what: the first thing that a request meets.

In this order: its host is the service's own (a page elsewhere could have its name resolve to this machine), its body
is not too large, a token or a cookie is known and may do this, and what changes anything comes from the service's own
page or from a program. Failed attempts are counted, so that no token is found by trying.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gaopt.errors import GaoptError
from gaopt.serve.problems import problem
from gaopt.serve.tokens import Tokens, User

OPEN = ("/api/v1/health", "/login", "/static/")
"""What is answered without a token: the page that asks for one, and what it is made of."""
LARGEST = 4 << 20
"""Bytes of a body: an image, or a config."""
FAILED, CHANGES, WITHIN = 20, 120, 60.0
"""Failed attempts of an address, and changes of a user, within so many seconds."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none a browser names no origin of the login form either
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class Attempts:
    """How often somebody did something lately."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._moments: dict[str, deque[float]] = defaultdict(deque)

    def too_many(self, who: str) -> bool:
        """Count one more, unless that would be too many."""
        now, moments = time.monotonic(), self._moments[who]
        while moments and now - moments[0] > WITHIN:
            moments.popleft()
        if len(moments) >= self._most:
            return True
        moments.append(now)
        return False


class Access:
    """A layer around the app. `scope["state"]["user"]` is who asks."""

    def __init__(self, app: ASGIApp, tokens: Tokens, hosts: Collection[str], cookie: str, failed: Attempts) -> None:
        self._app, self._tokens, self._hosts, self._cookie = app, tokens, hosts, cookie
        self._failed, self._changes = failed, Attempts(CHANGES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            refused = self._refused(scope, headers)
        except GaoptError as error:  # the tokens cannot be read
            refused = problem(500, str(error))

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    found.setdefault(name, value)
                found.setdefault("Cache-Control", "no-store")
            await send(message)

        await (refused or self._app)(scope, _limited(receive) if refused is None else receive, sent)

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        """Why a request is not answered; None where it is."""
        path, method, address = scope["path"], scope["method"], (scope.get("client") or ("",))[0]
        if (host := headers.get("host", "")) not in self._hosts:
            return problem(400, f"the host {host!r} is not this service's: start it with --name HOST")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST:
            return problem(413, f"the body has {length} bytes: at most {LARGEST} are taken")
        user, by_cookie = self._user(headers)
        scope.setdefault("state", {})["user"] = user
        if method == "POST" and not _own_origin(headers, self._hosts):
            return problem(403, "a change must not come from another page")
        if any(path == one or (one.endswith("/") and path.startswith(one)) for one in OPEN):
            return None
        if user is None:
            return self._unknown(headers, address, path)
        if method in ("GET", "HEAD", "OPTIONS"):
            return None
        if by_cookie and not _own_page(headers, self._hosts):
            return problem(403, "a change must come from the service's own page, or with a token")
        if user.scope != "write":
            return problem(403, f"the token of {user.name!r} may read only")
        if self._changes.too_many(user.name):
            return later(f"more than {CHANGES} changes within a minute")
        return None

    def _user(self, headers: Headers) -> tuple[User | None, bool]:
        """Who asks, and whether the cookie says so."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._tokens.by_token(token.strip()), False
        jar = SimpleCookie()
        try:
            jar.load(headers.get("cookie", ""))
        except CookieError:
            return None, True
        return (self._tokens.by_cookie(jar[self._cookie].value) if self._cookie in jar else None), True

    def _unknown(self, headers: Headers, address: str, path: str) -> Response | None:
        given = "authorization" in headers
        if given and self._failed.too_many(address):
            return later(f"more than {FAILED} tokens that are unknown within a minute")
        if not path.startswith("/api/") and "text/html" in headers.get("accept", ""):
            return Response(status_code=303, headers={"Location": "/login"})
        said = "the token is unknown" if given else "a token is needed: Authorization: Bearer TOKEN"
        return problem(401, said, {"WWW-Authenticate": "Bearer"})


def _own_page(headers: Headers, hosts: Collection[str]) -> bool:
    site = headers.get("sec-fetch-site")
    return _own_origin(headers, hosts) and (site == "same-origin" or (site is None and "origin" in headers))


def _own_origin(headers: Headers, hosts: Collection[str]) -> bool:
    """Whether the page that asks, where a browser names one, is the service's own."""
    return "origin" not in headers or headers["origin"].partition("://")[2] in hosts


def later(why: str) -> Response:
    return problem(429, f"{why}: try again later", {"Retry-After": "60"})


def _limited(receive: Receive) -> Receive:
    """The same for a body without a length, found out while it is read."""
    taken = 0

    async def received() -> Message:
        nonlocal taken
        message: Any = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST:
            raise HTTPException(413, f"the body has more than {LARGEST} bytes: at most {LARGEST} are taken")
        return message

    return received
