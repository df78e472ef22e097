"""Which files of a user's own a module's code is in: its own, and those that it imports, directly or by others.

Read off the files, for nothing is run that was not asked for. An installed package other than the module's own is left
out, and so is gaopt: of both the version says enough.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import resolve_name
from pathlib import Path

from gaopt.errors import StudyError

OURS = "gaopt", "resnet"
INSTALLED = "site-packages", "dist-packages"


def here() -> str:
    """The current folder.

    Raises:
        StudyError: there is none any more.
    """
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise StudyError("the current folder was removed: change to another one, with cd") from None


def closure(name: str, file: Path) -> dict[str, Path]:
    """The source files of a module and of all that it imports from the same place, by the names of their modules.

    Args:
        name: of the module, "package.module".
        file: where it is.
    """
    above = name.count(".") + (file.stem == "__init__")
    if len(file.parents) <= above or _file(root := file.parents[above], name) != file:
        return {name: file}  # it was loaded by another name than that of its place
    alone = root.name in INSTALLED or str(root) == sysconfig.get_path("stdlib")
    found, coming = {name: file}, [name]
    while coming:
        here = coming.pop()
        for other in _imports(here, found[here]):
            top = other.partition(".")[0]
            path = _file(root, other)
            if path and other not in found and top not in OURS and (not alone or top == name.partition(".")[0]):
                found[other] = path
                coming.append(other)
    return dict(sorted(found.items()))


def digests(files: Mapping[str, Path]) -> dict[str, str]:
    """What source files hold, by the names that they are given; a file that cannot be read is left out."""
    found = {}
    for name, path in files.items():
        with suppress(OSError):
            found[f"code {name}"] = hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
    return found


def _imports(name: str, file: Path) -> Iterator[str]:
    """All names that a source file may import a module by, and the packages that they lie in; none of a broken file."""
    package = name if file.stem == "__init__" else name.rpartition(".")[0]
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _outwards(alias.name)
        elif isinstance(node, ast.ImportFrom):
            with suppress(ImportError):  # beyond its package
                base = resolve_name("." * node.level + (node.module or ""), package)
                for alias in node.names:
                    yield from _outwards(f"{base}.{alias.name}")


def _outwards(name: str) -> Iterator[str]:
    """ "a.b.c", "a.b", "a"."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def _file(root: Path, name: str) -> Path | None:
    base = root.joinpath(*name.split("."))
    return next((path for path in (base / "__init__.py", base.with_name(f"{base.name}.py")) if path.is_file()), None)
