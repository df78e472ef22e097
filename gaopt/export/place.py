"""Where an export lies: a folder with a mark, replaced whole or not at all."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gaopt.config.tables import text_of
from gaopt.errors import StudyError

MARK = "export.json"  # says of which study and format a folder is the export: another one is never replaced


@contextmanager
def rewritten(folder: Path, mark: Mapping[str, str]) -> Iterator[Path]:
    """An empty folder beside another, whose place it takes at the end; after an error nothing of it is left."""
    folder = Path(os.path.realpath(folder))
    part = folder.with_name(f".{folder.name}.{os.getpid()}.tmp") if folder.name else folder
    try:
        _check(folder, mark)
        folder.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        try:
            yield part
            (part / MARK).write_text(json.dumps(mark) + "\n", "utf-8")
            _check_own(folder, part)
            if folder.exists():  # a folder cannot be renamed onto a full one
                shutil.rmtree(folder)
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise StudyError(f"the folder {folder} cannot be written: {error.strerror or error}") from error


def _check(folder: Path, mark: Mapping[str, str]) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        found = json.loads(text_of(folder / MARK))
    except (OSError, ValueError):
        raise StudyError(f"{folder} exists and is no export of gaopt: give another --out") from None
    if found != mark:
        raise StudyError(f"{folder} is another export, {found}: give another --out")


def _check_own(folder: Path, part: Path) -> None:
    """An export has the files of the one before it, but for those of TensorBoard, which are named by their time."""
    for path in folder.rglob("*"):
        own = path.is_dir() or path.match("events.out.tfevents.*.gaopt") or (part / path.relative_to(folder)).exists()
        if not own or path.is_symlink():
            raise StudyError(f"{path} is of no export, and would be lost: move it, or give another --out")


@contextmanager
def database(path: Path, store: Callable[[str], Any]) -> Iterator[Any]:
    """What writes a new SQLite file by SQLAlchemy, made of its address; the file is moved to its path at the end.

    Its folder may be called what an address cannot spell ("?", "{", "%"), so that it is made elsewhere. The disk is not
    waited for: a file that is not whole is never seen, and can be made again.
    """
    from sqlalchemy import event

    with TemporaryDirectory() as scratch:
        made = Path(scratch) / path.name
        found = store(f"sqlite:///{made}")
        found.engine.dispose()
        event.listen(found.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
        yield found
        found.engine.dispose()
        shutil.move(made, path)
