"""A function of a user's: what it is called, and of what code and values it is made.

Its code is in the file of its module and in those that it imports, directly or by others. That is read off the files,
for nothing is run that was not asked for. An installed package other than the module's own is left out, and so is
gaopt: of both the version says enough. Of a program, which does more than to define it, only the function itself
counts, with what it names.
"""

import ast
import hashlib
import inspect
import json
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib.util import resolve_name
from inspect import ismethod
from pathlib import Path
from typing import Any

from gaopt.errors import StudyError

MAIN = "__main__"
OURS = "gaopt", "resnet"
INSTALLED = "site-packages", "dist-packages"


def here() -> str:
    """The current folder; a StudyError where there is none any more."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise StudyError("the current folder was removed: change to another one, with cd") from None


def called(function: str | Callable[..., Any]) -> str:
    """ "module:name", by which it can be imported; with <> around the name where it cannot be."""
    if isinstance(function, str):
        return function
    bare, _ = _bared(function)
    module, name = bare.__module__, bare.__qualname__
    if getattr(sys.modules.get(module), name, None) is function:
        return f"{module}:{name}"
    if isinstance(function, partial):
        name = f"partial({name})"
    return f"{module}:{name}" if "<" in name else f"{module}:<{name}>"


def is_local(name: str) -> bool:
    """Whether what `called` gave is a function that only the program or notebook that made it has."""
    return name.startswith(f"{MAIN}:") or "<" in name


def made_of(function: Callable[..., Any]) -> dict[str, str]:
    """Digests of its code, and of plain values and arrays that it carries along: of a partial, a closure, an object."""
    bare, values = _bared(function)
    file = getattr(sys.modules.get(bare.__module__), "__file__", None)
    found = digests(closure(bare.__module__, Path(file))) if file else {}
    if bare.__module__ == MAIN and (text := _source(bare)):
        found[f"code {MAIN}"] = _digest(text.encode())
    if values:
        found["values of the objective"] = _digest(json.dumps(values, sort_keys=True, default=_unknown).encode())
    return found


def _bared(function: Any) -> tuple[Any, list[Any]]:
    """The function or class whose code it is, and what it carries along."""
    values: list[Any] = []
    while True:
        if isinstance(function, partial):
            values += [function.args, function.keywords]
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif ismethod(function):
            values.append(getattr(function.__self__, "__dict__", {}))
            function = function.__func__
        elif not hasattr(function, "__qualname__"):  # an object that is called
            values.append(getattr(function, "__dict__", {}))
            function = type(function)
        else:
            break
    return function, [value for value in (*values, _closed_over(function)) if value]


def _closed_over(function: Any) -> dict[str, Any]:
    with suppress(TypeError, ValueError):  # it is no function; or nothing is in one yet
        return dict(inspect.getclosurevars(function).nonlocals)
    return {}


def _unknown(value: Any) -> Any:
    """Of an array what it holds; of another object only the kind: what it holds may be another each time."""
    kind = type(value).__qualname__
    with suppress(Exception):  # it is no array, or one that is not in this process's memory
        array = value.__array__()
        held = array.tolist() if array.dtype.hasobject else _digest(array.tobytes())
        return [kind, array.dtype.str, array.shape, held]
    return kind


def _source(function: Any) -> str:
    """Of what a program or a notebook defines, and of the functions, classes and plain values that it names there.

    "" where nobody kept it.
    """
    found, coming = dict[str, str](), [function]
    while coming:
        one = coming.pop()
        there = vars(sys.modules[MAIN]) | _closed_over(one)
        found[one.__qualname__] = ""
        with suppress(OSError, TypeError):
            found[one.__qualname__] = _text(one)
        for name in set(re.findall(r"[^\W\d]\w*", found[one.__qualname__])) & there.keys() - found.keys():
            value = there[name]
            if getattr(value, "__module__", None) == MAIN and hasattr(value, "__qualname__"):
                coming += [] if value.__qualname__ in found else [value]
            elif isinstance(value, str | int | float | tuple | list | dict) or hasattr(value, "__array__"):
                with suppress(ValueError, RecursionError):  # it contains itself
                    found[name] = json.dumps(value, default=_unknown, skipkeys=True)
    return "".join(f"{name}\n{text}\n" for name, text in sorted(found.items()) if any(found.values()))


def _text(one: Any) -> str:
    """Its source; of a lambda the body and the defaults, for the rest of its lines is of whoever made it."""
    if getattr(one, "__name__", "") != "<lambda>":
        return inspect.getsource(one)
    places = [place for place in one.__code__.co_positions() if None not in place and place[0::2] != place[1::2]]
    (first, begin), (last, end) = min(p[::2] for p in places), max(p[1::2] for p in places)
    lines = [line.encode() for line in inspect.findsource(one)[0][first - 1 : last]]
    lines[-1] = lines[-1][:end]  # columns are counted in bytes
    return b"".join(lines)[begin:].decode() + json.dumps(one.__defaults__, default=_unknown)


def closure(name: str, file: Path) -> dict[str, Path]:
    """The source files of a module and of all that it imports from the same place, by the names of their modules."""
    above = name.count(".") + (file.stem == "__init__")
    if len(file.parents) <= above or (_file(root := file.parents[above], name) != file and name != MAIN):
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
            found[f"code {name}"] = _digest(path.read_bytes())
    return found


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _imports(name: str, file: Path) -> set[str]:
    """All names that a source file may import a module by, and the packages that they lie in; none of a broken file."""
    package = name if file.stem == "__init__" else name.rpartition(".")[0]
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            with suppress(ImportError):  # beyond its package
                base = resolve_name("." * node.level + (node.module or ""), package)
                found |= {f"{base}.{alias.name}" for alias in node.names}
    return {".".join(parts[: n + 1]) for parts in (each.split(".") for each in found) for n in range(len(parts))}


def _file(root: Path, name: str) -> Path | None:
    base = root.joinpath(*name.split("."))
    return next((path for path in (base / "__init__.py", base.with_name(f"{base.name}.py")) if path.is_file()), None)
