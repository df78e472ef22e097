"""A journal that somebody else made: what SQLite would do for such a file, and must not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gaopt.errors import StudyError

_NAMES_ANOTHER = bytes.fromhex("d9d505f920a163d7")
"""How a rollback journal ends that names a journal above it (SQLite, *Database File Format*, section 3)."""


def check_rollback(database: Path) -> None:
    """Refuse a rollback journal that names another file: SQLite, which goes on with what it finds, removes that file.

    Ours never has such a name, which is for transactions over several databases. To be asked before SQLite is.

    Raises:
        StudyError: the journal beside this database does, or is a pipe or a device.
    """
    beside = Path(f"{database.resolve()}-journal")  # SQLite too follows a link first
    if beside.exists() and not beside.is_file():
        raise StudyError(f"{beside} is no file, and would be waited for: remove it")
    try:
        with open(beside, "rb") as file:
            file.seek(-len(_NAMES_ANOTHER), 2)
            end = file.read()
    except OSError:  # none, or a shorter one
        return
    if end == _NAMES_ANOTHER:
        raise StudyError(f"{beside} would have another file removed, and is not of gaopt: remove it")


def check_schema(connection: Any, path: Path) -> None:
    """Refuse a database with more in it than a table of events: triggers and views are code.

    Args:
        connection: of sqlite3.

    Raises:
        StudyError: it has.
    """
    connection.execute("PRAGMA trusted_schema = OFF")  # defaults and the like cannot call what has side effects
    query = "SELECT type || ' ' || name FROM sqlite_master WHERE type <> 'table' OR name <> 'events' OR rootpage = 0"
    if found := connection.execute(query).fetchone():
        raise StudyError(f"{path} is not a journal of gaopt: it holds the {found[0]}")
