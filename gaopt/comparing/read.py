"""A comparison from its folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gaopt.comparing.methods import Methods
from gaopt.comparing.plan import Plan, read
from gaopt.comparison import Comparison, Final, Search
from gaopt.config import from_tables
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
    methods = Methods(plan)
    return Comparison(
        name=home.name,
        methods=plan.methods,
        titles={method: methods.title(method) for method in plan.methods},
        searches=tuple(searches(home, plan)),
        finals=tuple(_finals(home, plan)),
        config=plan.base.plain(),
        cost=plan.cost,
        budget=plan.budget,
        difference=plan.difference,
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


def searches(home: ComparisonHome, plan: Plan) -> Iterator[Search]:
    """Those that were begun."""
    for method, seed, place in places(home, plan):
        if place.journal.is_file():
            yield Search(method, seed, history(place))


def history(home: Home) -> History:
    with Journal(home.journal) as journal:
        events: Iterable[Event] = journal
        return History(events)


def grouped(paths: Iterable[Path]) -> Iterator[tuple[str, int, Home]]:
    """Studies that are there already: those whose configs differ in the seed alone are of one method.

    A method is called after its strategy, or, where two have the same, after its first study.
    """
    groups: dict[str, list[tuple[Home, History]]] = {}
    for path in paths:
        found = history(Home(path))
        tables = {**found.config, "study": {**found.config["study"], "seed": 0}, "pool": {}}
        groups.setdefault(repr(tables), []).append((Home(path), found))
    strategies = [from_tables(group[0][1].config).strategy for group in groups.values()]
    for strategy, group in zip(strategies, groups.values(), strict=True):
        name = strategy if strategies.count(strategy) == 1 else group[0][0].name
        for seed, (study, _) in enumerate(sorted(group, key=lambda pair: pair[1].config["study"]["seed"])):
            yield name, seed, study


def _finals(home: ComparisonHome, plan: Plan) -> Iterator[Final]:
    for seed in sorted({seed for _, seed, _ in places(home, plan)}):
        place = home.finals(seed)
        if not place.journal.is_file():
            continue
        found = history(place)
        chosen = winners(found.config) if found.config else []
        for individual in found.individuals.values():
            yield Final(chosen[int(individual.genes[GENE])].method, seed, individual)
