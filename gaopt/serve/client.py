"""A service as a program sees it, with the standard library alone: the verbs submit, queue, logs, stop and watch.

It needs neither the web server nor its extra: a laptop without them speaks to a service elsewhere.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from gaopt.errors import BadInput, ConfigError, GaoptError
from gaopt.serve.folder import ServiceDir, read_json

ANSWERED = 60.0
"""Seconds for an answer: a config is checked with its data."""
SILENT = 40.0
"""Seconds after which a stream is taken for lost: it says each fifteen that it is there."""
AGAIN = 2.0
"""Seconds before a stream that was lost is asked for again."""
GONE = 300.0
"""Seconds after which a service that was lost is given up: one that begins again starts Ray first."""


class NoService(GaoptError):  # noqa: N818 - named for what the user reads
    """Nobody answers at the address."""


@dataclass(frozen=True)
class Client:
    """The REST interface of a service.

    Attributes:
        address: "http://HOST:PORT", with the path of a proxy, if any.
        here: whether it was found by its file in the results folder, so that paths mean the same to it.
    """

    address: str
    token: str
    here: bool = False

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer, None where it has no body.

        Raises:
            BadInput: the service refuses; its sentence says why.
            NoService: nobody answers.
        """
        with closing(self._connection(ANSWERED)) as connection:
            text = self._request(connection, method, path, body).read()
        try:
            return json.loads(text) if text else None
        except ValueError:  # a proxy's page, say
            raise GaoptError(f"what answers at {self.address} is no service of gaopt") from None

    def log(self, study: str, **query: int) -> tuple[bytes, int]:
        """What the newest run of a study printed from an offset `after` on, or its `tail`; and the next offset."""
        with closing(self._connection(ANSWERED)) as connection:
            answer = self._request(connection, "GET", f"{path_of(study)}/log?{urlencode(query)}")
            return answer.read(), int(answer.headers["Log-End"])

    def events(self, study: str) -> Iterator[tuple[str, str]]:
        """(event, data) as they come, without an end; each event of the journal once, however often the line breaks.

        Raises:
            NoService: nobody answers, at first or for minutes.
        """
        number, heard = 0, 0.0
        while True:
            try:
                with closing(self._connection(SILENT)) as connection:
                    answer = self._request(connection, "GET", f"{path_of(study)}/events?after={number}")
                    for id, event, data in _messages(answer):
                        number, heard = id or number, time.monotonic()
                        yield event, data
            except (NoService, OSError, HTTPException) as error:
                if not heard or time.monotonic() - heard > GONE:
                    raise error if isinstance(error, NoService) else self._silent(error) from None
            time.sleep(AGAIN)

    def _connection(self, timeout: float) -> HTTPConnection:
        url = urlsplit(self.address)
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        return kind(url.hostname or "", url.port, timeout=timeout)

    def _request(self, connection: HTTPConnection, method: str, path: str, body: Any = None) -> HTTPResponse:
        headers = {"Authorization": f"Bearer {self.token}".encode(), "Content-Type": "application/json"}
        url = f"{urlsplit(self.address).path}/api/v1{path}"
        try:
            connection.request(method, url, None if body is None else json.dumps(body), headers)  # type: ignore[arg-type]
            answer = connection.getresponse()
            if answer.status < 300:
                return answer
            said = _detail(answer)
        except (OSError, HTTPException) as error:
            raise self._silent(error) from None
        raise (BadInput if answer.status < 500 else GaoptError)(said)

    def _silent(self, error: Exception) -> NoService:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return NoService(f"no service answers at {self.address} ({why}): start one with `gaopt serve`")


def path_of(study: str) -> str:
    """The path of a study, below the interface's and the page's."""
    return f"/studies/{quote(study, safe='')}"


def _detail(answer: HTTPResponse) -> str:
    """The sentence of a problem."""
    try:
        return str(json.loads(answer.read(1 << 20))["detail"])
    except (ValueError, TypeError, KeyError):  # a proxy's page, say
        return f"the service answers {answer.status} {answer.reason}"


def _messages(lines: HTTPResponse) -> Iterator[tuple[int, str, str]]:
    """(id, event, data) of a stream of server-sent events; an id of 0 where there is none."""
    found = dict[str, str]()
    while line := lines.readline():
        key, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(": ")
        if key:
            found[key] = value
        elif "data" in found:
            yield int(found.get("id", 0)), found.get("event", ""), found["data"]
        if not key:
            found = {}


def client(service: str | None) -> Client:
    """The service that is meant: the one given, else the one of the results folder in use.

    Args:
        service: its address, also as the link that `gaopt serve` prints, with the token in it.

    Raises:
        ConfigError: the address is none, or its token is not to be found.
        NoService: none was given, and there was never one here.
    """
    if service is None:
        path = ServiceDir.default().connection
        found = read_json(path)
        if not found:
            raise NoService(f"there is no service with the results in {path.parents[1]}: start one with `gaopt serve`")
        return Client(str(found["address"]), os.environ.get("GAOPT_TOKEN") or str(found["token"]), here=True)
    try:
        url = urlsplit(service if "://" in service else f"http://{service}")
        fits = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise ConfigError(f"the service is {service!r}: must be an address such as http://127.0.0.1:8400")
    token = parse_qs(url.query).get("token", [""])[0] or os.environ.get("GAOPT_TOKEN") or _kept_token()
    return Client(f"{url.scheme}://{url.netloc}{url.path.removesuffix('/login').rstrip('/')}", token)


def _kept_token() -> str:
    """The one that a person keeps for services elsewhere."""
    path = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "gaopt" / "token"
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"the service needs a token: set GAOPT_TOKEN, or write it to {path} ({why})") from None
