"""The folders under results/: those that are there are found, new ones are named and made."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from gaopt.errors import StudyError, nearest
from gaopt.journal.paths import ComparisonDir, StudyDir, check_listable, results

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def studies() -> Iterator[StudyDir]:
    """All studies, by name.

    Raises:
        StudyError: nobody may look for them.
    """
    yield from map(StudyDir, _with("study.db"))


def comparisons() -> Iterator[ComparisonDir]:
    """All comparisons, by name.

    Raises:
        StudyError: nobody may look for them.
    """
    yield from map(ComparisonDir, _with("comparison.toml"))


def _with(name: str) -> Iterator[Path]:
    """The folders among the results that have such a file, by name."""
    _check_results()
    root = results()
    for file in sorted(root.glob(f"*/{name}")) if os.path.isdir(root) else ():
        if os.path.isfile(file):
            yield file.parent


def free_dir(name: str | None, stem: str) -> StudyDir:
    """A place for a new study; nothing is written yet.

    Args:
        name: its name; None for the first free one of stem-1, stem-2, …

    Raises:
        StudyError: the name cannot be a folder's, or is taken.
    """
    _check_results()
    if name is None:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:80] or "study"
        return next(home for n in count(1) if not (home := _at(f"{stem}-{n}")).path.exists())
    home = _at(name)
    if os.path.isfile(home.journal):
        raise StudyError(f"the study {name!r} exists: go on with 'gaopt resume {name}', or give another --name")
    if os.path.isfile(ComparisonDir(home.path).plan):
        raise StudyError(f"the comparison {name!r} exists: go on with 'gaopt compare {name}', or give another --name")
    home.check_new()
    return home


def _check_results() -> None:
    try:
        if results().exists():
            check_listable(results())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise StudyError(f"the results folder {results()} cannot be used: {why}") from None


def new_dir(name: str | None, stem: str) -> StudyDir:
    """`free_dir`, and its folder made, so that no other search can have it.

    Raises:
        StudyError: also when the folder cannot be made.
    """
    while True:
        home = free_dir(name, stem)
        try:
            home.path.mkdir(parents=True)
        except FileExistsError:
            if name is None and home.path.exists():
                continue  # another search was quicker: the next number
        except OSError:
            pass  # said by `make`
        home.make()
        return home


def new_comparison_dir(name: str | None, stem: str) -> ComparisonDir:
    """`new_dir` for a comparison."""
    return ComparisonDir(new_dir(name, stem).path)


def find_comparison(name: str) -> ComparisonDir | None:
    """A comparison by name, or by the path of its folder; None where there is none."""
    if "\0" in name:
        return None
    if os.sep in name:
        path = Path(os.path.realpath(name))
        home = ComparisonDir(results() / path.name if path.parent == results().resolve() else path)
        # Not Path.is_file, which raises where a name is too long for a file.
        if os.path.isfile(home.plan):
            return home
    home = ComparisonDir(results() / name)
    return home if os.path.isfile(home.plan) else None


def find_study(name: str) -> StudyDir:
    """A study by name, or by the path of its folder.

    Raises:
        StudyError: there is none, with the nearest name.
    """
    if "\0" in name:
        raise StudyError(f"the study name {name!r} cannot be used: it holds a character that no path can")
    path = Path(os.path.realpath(name))
    if (os.sep in name or name in (".", "..")) and os.path.isfile(StudyDir(path).journal):
        return StudyDir(results() / path.name if path.parent == results().resolve() else path)
    home = StudyDir(results() / name.rstrip(os.sep))
    if not _NAME.fullmatch(home.name) or home.path.parent != results() or not os.path.isfile(home.journal):
        if os.path.isfile(test := StudyDir(results() / path.name).lr_find("svg")):
            raise StudyError(f"{name!r} is a range test, not a study: its figure is {test}")
        if find_comparison(name):
            raise StudyError(f"{name!r} is a comparison, not a study: `gaopt compare {name}` goes on with it")
        known = [study.name for study in studies()]  # first: it may not be allowed to look
        (StudyDir(path) if os.sep in name else home).check_readable()
        raise StudyError(f"there is no study {name!r} in {results()}: {nearest(path.name, known)}")
    return home


def _at(name: str) -> StudyDir:
    if not _NAME.fullmatch(name):
        raise StudyError(
            f"the study name {name!r} cannot be used: letters, digits, '.', '_' and '-' only, at most 100,"
            " the first a letter or a digit"
        )
    return StudyDir(results() / name)
