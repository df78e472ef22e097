import math
import statistics

import numpy as np

from gaopt import Gene, Space, StudyConfig
from gaopt.config import Assisted
from gaopt.journal.events import Bred, Event, Failed, Scored
from gaopt.journal.history import History
from gaopt.search.base import Wait
from gaopt.search.surrogate.assisted import AssistedSearch
from gaopt.search.surrogate.candidates import NOBODY, Genomes, bred, strangers
from gaopt.space.encoding import Encoding
from tests.conftest import scored, space

MIXED = Space(lr=Gene(1e-6, 1e-2, "log"), wd=Gene(0.0, 0.1), layers=Gene(1, 6, integer=True))
SMALL = {"population": 6, "generations": 3, "litter": 2}


def search(genes: Space = MIXED, seed: int = 0, **numbers: float) -> AssistedSearch:
    return AssistedSearch(StudyConfig(genes, "", seed=seed, assisted=Assisted(**numbers)))  # type: ignore[arg-type]


def hill(genes: dict[str, float]) -> float:
    return -((math.log10(genes["lr"]) + 3) ** 2) - (10 * genes["wd"] - 0.3) ** 2 - 0.1 * (genes["layers"] - 4) ** 2


def events(found: AssistedSearch, failing: int = 5) -> list[Event]:
    """A whole search in which one of so many trainings fails (none: 0), and one scores NaN."""
    history, happened = History(), list[Event]()
    while decision := found.decide(history, room=10):
        after: list[Event] = [decision]
        for birth in decision.births:
            score = math.nan if birth.id == 3 and failing else hill(birth.genes)
            fails = failing and birth.id % failing == failing - 1
            after.append(Failed(birth.id, "diverged") if fails else Scored(birth.id, score))
        for event in after:
            history.add(event)
        happened += after
    return happened


def births(happened: list[Event]) -> list[dict[str, float]]:
    return [birth.genes for event in happened if isinstance(event, Bred) for birth in event.births]


def test_the_fittest_half_is_promoted_and_failures_never_while_others_are_left() -> None:
    history = scored([0.1, 0.9, 0.3, 0.8, math.nan, 0.7, None, 0.6, 0.4, None])
    decision = search(space()).decide(history, room=10)
    assert decision
    assert decision.survivors == (1, 3, 5, 7, 8)


def test_offspring_descend_from_the_fittest_and_say_how() -> None:
    history = History(events(search(generations=6)))
    later = [individual.birth for individual in history.individuals.values() if individual.generation]
    assert {birth.origin for birth in later} <= {"random", "mutation", "crossover"}
    for birth in later:
        assert {"random": 0, "mutation": 1}.get(birth.origin, 2) <= len(birth.parents) <= 3
        assert all(parent < birth.id for parent in birth.parents)
    assert statistics.mean(len(birth.parents) for birth in later) > 0.5


def test_the_history_cut_at_every_event_goes_on_the_same() -> None:
    whole = events(search(**SMALL))
    for cut in range(len(whole)):
        decision = search(**SMALL).decide(History(whole[:cut]), room=1)
        assert decision == (whole[cut] if isinstance(whole[cut], Bred) else Wait())
    assert not search(**SMALL).decide(History(whole), room=1)


def test_genes_are_within_the_space_and_never_trained_twice() -> None:
    found = births(events(search(litter=1, generations=25)))
    assert len({tuple(genes.values()) for genes in found}) == len(found) == 34
    for genes in found:
        assert all(gene.low <= genes[name] <= gene.high for name, gene in MIXED.items())
        assert genes["layers"] % 1 == 0


def test_a_space_of_whole_numbers_is_used_up_once_and_ends_the_search() -> None:
    tiny = Space(a=Gene(0, 3, integer=True), b=Gene(1, 8, "log", integer=True))
    history, found = History(), search(tiny, generations=20)
    while decision := found.decide(history, room=10):
        history.add(decision)
        for birth in decision.births:
            history.add(Scored(birth.id, birth.genes["a"] - birth.genes["b"]))
    assert len({tuple(i.genes.values()) for i in history.individuals.values()}) == len(history.individuals) == 32


def test_a_gene_remembers_the_individual_it_descends_from() -> None:
    parents = Genomes(np.full((3, 4), 0.5), np.array([[7] * 4, [8] * 4, [9] * 4]))
    wide = Encoding(Space(**{name: Gene(0, 1) for name in "abcd"}))
    rng = np.random.default_rng(0)
    kept = bred(parents, 200, wide, rng, mating=0.0, mutation=1.0, step=5.0, renewal=0.0)
    assert kept.points.min() == 0.0
    assert kept.points.max() == 1.0  # clipped to the very bounds
    assert {kept.lineage(row) for row in range(200)} == {("mutation", (id,)) for id in (7, 8, 9)}
    assert sum(kept.sources[:, 0] == 7) > sum(kept.sources[:, 0] == 9)  # the fitter wins its tournaments
    mated = bred(parents, 200, wide, rng, mating=1.0, mutation=0.0, renewal=0.0)
    assert (mated.points == 0.5).all()
    assert {len(mated.lineage(row)[1]) for row in range(200)} == {1, 2}
    drawn = bred(parents, 200, wide, rng, renewal=1.0)
    assert (drawn.sources == NOBODY).all()
    assert strangers(1, wide, rng).lineage(0) == ("random", ())


def test_failures_alone_and_equal_scores_do_not_stop_the_search() -> None:
    for fitness in (None, math.nan, 0.5):
        decision = search(space()).decide(scored([fitness] * 10), room=10)
        assert decision
        assert len(decision.births) == 5
