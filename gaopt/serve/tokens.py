"""Who may use the service: tokens with a name and a scope.

The page keeps a cookie, which the token makes, and the file the hash of the cookie: by neither can the one before it be
told. A token is 32 random bytes, so that no slow hash is needed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import asdict, dataclass
from typing import Literal

from gaopt.errors import ConfigError, StudyError
from gaopt.serve.folder import ServiceDir, read_json, write_private

Scope = Literal["read", "write"]
OWNER = "owner"
"""Who started the service."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True)
class User:
    """A name, and what it may do: "read", or "write", which includes it."""

    name: str
    scope: Scope
    hash: str


class Tokens:
    """The tokens of a service, read again whenever the file changed: `gaopt token` writes it from another process."""

    def __init__(self, folder: ServiceDir) -> None:
        self._path = folder.tokens
        self._read, self._users = (0, 0), dict[str, User]()

    @property
    def users(self) -> dict[str, User]:
        """By name."""
        stat = self._path.stat() if self._path.exists() else None
        if (seen := (stat.st_mtime_ns, stat.st_ino) if stat else (0, 0)) != self._read:
            try:
                self._users = {name: User(**one) for name, one in read_json(self._path).items()}
            except TypeError as error:
                raise StudyError(f"{self._path} cannot be read: {error}") from error
            self._read = seen
        return self._users

    def add(self, name: str, scope: Scope) -> str:
        """A new token for a name, in place of the one that it had."""
        if not _NAME.fullmatch(name):
            raise ConfigError(f"the name {name!r} cannot be used: letters, digits and '.', '_', '@', '-', at most 64")
        token = secrets.token_urlsafe(32)
        self._write(self.users | {name: User(name, scope, _hash(cookie_of(name, token)))})
        return token

    def remove(self, name: str) -> None:
        if name not in self.users:
            raise ConfigError(f"there is no token {name!r}: known: {', '.join(sorted(self.users)) or 'none'}")
        self._write({other: user for other, user in self.users.items() if other != name})

    def _write(self, users: dict[str, User]) -> None:
        write_private(self._path, json.dumps({name: asdict(user) for name, user in users.items()}, indent=1))

    def by_token(self, token: str) -> User | None:
        """Who has this token."""
        return next((user for name, user in self.users.items() if self.by_cookie(cookie_of(name, token))), None)

    def by_cookie(self, cookie: str) -> User | None:
        """Whose cookie this is."""
        user = self.users.get(cookie.partition(":")[0])
        return user if user and hmac.compare_digest(user.hash, _hash(cookie)) else None


def cookie_of(name: str, token: str) -> str:
    """What the page sends in place of a token."""
    key = token.encode("utf-8", "replace")
    return f"{name}:{hmac.new(key, b'cookie', hashlib.sha256).hexdigest()}"


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()
