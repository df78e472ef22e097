"""What every strategy promises, alone and in every wrapper: one suite for all of them."""

import itertools
import math
import os
import random
from collections.abc import Iterator

import numpy as np
import pytest

from gaopt.config import SEARCHES, StudyConfig, Warm, from_tables
from gaopt.journal.events import Bred, Event, Failed, Granted, Recalled, Scored
from gaopt.journal.history import History
from gaopt.space.encoding import Encoding
from gaopt.space.gene import Choice, Gene
from gaopt.space.space import Genes, Space
from gaopt.strategies.registry import strategy
from gaopt.strategies.surrogate.assisted import Genomes, bred
from tests.spaces import random_space

SMALL = {"genetic": {"population": 6, "generations": 4}, "assisted": {"population": 6, "generations": 3, "litter": 3}}
WRAPPERS: dict[str, dict[str, object]] = {
    "rungs": {"fidelity": {"rungs": [0.2, 0.5], "keep": 0.5}},
    "finalists": {"noise": {"finalists": 2, "repeats": 2}},
    "stop": {"stop": {"generations": 2, "epochs": 600}},
    "warm": {"warm": {"best": 3}},
    "operators": {"operators": {"first": "sobol", "immigrants": 1, "apart": 0.01}},
}
EVERY = [
    (name, wrappers)
    for name, wrappers in itertools.product(SEARCHES, [(), ("rungs", "finalists"), ("warm", "stop"), tuple(WRAPPERS)])
    if name != "random" or "operators" not in wrappers  # it breeds nothing
]
SPACE = Space(
    "wd < lr * 1000",
    lr=Gene(1e-5, 1e-1, "log"),
    wd=Gene(0.0, 0.1),
    optimizer=Choice(("adam", "sgd", "lion")),
    mom=Gene(0.1, 1.5, when="optimizer == 'sgd'"),
    layers=Gene(1, 6, integer=True),
)


def config(name: str, wrappers: tuple[str, ...], space: Space = SPACE, seed: int = 0) -> StudyConfig:
    tables: dict[str, object] = {"study": {"objective": "gaopt.objectives.toy:sphere", "strategy": name, "seed": seed}}
    tables |= {"space": {"x": {"low": 0, "high": 1}}, **SMALL}
    for wrapper in wrappers:
        tables |= WRAPPERS[wrapper]
    found = from_tables(tables)
    return StudyConfig(**{**vars(found), "space": space})


def outcome(space: Space, id: int, genes: Genes, share: float, seed: int) -> Scored | Failed:
    """A training: a hill with some noise, less of it on a rung; every ninth fails, and one scores NaN."""
    if id % 9 == 8:
        return Failed(id, "diverged")
    if id == 3:
        return Scored(id, math.nan, epochs=round(10 * share))
    hill = -sum((unit - 0.4) ** 2 for unit in space.units(genes) if not math.isnan(unit))
    luck = random.Random(f"{id} {share} {seed}").gauss(0, 0.02)
    return Scored(id, hill * share + luck, epochs=round(10 * share), seconds=share)


def happened(found: StudyConfig, begun: tuple[Event, ...] = (), shuffle: int = 0) -> list[Event]:
    """All events of a search, gone on with from some that there are already."""
    events, history, search = list(begun), History(begun), strategy(found)
    order = random.Random(shuffle)

    def add(event: Event) -> None:
        events.append(event)
        history.add(event)

    if not events and found.warm != Warm():
        add(earlier())
    while True:
        waiting = list(history.unfinished)
        order.shuffle(waiting)
        for individual in waiting:
            seed = individual.birth.trial
            add(outcome(found.space, individual.id, individual.genes, individual.share, seed))
        if decision := search.decide(history, 4):
            add(decision)
        elif not history.unfinished:
            return events


