"""The token of Ray's clusters: a file that its owner alone may read.

Ray makes it with the mode that the umask leaves, mostly 0644, so it is made here before Ray looks for it.
Where Ray looks, in this order: RAY_AUTH_TOKEN (the token itself), RAY_AUTH_TOKEN_PATH, ~/.ray/auth_token.
"""

from __future__ import annotations

import logging
import os
import secrets
import stat
from pathlib import Path

_log = logging.getLogger(__name__)


def guard(make: bool) -> None:
    """See that the token's file is for its owner alone.

    Args:
        make: make one where there is none, for a cluster that is about to start.
    """
    mode = os.environ.get("RAY_AUTH_MODE", "token").lower()
    if mode != "token":
        if make:
            _log.warning(
                "RAY_AUTH_MODE is %r: Ray asks for no token, and whoever has an account on this machine can run code"
                " as you while the study runs",
                mode,
            )
        return
    if os.environ.get("RAY_AUTH_TOKEN"):
        return
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if make and not os.environ.get("RAY_AUTH_TOKEN_PATH"):
        _make(path)
    _close(path)


def _make(path: Path) -> None:
    """Two that start at once agree on one: it comes into being whole, under its name, or not at all."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()


def _close(path: Path) -> None:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
    except FileNotFoundError:
        pass
    except OSError as error:
        _log.warning("the token of Ray's clusters, %s, can be read by others: %s", path, error.strerror)
