"""A comparison from its folder."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from gaopt.compare.methods import Methods
from gaopt.compare.model import Change, Comparison, Final, SearchRun
from gaopt.compare.plan import Plan, read
from gaopt.config import from_tables
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import ComparisonDir, StudyDir
from gaopt.objectives.base import Comparable, resolve
from gaopt.objectives.finals import GENE, winners
from gaopt.study.resume_check import parts

Key = TypeVar("Key")


def comparison(home: ComparisonDir) -> Comparison:
    """All of a comparison; a BadInput where its plan or one of its journals cannot be read."""
    plan = read(home)
    methods, found, judged = Methods(plan), tuple(searches(home, plan)), finals_begun(home, plan)
    return Comparison(
        name=home.name,
        methods=plan.methods,
        titles={method: methods.title(method) for method in plan.methods},
        searches=found,
        finals=tuple(_finals(home, found, judged)),
        config=plan.base.plain(),
        cost=plan.cost,
        budget=plan.budget,
        difference=plan.difference,
        studies=bool(plan.studies),
        changes=tuple(_changes(begun(plan, found, judged))),
        splits=isinstance(resolve(plan.base.objective), Comparable),
    )


def places(home: ComparisonDir, plan: Plan) -> Iterator[tuple[str, int, StudyDir]]:
    """The method, the seed and the folder of every search, those that are not begun too; seed by seed."""
    if plan.studies:
        yield from grouped(map(Path, plan.studies))
        return
    for seed in range(plan.seeds):
        for method in plan.methods:
            yield method, seed, home.search(method, seed)


def searches(home: ComparisonDir, plan: Plan) -> Iterator[SearchRun]:
    """Those that were begun."""
    for method, seed, place in places(home, plan):
        if place.journal.is_file():
            yield SearchRun(method, seed, history(place))


def finals_begun(home: ComparisonDir, plan: Plan) -> dict[int, History]:
    """By their seed."""
    seeds = sorted({seed for _, seed, _ in places(home, plan)})
    return {seed: history(place) for seed in seeds if (place := home.finals(seed)).journal.is_file()}


def begun(plan: Plan, found: Iterable[SearchRun], judged: Mapping[int, History]) -> list[tuple[str, History]]:
    """The studies that the comparison itself runs, in the order of their beginning: what each is, and its history."""
    own = [] if plan.studies else [(s.seed, f"{s.method} (seed {s.seed})", s.history) for s in found]
    own += [(seed, f"the finals of seed {seed}", trained) for seed, trained in judged.items()]
    return [(name, trained) for _, name, trained in sorted(own, key=lambda each: each[0])]


def _changes(studies: Iterable[tuple[str, History]]) -> Iterator[Change]:
    """What each study says of itself, and in what one that was begun is made otherwise than the one before."""
    known: Mapping[str, str] = {}
    before = 0
    for where, trained in studies:
        for opened, ended in trained.openings:
            if said := dict.fromkeys((*opened.changed, *parts(known, opened.made_of))):
                yield Change(where, before + ended, tuple(said))
            known = opened.made_of or known
        before += len(trained.ends)


def history(home: StudyDir) -> History:
    with Journal(home.journal) as journal:
        return History(journal)


def grouped(paths: Iterable[Path]) -> Iterator[tuple[str, int, StudyDir]]:
    """The method, the seed and the folder of studies that are there already."""
    found = {path: history(StudyDir(path)) for path in paths}
    for method, seeds in by_method(found, lambda path: path.name).items():
        for seed in sorted(seeds):
            yield method, seed, StudyDir(seeds[seed])


def by_method(studies: Mapping[Key, History], name: Callable[[Key], str]) -> dict[str, dict[int, Key]]:
    """Studies by method and seed: those whose configs differ in the seed alone are of one method.

    A method is called after its strategy, or, where two have the same, after its first study.

    Raises:
        StudyError: a config cannot be read, or two are the same search with the same seed.
    """
    groups: dict[tuple[str, str], dict[int, Key]] = {}
    for key, each in studies.items():
        try:
            config = from_tables(each.config)
        except ConfigError as error:
            raise StudyError(f"the study {name(key)!r} has a config that cannot be read: {error}") from error
        found, seed = config.plain(), config.seed
        alike = repr({**found, "study": {**found["study"], "seed": 0}, "pool": {}})
        if seed in (group := groups.setdefault((config.strategy, alike), {})):
            raise StudyError(f"{name(key)} and {name(group[seed])} are the same search with the same seed: name one")
        group[seed] = key
    strategies = [strategy for strategy, _ in groups]
    return {
        strategy if strategies.count(strategy) == 1 else name(group[min(group)]): group
        for (strategy, _), group in groups.items()
    }


def _finals(home: ComparisonDir, found: Iterable[SearchRun], judged: Mapping[int, History]) -> Iterator[Final]:
    """Winners trained again; a StudyError where a study went on since and has another winner, or they are damaged."""
    now = {(search.method, search.seed): search.winner and search.winner.genes for search in found}
    for seed, trained in judged.items():
        chosen = winners(trained.config) if trained.config else []
        for individual in trained.individuals.values():
            number = individual.genes.get(GENE)
            if not isinstance(number, int) or number not in range(len(chosen)):
                journal = home.finals(seed).journal
                raise StudyError(f"{journal} has an individual of winner {number!r}, of {len(chosen)} winners")
            winner = chosen[number]
            if now.get((winner.method, seed)) != dict(winner.genes):
                raise StudyError(f"a search of {winner.method} went on since its winner was judged: compare it anew")
            yield Final(winner.method, seed, individual)
