from collections.abc import Callable

import numpy as np
import pytest

from gaopt import Gene, Space, StudyConfig
from gaopt.config import Assisted
from gaopt.journal.events import Birth, Bred, Event, Recalled, Scored
from gaopt.journal.history import History
from gaopt.space.encoding import Encoding
from gaopt.space.gene import Choice
from gaopt.space.space import Genes
from gaopt.strategies.surrogate.assisted import AssistedSearch
from gaopt.strategies.surrogate.foresight import MOST, observations
from gaopt.strategies.surrogate.multi_fidelity import Observations, believed
from tests.conftest import lived

CUBE = Space(x=Gene(0.0, 1.0), y=Gene(0.0, 1.0), z=Gene(0.0, 1.0))


def ridge(genes: Genes) -> float:
    return -((genes["x"] - 0.8) ** 2) - (genes["y"] - 0.2) ** 2 - (genes["z"] - genes["x"] / 2) ** 2


def search(seed: int = 0, **numbers: float) -> AssistedSearch:
    config = Assisted(**({"population": 6, "litter": 3, "generations": 4} | numbers))  # type: ignore[arg-type]
    return AssistedSearch(StudyConfig(CUBE, "", seed=seed, assisted=config))


def study(score: Callable[[Genes], float], size: int = 40) -> Recalled:
    """An earlier one, of points drawn evenly."""
    points = np.random.default_rng(1).random((size, 3))
    genes = [dict(zip("xyz", map(float, point), strict=True)) for point in points]
    return Recalled("earlier", tuple(genes), tuple(score(each) for each in genes))


def told(history: History, space: Space) -> Observations:
    return observations(history, Encoding(space), seed=0)[0]


def ended(found: AssistedSearch, *recalled: Recalled) -> list[Event]:
    return lived(found, lambda birth: Scored(birth.id, ridge(birth.genes)), *recalled)


def best(*recalled: Recalled) -> float:
    """The mean of the best of fifteen trainings, as what is left to the summit; smaller is better."""
    found = [History(ended(search(seed), *recalled)).best for seed in range(3)]
    return float(np.mean([-each.fitness for each in found if each]))


@pytest.mark.slow
def test_an_earlier_study_of_the_same_problem_helps_and_a_misleading_one_does_no_harm() -> None:
    drawn = np.random.default_rng(2).random((300, 15, 3))
    blind = np.mean([min(-ridge(dict(zip("xyz", point, strict=True))) for point in points) for points in drawn])
    cold = best()
    assert best(study(lambda genes: 100 * ridge(genes) + 7)) < 0.5 * cold
    assert best(study(lambda genes: -ridge(genes))) < 0.5 * blind  # 0.39 in the mean of sixteen seeds


def test_how_far_an_earlier_study_is_trusted_is_learned() -> None:
    own = ended(search())
    for earlier, low, high in ((study(ridge), 0.8, 1.0), (study(lambda genes: -ridge(genes)), 0.0, 0.4)):
        belief = believed(told(History([earlier, *own]), CUBE), np.random.default_rng(0))
        assert belief.ties
        assert low <= belief.ties.correlations[1] <= high


def test_scores_of_another_unit_say_the_same() -> None:
    """Each source is standardised by itself."""
    told_by = [told(History([study(lambda g: a * ridge(g) + b)]), CUBE) for a, b in ((1, 0), (50, 3))]  # noqa: B023
    assert told_by[0].values == pytest.approx(told_by[1].values)


def test_genes_are_taken_over_by_name_and_others_are_drawn() -> None:
    space = Space(x=Gene(0.0, 1.0), act=Choice(("relu", "gelu")))
    recalled = Recalled("earlier", ({"x": 7.0, "lr": 1.0}, {"lr": 2.0}), (1.0, 2.0))
    heard = told(History([recalled]), space)
    assert heard.points.shape == (2, 2)
    assert heard.points[1, 0] == 1.0  # seven lies beyond the bounds
    assert told(History([recalled]), space).points == pytest.approx(heard.points)


def test_of_a_large_study_some_are_heard_the_best_among_them() -> None:
    recalled = study(ridge, 5 * MOST + 1)
    heard = told(History([recalled]), CUBE)
    fittest = recalled.genes[int(np.argmax(recalled.fitness))]
    assert MOST / 2 <= len(heard.values) <= MOST
    assert heard.points[np.argmax(heard.values)] == pytest.approx([fittest[name] for name in "xyz"])


def lucky() -> History:
    """A generation trained with much noise: individual 0 has the best score by luck, its neighbours middling ones."""
    rng = np.random.default_rng(3)
    middle = 0.5 + 0.03 * rng.standard_normal((8, 3))
    genes = [dict(zip("xyz", map(float, point), strict=True)) for point in [*middle, *rng.random((24, 3))]]
    scores = [0.2 if n == 0 else ridge(each) + rng.normal(0, 0.1) for n, each in enumerate(genes)]
    born = tuple(Birth(n, each, "random") for n, each in enumerate(genes))
    return History([Bred(0, born), *(Scored(n, score) for n, score in enumerate(scores))])


def test_survivors_are_those_that_the_model_believes_in_if_asked() -> None:
    kept = {}
    for rescored in (False, True):
        decision = search(population=32, survivors=0.16, promote_by_model=rescored).decide(lucky(), 10)
        assert isinstance(decision, Bred)
        kept[rescored] = decision.survivors
    assert 0 in kept[False]
    assert 0 not in kept[True]
    assert len(kept[True]) == 5


def test_an_earlier_study_uses_up_no_prior_and_leaves_its_ground_to_be_doubted() -> None:
    known = Space(x=Gene(0.0, 1.0, prior=0.8, spread=0.2), y=Gene(0.0, 1.0), z=Gene(0.0, 1.0))
    points = np.random.default_rng(4).random((9, 3))
    births = [Birth(n, dict(zip("xyz", map(float, point), strict=True)), "random") for n, point in enumerate(points)]
    events = [Bred(0, tuple(births)), *(Scored(birth.id, ridge(birth.genes)) for birth in births)]
    asked = np.random.default_rng(5).random((50, 3))
    found = []
    for recalled in ([], [study(ridge, size=100)]):
        foresight = AssistedSearch(StudyConfig(known, "")).foresight(History([*recalled, *events]))
        assert foresight
        assert foresight.prior
        found.append((foresight.prior.weight, np.isfinite(foresight.gain.doubting(asked)).sum()))
    assert found[0] == pytest.approx(found[1])
    assert found[0][1] > 20
