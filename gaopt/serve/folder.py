"""The service's own folder, `results/.serve`: every path in it is spelled here."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaopt.errors import StudyError
from gaopt.journal.atomic_write import replace_file
from gaopt.journal.paths import results


@dataclass(frozen=True)
class ServiceDir:
    """The folder in which a service keeps its queue, its tokens and the logs of what it started."""

    path: Path

    @classmethod
    def default(cls) -> ServiceDir:
        """The one of the results folder in use."""
        return cls(Path(os.path.abspath(results())) / ".serve")

    @property
    def queue(self) -> Path:
        return self.path / "queue.db"

    @property
    def tokens(self) -> Path:
        """Names, scopes and hashes of the tokens."""
        return self.path / "tokens.json"

    @property
    def connection(self) -> Path:
        """Address and token of the running service, for commands on this machine; readable by its owner alone."""
        return self.path / "service.json"

    @property
    def ray(self) -> Path:
        """The Ray head that the service started."""
        return self.path / "ray.json"

    def config(self, study: str) -> Path:
        """The config of a study that waits."""
        return self.path / "configs" / f"{study}.toml"

    def log(self, entry: int) -> Path:
        """What the command of a queue's entry printed."""
        return self.path / "logs" / f"{entry}.log"

    def make(self) -> None:
        """Make the folder, for its owner alone.

        Raises:
            StudyError: it cannot be made.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self.path, self.path / "configs", self.path / "logs"):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StudyError(f"the folder {self.path} cannot be made: {error.strerror}") from error


def read_json(path: Path) -> dict[str, Any]:
    """A file's object; an empty one where there is no file.

    Raises:
        StudyError: it is damaged or cannot be read.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StudyError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise StudyError(f"{path} cannot be read: it holds no object")
    return found


def write_private(path: Path, text: str) -> None:
    """Replace a file whole, readable by its owner alone.

    Raises:
        Unwritable: there is no room, say.
    """
    replace_file(path, text, 0o600)
