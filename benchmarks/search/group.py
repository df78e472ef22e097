"""What may be compared: runs on problems of one role, of one number together and one noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.search.measure import Run
from benchmarks.search.problems import ROLES, role

TITLES = {"judged": "Judged problems", "tuned": "Tuned problems", "digits": "Digits", "trained": "Real trainings"}


@dataclass(frozen=True)
class Section:
    """Attributes:
    runs: of each search, those of the smallest mean regret first.
    """

    role: str
    together: int
    noise: float
    runs: dict[str, list[Run]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        how = "one at a time" if self.together == 1 else f"in batches of {self.together}"
        return f"{TITLES[self.role]}, {how}" + (f", noise of {self.noise:g} points" if self.noise else "")

    @property
    def problems(self) -> list[str]:
        return sorted({run.case.problem for runs in self.runs.values() for run in runs})


def sections(found: Iterable[Run]) -> list[Section]:
    """Without noise first, then judged, tuned, digits."""
    groups: dict[tuple[float, int, int], dict[str, list[Run]]] = {}
    for run in found:
        key = (run.case.noise, ROLES.index(role(run.case.problem)), run.case.together)
        groups.setdefault(key, {}).setdefault(run.case.search, []).append(run)
    return [
        Section(ROLES[role], together, noise, _ordered(groups[noise, role, together]))
        for noise, role, together in sorted(groups)
    ]


def _ordered(runs: dict[str, list[Run]]) -> dict[str, list[Run]]:
    return dict(sorted(runs.items(), key=lambda pair: float(np.mean([run.regret for run in pair[1]]))))
