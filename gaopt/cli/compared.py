"""How far a comparison is: read off its journals, for `status` and `list`. Nothing that it names is imported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from rich.console import Group
from rich.text import Text

from gaopt.cli.console import Column, fitted, headline
from gaopt.compare.plan import Plan, read
from gaopt.compare.read import places
from gaopt.journal.lock import held
from gaopt.journal.paths import ComparisonDir, StudyDir
from gaopt.study.progress import Progress, clock, look


@dataclass(frozen=True)
class Compared:
    """A comparison and how far each of its searches and, by seed, of its finals is; None where it is not begun."""

    home: ComparisonDir
    plan: Plan
    running: bool
    searches: dict[tuple[str, int], Progress | None]
    finals: dict[int, Progress | None]

    @property
    def state(self) -> str:
        if self.running:
            return "running"
        return "finished" if all(map(_ended, (*self.searches.values(), *self.finals.values()))) else "interrupted"

    @property
    def begun(self) -> list[Progress]:
        return [now for now in (*self.searches.values(), *self.finals.values()) if now]

    @property
    def elapsed(self) -> float:
        return sum(now.elapsed for now in self.begun)

    def line(self) -> tuple[str, ...]:
        """Its line of the overview."""
        done, failed = (str(sum(getattr(now, what) for now in self.begun)) for what in ("done", "failed"))
        how_far = f"{_over(self.searches)}/{len(self.searches)} searches"
        return self.home.name, self.state, how_far, done, failed, "", "", clock(self.elapsed)

    def plain(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "comparison": self.home.name,
            "state": self.state,
            "seeds": self.plan.seeds,
            "searches": [
                {"method": method, "seed": seed}
                | ({"state": now.state, "done": now.done, "best": now.fitness} if now else {})
                for (method, seed), now in self.searches.items()
            ],
            "finals": {"ended": _over(self.finals), "of": len(self.finals)},
            "elapsed": round(self.elapsed, 1),
        }

    def page(self, width: int) -> Group:
        """Where it is, how far each method is, and what is run now."""
        seeds = f"{_over(self.finals)} of {len(self.finals)} seeds judged"
        said = f"{_over(self.searches)} of {len(self.searches)} searches ended, {seeds}, {clock(self.elapsed)}"
        methods = self.plan.methods
        each = [[now for (name, _), now in self.searches.items() if name == method] for method in methods]
        bests = [[now.fitness for now in of if now and now.fitness is not None] for of in each]
        table = [
            Column("method", methods, left=True),
            Column("ended", [f"{sum(map(_ended, of))}/{len(of)}" for of in each]),
            Column("trainings", [str(sum(now.done for now in of if now)) for of in each], gives=1),
            Column("mean best", [f"{fmean(best):.4f}" if best else "–" for best in bests]),
        ]
        return Group(headline(self.home.name, self.state), Text(said), fitted(table, width), *map(Text, self._now()))

    def _now(self) -> Iterator[str]:
        parts = {f"{method}, seed {seed}": now for (method, seed), now in self.searches.items()}
        for name, now in (parts | {f"the finals of seed {seed}": now for seed, now in self.finals.items()}).items():
            if now and now.state == "running":
                best = f", best {now.fitness:.4f}" if now.fitness is not None else ""
                yield f"now: {name}: {now.done} of {now.trainings} trained{best}"
        if self.state == "finished" and self.home.report.is_file():
            yield f"report: {self.home.report}"
        elif not self.running:
            yield f"go on with: gaopt compare {self.home.handle}"


def compared(home: ComparisonDir) -> Compared:
    """Look at a comparison; a BadInput where its plan or one of its journals cannot be read."""
    running, plan = held(home.path), read(home)  # in this order: what ends meanwhile is in the journals
    found = {(method, seed): _look(place) for method, seed, place in places(home, plan)}
    finals = {seed: _look(home.finals(seed)) for seed in sorted({seed for _, seed in found})}
    return Compared(home, plan, running, found, finals)


def _look(home: StudyDir) -> Progress | None:
    return look(home) if home.journal.is_file() else None


def _ended(now: Progress | None) -> bool:
    return now is not None and now.state == "finished"


def _over(found: dict[Any, Progress | None]) -> int:
    return sum(map(_ended, found.values()))