@pytest.fixture(scope="module", params=EVERY, ids=[f"{n}-{'-'.join(w) or 'plain'}" for n, w in EVERY])
def whole(request: pytest.FixtureRequest) -> tuple[StudyConfig, list[Event]]:
    """A config, and all that happened in its search."""
    found = config(*request.param)
    return found, happened(found)


Whole = tuple[StudyConfig, list[Event]]


def earlier() -> Recalled:
    rng = random.Random(1)
    genes = tuple({"lr": 10 ** rng.uniform(-6, 0), "wd": rng.random(), "other": 1.0} for _ in range(5))
    return Recalled("before", genes, tuple(rng.random() for _ in genes))


def decisions(events: list[Event]) -> list[Bred | Granted]:
    return [event for event in events if isinstance(event, Bred | Granted)]


def test_the_same_history_gives_the_same_decision(whole: Whole) -> None:
    found, events = whole
    for cut, event in enumerate(events):
        if isinstance(event, Bred | Granted):
            assert strategy(found).decide(History(events[:cut]), 4) == event
    assert not strategy(found).decide(History(events), 4)


def test_neither_an_interruption_nor_the_order_of_completion_changes_anything(whole: Whole) -> None:
    found, events = whole
    for cut in range(1, len(events), max(1, len(events) // 4)):
        assert decisions(happened(found, tuple(events[:cut]), shuffle=cut)) == decisions(events)


def test_it_stays_inside_the_space_and_ends(whole: Whole) -> None:
    found, events = whole
    history = History(events)
    assert 6 <= len(history.individuals) <= found.trainings
    assert not history.unfinished
    for individual in history.individuals.values():
        inside(found.space, individual.genes)


def test_what_failed_never_survives_and_what_is_early_never_wins(whole: Whole) -> None:
    history = History()
    for event in whole[1]:
        if isinstance(event, Bred) and event.survivors:
            fit = [i for i in history.population if math.isfinite(i.fitness)]
            kept = [history.individuals[id] for id in event.survivors]
            assert all(math.isfinite(i.fitness) for i in kept[: len(fit)])
            assert len(kept) <= len(fit) or not [i for i in fit if i not in kept]
        history.add(event)
    assert history.best
    assert history.best.share == 1.0
    assert math.isfinite(history.best.fitness)


def inside(space: Space, genes: Genes) -> None:
    assert list(space.check(genes)) == list(genes)  # those whose conditions hold, all of them, in order
    assert space.allows(genes)
    assert all(-1e-5 <= unit <= 1 + 1e-5 for unit in space.units(genes) if not math.isnan(unit))
    for name, value in genes.items():
        gene = space[name]
        if gene.levels:
            nearest = gene.at(gene.unit(value))
            levels = (gene.level(number) for number in range(gene.levels))
            assert value == nearest or value in levels or abs(value - nearest) < 1e-5 * max(1, abs(value))


def spaces(number: int, seed: int = 0) -> Iterator[Space]:
    rng = random.Random(seed)
    return (random_space(rng) for _ in range(number))


def test_conditions_and_constraints_hold_in_random_spaces() -> None:
    for number, space in enumerate(spaces(10_000 if "GAOPT_FUZZ" in os.environ else 100)):
        inside(space, space.sample(random.Random(number)))
        encoding, rng = Encoding(space), np.random.default_rng(number)
        parents = encoding.strangers(2, rng)
        family = bred(Genomes(parents, np.zeros(parents.shape, int)), 3, encoding, rng)
        for point in family.points:
            inside(space, encoding.genes(point))
        assert np.isfinite(encoding.columns(family.points)).all()


def test_searches_of_random_spaces_keep_inside_of_them() -> None:
    for name, number in (("genetic", 10), ("random", 10), ("assisted", 3)):
        for seed, space in enumerate(spaces(number, seed=1)):
            history = History(happened(config(name, (), space, seed)))
            seen = [tuple(map(str, space.vector(i.genes))) for i in history.individuals.values()]
            assert name == "random" or len(set(seen)) == len(seen)
            for individual in history.individuals.values():
                inside(space, individual.genes)
