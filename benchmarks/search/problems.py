"""The problems: what a search is to find the best genes of, and how far from the best known a score is."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from benchmarks.search import cifar, lcbench, table
from benchmarks.search.table import Trained
from gaopt.errors import BadInput, nearest
from gaopt.space.space import Genes, Space

TUNED = ("7593", "126029", "168330", "189909")
"""The data sets whose problems may be looked at while a search is being improved."""

JUDGED = ("167149", "167161", "167185", "189865")
"""Those that say how good it became: nothing is chosen by them, for what is chosen by a figure makes it too good."""

ROLES = ("judged", "tuned", "digits", "cifar10", "trained")

TABLES: dict[str, tuple[Path, Callable[[], Problem]]] = {
    "digits": (table.DIGITS, table.digits),
    "cifar10": (cifar.FILE, cifar.surface),
}
"""The problems of trainings that were made once: where they are, and what loads them."""

TRAINED = "trained"
"""The one that takes minutes a run: there only when it is asked for."""


class Problem(Protocol):
    """The scores of trainings, in points of validation accuracy; nan for a training that fails.

    Attributes:
        space: the genes.
        epochs: of a full training.
    """

    @property
    def space(self) -> Space: ...

    @property
    def epochs(self) -> int: ...

    def score(self, genes: Genes, epochs: int) -> float:
        """What a training of so many epochs comes to on average. Only one of full length can be the best."""

    def seen(self, genes: Genes, epochs: int, noise: float, rng: random.Random) -> float:
        """What one training comes to, with a standard deviation of so many points; without noise the score."""

    def regret(self, score: float) -> float:
        """0 at the best score known, 1 at the median of random genes."""


def names() -> list[str]:
    """Every problem: LCBench's with three and with seven genes, and those of the tables that are there."""
    own = [name for name, (path, _) in TABLES.items() if path.is_file()]
    return [f"lc{genes}-{name}" for genes in lcbench.SIZES for name in (*TUNED, *JUDGED)] + own


def role(name: str) -> str:
    """Which of the ROLES a problem has.

    Raises:
        ValueError: it is no problem.
    """
    data = name.partition("-")[2]
    for role, those in {"judged": JUDGED, "tuned": TUNED}.items():
        if data in those:
            return role
    if name not in (*TABLES, TRAINED):
        raise ValueError(f"{name!r} is no problem")
    return name


def chosen(patterns: str) -> list[str]:
    """The problems of a list with commas of roles, names, or patterns of names as a shell has them; all without one."""
    found: set[str] = set()
    for pattern in [part.strip() for part in patterns.split(",") if part.strip()] or ["*"]:
        meant = [TRAINED] if pattern == TRAINED else names()
        if pattern in TABLES and pattern not in meant:
            raise BadInput(f"--problems has {pattern!r}, whose table {TABLES[pattern][0].name} nobody has made yet")
        if not (fits := {name for name in meant if pattern == role(name) or fnmatchcase(name, pattern)}):
            raise BadInput(f"--problems has {pattern!r}, which fits no problem: {nearest(pattern, [*ROLES, *names()])}")
        found |= fits
    return [name for name in (*names(), TRAINED) if name in found]


def load(wanted: Sequence[str], data: Path | None) -> dict[str, Problem]:
    """Problems by their names, those of LCBench from a folder.

    Raises:
        BadInput: the folder is missing, or what is to be in it.
    """
    surrogates = [name for name in wanted if name.startswith("lc")]
    found: dict[str, Problem] = dict(lcbench.load(surrogates, data)) if surrogates else {}
    found |= {name: loaded() for name, (_, loaded) in TABLES.items() if name in wanted}
    if TRAINED in wanted:
        found[TRAINED] = Trained()
    return found
