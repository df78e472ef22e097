"""Files that somebody else made: what SQLite would do for a journal, and must not."""

from pathlib import Path
from typing import Any

from gaopt.errors import StudyError

_NAMES_ANOTHER = bytes.fromhex("d9d505f920a163d7")
"""How a rollback journal ends that names a journal above it (SQLite, *Database File Format*, section 3)."""


def check_rollback(database: Path) -> None:
    """Refuse a rollback journal that names another file: SQLite, which goes on with what it finds, removes that file.

    Ours never has such a name, which is for transactions over several databases. To be asked before SQLite is.
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


def check_schema(connection: Any, path: Path, schema: str) -> None:
    """Refuse a database with more in it than our table of events: triggers, views and constraints are code."""
    connection.execute("PRAGMA trusted_schema = OFF")  # defaults and the like cannot call what has side effects
    query = "SELECT type || ' ' || name FROM sqlite_master WHERE type <> 'table' OR name <> 'events' OR rootpage = 0"
    if found := connection.execute(query).fetchone():
        raise StudyError(f"{path} is not a journal of gaopt: it holds the {found[0]}")
    own = " ".join(schema.replace("IF NOT EXISTS ", "").split())  # as SQLite keeps it, but for the spaces
    if any(" ".join(sql.split()) != own for (sql,) in connection.execute("SELECT sql FROM sqlite_master")):
        raise StudyError(f"{path} is not a journal of gaopt: its table events is another")


def check_sequence(connection: Any, path: Path) -> None:
    """Refuse events whose numbers are not 1, 2, 3, …: after the largest one SQLite draws them at random."""
    count, first, last = connection.execute("SELECT count(*), min(seq), max(seq) FROM events").fetchone()
    if count and (first, last) != (1, count):  # whole numbers, each once
        raise StudyError(f"{path} cannot be gone on with: it has {count} events, numbered from {first} to {last}")
