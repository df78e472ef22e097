"""A comparison from its folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gaopt.comparing.methods import Methods
from gaopt.comparing.plan import Plan, read
from gaopt.comparison import Comparison, Final, Search
from gaopt.config import StudyConfig, from_tables
from gaopt.errors import ConfigError, StudyError
from gaopt.events import Event
from gaopt.history import History
from gaopt.home import ComparisonHome, Home
from gaopt.journal import Journal
from gaopt.objective import Comparable, resolve
from gaopt.objectives.finals import GENE, winners


def comparison(home: ComparisonHome) -> Comparison:
    """
    Raises:
        BadInput: its plan or one of its journals cannot be read.
    """
    plan = read(home)
    methods, found = Methods(plan), tuple(searches(home, plan))
    return Comparison(
        name=home.name,
        methods=plan.methods,
        titles={method: methods.title(method) for method in plan.methods},
        searches=found,
        finals=tuple(_finals(home, plan, found)),
        config=plan.base.plain(),
        cost=plan.cost,
        budget=plan.budget,
        difference=plan.difference,
        studies=bool(plan.studies),
        splits=isinstance(resolve(plan.base.objective), Comparable),
    )


def places(home: ComparisonHome, plan: Plan) -> Iterator[tuple[str, int, Home]]:
    """The method, the seed and the folder of every search, those that are not begun too; seed by seed."""
    if plan.studies:
        yield from grouped(map(Path, plan.studies))
        return
    for seed in range(plan.seeds):
        for method in plan.methods:
            yield method, seed, home.search(method, seed)


def searches(home: ComparisonHome, plan: Plan, only: int | None = None) -> Iterator[Search]:
    """Those that were begun; with a seed, those of it."""
    for method, seed, place in places(home, plan):
        if only in (None, seed) and place.journal.is_file():
            yield Search(method, seed, history(place))


def history(home: Home) -> History:
    with Journal(home.journal) as journal:
        events: Iterable[Event] = journal
        return History(events)


def grouped(paths: Iterable[Path]) -> Iterator[tuple[str, int, Home]]:
    """Studies that are there already: those whose configs differ in the seed alone are of one method.

    A method is called after its strategy, or, where two have the same, after its first study.

    Raises:
        StudyError: two have the same config and seed, so that one is a copy of the other.
    """
    groups: dict[str, dict[int, Home]] = {}
    strategies: dict[str, str] = {}
    for path in paths:
        config = _config(path)
        found, seed = config.plain(), config.seed
        alike = repr({**found, "study": {**found["study"], "seed": 0}, "pool": {}})
        if seed in (group := groups.setdefault(alike, {})):
            raise StudyError(f"{path.name} and {group[seed].name} are the same search with the same seed: name one")
        group[seed] = Home(path)
        strategies[alike] = config.strategy
    shared = list(strategies.values())
    for alike, group in groups.items():
        strategy, first = strategies[alike], group[min(group)]
        name = strategy if shared.count(strategy) == 1 else first.name
        for seed in sorted(group):
            yield name, seed, group[seed]


def _config(path: Path) -> StudyConfig:
    """
    Raises:
        StudyError: the journal has none that can be read.
    """
    try:
        return from_tables(history(Home(path)).config)
    except ConfigError as error:
        raise StudyError(f"the study {path.name!r} has a config that cannot be read: {error}") from error


def _finals(home: ComparisonHome, plan: Plan, found: Iterable[Search]) -> Iterator[Final]:
    """
    Raises:
        StudyError: a study that is compared was gone on with, and has another winner; or the finals are damaged.
    """
    now = {(search.method, search.seed): search.winner and search.winner.genes for search in found}
    for seed in sorted({seed for _, seed, _ in places(home, plan)}):
        place = home.finals(seed)
        if not place.journal.is_file():
            continue
        trained = history(place)
        chosen = winners(trained.config) if trained.config else []
        for individual in trained.individuals.values():
            number = individual.genes.get(GENE)
            if not isinstance(number, int) or number not in range(len(chosen)):
                raise StudyError(f"{place.journal} has an individual of winner {number!r}, of {len(chosen)} winners")
            winner = chosen[number]
            if now.get((winner.method, seed)) != dict(winner.genes):
                raise StudyError(f"a search of {winner.method} went on since its winner was judged: compare it anew")
            yield Final(winner.method, seed, individual)
