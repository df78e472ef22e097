"""The running of a comparison: seed by seed every search, then the winners of that seed trained again.

Each of these is a study with its journal, so that a comparison that was stopped goes on where it was, and can go on
to more seeds than it was begun with.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from gaopt.compare.methods import Methods
from gaopt.compare.model import SearchRun
from gaopt.compare.plan import Plan, write
from gaopt.compare.read import begun, finals_begun, history, places, searches
from gaopt.config import from_tables
from gaopt.errors import StudyError
from gaopt.execution import Pool
from gaopt.execution import pool as open_pool
from gaopt.journal.events import Event
from gaopt.journal.history import History
from gaopt.journal.paths import ComparisonDir, StudyDir
from gaopt.objectives import finals
from gaopt.objectives.base import resolve
from gaopt.strategies.base import keyed
from gaopt.study import retries
from gaopt.study.loop import ignore, run
from gaopt.study.prepare import resumed
from gaopt.study.resume_check import ALLOW, parts

FRESH = 5  # of the key by which the seeds of finals are drawn: apart from those of every search


@dataclass(frozen=True)
class Runner:
    """What runs a comparison; `pool` and `shared` are of the objective of its searches."""

    home: ComparisonDir
    plan: Plan
    pool: Pool
    shared: Any
    stop: Callable[[], None]  # called at least every other second; raises `Stopped`
    tell: Callable[[str], None]  # called with a line for people when something ended
    allow_changed: bool = False

    def run(self) -> None:
        """Write down what is to be done, and run what is missing; again, it goes on. Whoever calls holds the folder.

        A BadInput where the data or a study cannot be used, or are not what they were: then nothing was changed.
        """
        self._check()
        self.home.tidy()
        write(self.plan, self.home)
        methods = Methods(self.plan, self.shared, self.stop)
        each = list(places(self.home, self.plan))
        for seed in sorted({seed for _, seed, _ in each}):
            for number, (method, of, place) in enumerate(each, 1):
                if of == seed and not self.plan.studies and not ended(place):
                    where = f"{number:>{len(str(len(each)))}} of {len(each)}"
                    self.tell(f"{where}  {_ended(self._search(methods, method, seed, place))}")
            if not ended(self.home.finals(seed)):
                self._finals(seed)

    def _check(self) -> None:
        """A study that is not begun yet could not tell of itself that others were made of something else.

        Where that is allowed, the journals begun from now on say so.
        """
        studies = begun(self.plan, searches(self.home, self.plan), finals_begun(self.home, self.plan))
        known = next((trained.made_of for _, trained in reversed(studies) if trained.made_of), {})
        said = list(parts(known, self.pool.made_of))
        if said and not self.allow_changed:
            raise StudyError(f"the comparison was begun with {said[0]}: start a new one, or {ALLOW}")

    def _search(self, methods: Methods, method: str, seed: int, place: StudyDir) -> SearchRun:
        may = self.allow_changed
        there = place.journal.is_file()
        config = resumed(place, allow_changed=may) if there else methods.configured(method, seed)
        if config.strategy == "ray-asha":
            from gaopt.compare import asha  # Ray Tune, seconds

            found = asha.run(config, place, self.shared, self.pool.capacity, stop=self.stop, allow_changed=may)
        else:
            # Where nothing has a score yet a search whose trainings all fail alike is ended: so would all others.
            hope = any(search.history.scored for search in searches(self.home, self.plan))
            watch = ignore if hope else self._hoped
            found = run(config, place, pool=self.pool, watch=watch, stop=self.stop, judge=False, allow_changed=may)
        place.sweep(found.individuals)  # winners are trained again, from nothing
        return SearchRun(method, seed, found)

    def _hoped(self, history: History, event: Event) -> None:
        """Ends a study that has no score yet and only fails. Finals, too: winners hardly do, and one that failed is not
        trained again."""
        if not history.scored:
            retries.check(history, self.plan.base.faults)

    def _finals(self, seed: int) -> None:
        base = self.plan.base
        chosen = [
            finals.Winner(each.method, seed, each.winner.genes, from_tables(each.history.config).settings)
            for each in searches(self.home, self.plan)
            if each.seed == seed and each.winner
        ]
        if not chosen:
            return
        config = finals.configured(base, chosen, self.plan.finals, keyed(base.seed, seed, FRESH).randrange(2**31))
        objective = resolve(config.objective)
        place, may = self.home.finals(seed), self.allow_changed
        with closing(open_pool(config, objective, partial(objective.prepare, config))) as pool:
            found = run(config, place, pool=pool, watch=self._hoped, stop=self.stop, allow_changed=may)
        place.sweep(found.individuals)
        self.tell(f"seed {seed}  finals: {len(found.scored)} of {len(found.individuals)} have a score")


def missing(home: ComparisonDir, plan: Plan) -> bool:
    """Whether there is anything left to run."""
    if not plan.studies and not all(ended(place) for _, _, place in places(home, plan)):
        return True
    won = {search.seed for search in searches(home, plan) if search.winner}
    return not all(ended(home.finals(seed)) for seed in won)


def ended(place: StudyDir) -> bool:
    """Whether a study is there, and finished."""
    return place.journal.is_file() and history(place).finished


def _ended(search: SearchRun) -> str:
    """One line: what came of a search, or what the first of its failures says."""
    failures = [each.failure for each in search.history.failed if each.failure]
    found = "no score" + (f": {failures[0].reason}: {failures[0].message}" if failures else "")
    if search.winner:
        found = f"best {search.winner.fitness:.4f}"
    count = len(search.history.individuals)
    return f"seed {search.seed}  {search.method:<11} {count:>4} trainings  {search.epochs:>5} epochs  {found}"
