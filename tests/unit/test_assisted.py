import math
import statistics

import pytest

from gaopt import Gene, Space, StudyConfig
from gaopt.config import Assisted
from gaopt.journal.events import Birth, Failed, Scored
from gaopt.journal.history import History
from gaopt.strategies.registry import strategy
from gaopt.strategies.surrogate import foresight, gp, multi_fidelity
from gaopt.strategies.surrogate.assisted import AssistedSearch
from tests.conftest import lived, scored, space

MIXED = Space(lr=Gene(1e-6, 1e-2, "log"), wd=Gene(0.0, 0.1), layers=Gene(1, 6, integer=True))


def search(genes: Space = MIXED, seed: int = 0, **numbers: float) -> AssistedSearch:
    return AssistedSearch(StudyConfig(genes, "", seed=seed, assisted=Assisted(**numbers)))  # type: ignore[arg-type]


def hill(genes: dict[str, float]) -> float:
    return -((math.log10(genes["lr"]) + 3) ** 2) - (10 * genes["wd"] - 0.3) ** 2 - 0.1 * (genes["layers"] - 4) ** 2


def outcome(birth: Birth) -> Failed | Scored:
    """Every fifth training fails, and one scores NaN."""
    score = math.nan if birth.id == 3 else hill(birth.genes)
    return Failed(birth.id, "diverged") if birth.id % 5 == 4 else Scored(birth.id, score)


def test_the_fittest_half_is_promoted_and_failures_never_while_others_are_left() -> None:
    history = scored([0.1, 0.9, 0.3, 0.8, math.nan, 0.7, None, 0.6, 0.4, None])
    decision = search(space()).decide(history, room=10)
    assert decision
    assert decision.survivors == (1, 3, 5, 7, 8)


def test_offspring_descend_from_the_fittest_and_say_how() -> None:
    history = History(lived(search(generations=6), outcome))
    later = [individual.birth for individual in history.individuals.values() if individual.generation]
    assert {birth.origin for birth in later} <= {"random", "mutation", "crossover"}
    for birth in later:
        assert {"random": 0, "mutation": 1}.get(birth.origin, 2) <= len(birth.parents) <= 3
        assert all(parent < birth.id for parent in birth.parents)
    assert statistics.mean(len(birth.parents) for birth in later) > 0.5


@pytest.mark.parametrize("name", ["assisted", "genetic", "random"])
def test_half_of_the_first_generation_follows_the_priors(name: str) -> None:
    genes = Space(lr=Gene(1e-6, 1e-2, "log", prior=1e-5, spread=2), wd=Gene(0.0, 0.1))
    decision = strategy(StudyConfig(genes, "gaopt.objectives.toy:sphere", name)).decide(History(), 10)
    likely = [5e-6 < birth.genes["lr"] < 2e-5 for birth in decision.births]  # type: ignore[union-attr]
    assert sum(likely[1::2]) >= 3, "68 % of them"
    assert sum(likely[::2]) <= 3, "15 % of them"


def test_a_search_begins_where_a_prior_sends_it_and_leaves_where_it_is_wrong() -> None:
    def found(**prior: float) -> list[float]:
        genes = Space(lr=Gene(1e-6, 1e-2, "log", **prior), wd=Gene(0.0, 0.1))  # type: ignore[arg-type]
        history = History(
            lived(search(genes, generations=6), lambda birth: Scored(birth.id, hill(birth.genes | {"layers": 4})))
        )
        return [max(i.fitness for i in history.scored if i.id < n) for n in (10, 35)]

    without, right, wrong = found(), found(prior=1e-3, spread=2), found(prior=1e-6, spread=2)
    assert right[0] > without[0]
    assert min(without[1], right[1], wrong[1]) > -0.01


def test_a_birth_says_what_the_model_expects_of_it() -> None:
    history = History(lived(search(generations=8), outcome))
    first, *later = ([i for i in history.individuals.values() if i.generation == g] for g in range(8))
    assert all(one.birth.expected is None for one in first)
    told = [(*one.birth.expected, one.fitness) for one in later[-1] if one.birth.expected and one.fitness > -math.inf]
    assert len(told) >= 4
    assert sum(abs(fitness - mean) <= 2 * deviation for mean, deviation, fitness in told) >= len(told) - 1
    assert statistics.mean(abs(fitness - mean) for mean, _, fitness in told) < 0.5  # of scores down to -15


def test_a_search_whose_model_expects_nothing_more_looks_where_it_may_be_wrong() -> None:
    genes = Space(a=Gene(0.0, 1.0), b=Gene(0.0, 1.0))

    def outcome(birth: Birth) -> Scored:
        """A wide hill, and a narrow one that is higher."""
        wide, narrow = (math.hypot(birth.genes["a"] - top, birth.genes["b"] - top) for top in (0.3, 0.8))
        return Scored(birth.id, math.exp(-4 * wide**2) + math.exp(-400 * narrow**2))

    history = History(lived(search(genes, generations=9), outcome))
    points = [(i.genes["a"], i.genes["b"]) for i in history.individuals.values()]
    lonely = [n for n in range(20, 50) if min(math.dist(points[n], other) for other in points[:n]) >= 0.2]
    assert sum(n % 2 for n in lonely) >= 5
    assert sum(not n % 2 for n in lonely) <= 1, "the other half refines what is known"


def test_failures_alone_and_equal_scores_do_not_stop_the_search() -> None:
    for fitness in (None, math.nan, 0.5):
        decision = search(space()).decide(scored([fitness] * 10), room=10)
        assert decision
        assert len(decision.births) == 5


def test_the_model_of_a_large_study_is_bounded_seldom_fitted_and_the_same_for_who_resumes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(foresight, "LARGE", 20)
    monkeypatch.setattr(foresight, "EVERY", 10)
    monkeypatch.setattr(gp, "FITTED", 18)
    monkeypatch.setattr(gp, "TOLD", 16)
    history, going_on, shapes, told = History(), search(generations=6), set[bytes](), set[int]()
    while decision := going_on.decide(history, room=10):
        if len(history.ends) > 20:
            found = going_on.foresight(history)
            assert found
            shapes.add(found.belief.process.hyper.scales.tobytes())
            told.add(len(found.belief.process.points))
        if len(history.ends) == 25:
            multi_fidelity._found.clear()
            assert search(generations=6).decide(history, room=10) == decision, "as a driver that resumes decides"
        history.add(decision)
        for birth in decision.births:
            history.add(Failed(birth.id, "diverged") if birth.id % 5 == 4 else Scored(birth.id, hill(birth.genes)))
    assert len(history.ends) == 35
    assert told == {16}
    assert len(shapes) == 2, "fitted to the first 20 and to the first 30 outcomes"
