"""How far a comparison is: read off its journals. Nothing that it names is imported."""

from dataclasses import dataclass
from typing import Any

from gaopt.compare.plan import Plan, read
from gaopt.compare.read import places
from gaopt.journal.lock import held
from gaopt.journal.paths import ComparisonDir, StudyDir
from gaopt.study.progress import Progress, look


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
        return "finished" if all(map(has_ended, (*self.searches.values(), *self.finals.values()))) else "interrupted"

    @property
    def begun(self) -> list[Progress]:
        return [now for now in (*self.searches.values(), *self.finals.values()) if now]

    @property
    def elapsed(self) -> float:
        return sum(now.elapsed for now in self.begun)

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
            "finals": {"ended": over(self.finals), "of": len(self.finals)},
            "elapsed": round(self.elapsed, 1),
        }


def compared(home: ComparisonDir) -> Compared:
    """Look at a comparison; a BadInput where its plan or one of its journals cannot be read."""
    running, plan = held(home.path), read(home)  # in this order: what ends meanwhile is in the journals
    found = {(method, seed): _look(place) for method, seed, place in places(home, plan)}
    finals = {seed: _look(home.finals(seed)) for seed in sorted({seed for _, seed in found})}
    return Compared(home, plan, running, found, finals)


def _look(home: StudyDir) -> Progress | None:
    return look(home) if home.journal.is_file() else None


def has_ended(now: Progress | None) -> bool:
    return now is not None and now.state == "finished"


def over(found: dict[Any, Progress | None]) -> int:
    return sum(map(has_ended, found.values()))
