"""The token of Ray's clusters: a file that its owner alone may read.

Ray makes it with the mode that the umask leaves, mostly 0644, so it is made here before Ray looks for it.
Where Ray looks, in this order: RAY_AUTH_TOKEN (the token itself), RAY_AUTH_TOKEN_PATH, ~/.ray/auth_token.
"""

from __future__ import annotations

import logging
import os
import secrets
import shlex
import shutil
import stat
import sys
from pathlib import Path

from gaopt.errors import ConfigError

_log = logging.getLogger(__name__)


def token_command() -> str:
    """What prints the token of Ray's dashboard: Ray's command may lie beside Python, and not on the path."""
    ray = "ray" if shutil.which("ray") else shlex.quote(str(Path(sys.executable).with_name("ray")))
    return f"{ray} get-auth-token"


def guard(make: bool) -> None:
    """See that the token's file is for its owner alone, and ~/.ray, where it mostly is.

    Args:
        make: make one where there is none, for a cluster that is about to start.

    Raises:
        ConfigError: it cannot be made, or the one that is named is not there.
    """
    logging.getLogger(_TOKENS).addFilter(_not_an_advice_to_be_open)
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
    if named := os.environ.get("RAY_AUTH_TOKEN_PATH"):  # it is made by who names it
        if not os.path.isfile(named):
            raise ConfigError(f"RAY_AUTH_TOKEN_PATH is {named!r}: must be a file that holds the token")
        _close(Path(named), 0o600)
        return
    try:
        path = Path.home() / ".ray" / "auth_token"
        _close(path.parent, 0o700)  # first: who can write there could put another in its place
        if make:
            _make(path)
    except (OSError, RuntimeError) as error:  # the latter where nobody knows a home
        raise ConfigError(
            f"the token of Ray's clusters cannot be made: {error}: let RAY_AUTH_TOKEN_PATH name a file that holds one,"
            " or HOME a folder that can be written"
        ) from error
    _close(path, 0o600)


_TOKENS = "ray._private.authentication.authentication_token_setup"


def _not_an_advice_to_be_open(record: logging.LogRecord) -> bool:
    """Ray says at each start how to turn its token authentication off: no advice for people who read in passing."""
    return not record.getMessage().startswith("Token authentication is enabled")


def _make(path: Path) -> None:
    """Two that start at once agree on one: it comes into being whole, under its name, or not at all."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w") as file:
            file.write(secrets.token_hex(32))
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()


def _close(path: Path, mode: int) -> None:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(mode)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        what = "the token of Ray's clusters" if path.is_file() else "the folder of Ray's token"
        _log.warning("%s, %s, can be read by others: %s", what, path, error.strerror)
