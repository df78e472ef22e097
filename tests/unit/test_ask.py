"""The search in a loop of one's own."""

import doctest
import math

import pytest

from gaopt import Choice, Gene, Space, StudyConfig, Told, ask
from gaopt.errors import ConfigError
from gaopt.journal.events import Birth, Bred, Scored
from gaopt.journal.history import History
from gaopt.space.space import Genes
from gaopt.strategies import ask as asking
from gaopt.strategies.surrogate.assisted import AssistedSearch
from tests.conftest import space

PLANE = Space(x=Gene(0.0, 1.0), y=Gene(0.0, 1.0))


def height(genes: Genes) -> float:
    return -((genes["x"] - 0.3) ** 2) - (genes["y"] - 0.7) ** 2


def drawn(number: int) -> list[Told]:
    return [Told(genes, height(genes)) for genes in ask([], PLANE, number, strategy="random")]


def test_the_example_of_the_docstring_runs() -> None:
    found = doctest.testmod(asking)
    assert found.attempted
    assert not found.failed


def test_the_same_history_gives_the_same_answer_and_another_seed_another() -> None:
    for told in ([], drawn(4), drawn(12)):
        assert ask(told, PLANE, 3, seed=5) == ask(told, PLANE, 3, seed=5)
        assert ask(told, PLANE, 3, seed=5) != ask(told, PLANE, 3, seed=6)


def test_it_is_the_strategy_of_a_study() -> None:
    told = drawn(12)
    births = tuple(Birth(id, dict(one.genes), "random") for id, one in enumerate(told))
    history = History([Bred(0, births), *(Scored(id, height(dict(one.genes))) for id, one in enumerate(told))])
    chosen = [birth.genes for birth in AssistedSearch(StudyConfig(PLANE, "", seed=3)).births(history, 2)]
    assert ask(told, PLANE, 2, seed=3) == ask(history, PLANE, 2, seed=3) == chosen


def test_what_is_pending_is_not_asked_for_again() -> None:
    told = drawn(11)
    (first,) = ask(told, PLANE)
    (second,) = ask([*told, Told(first)], PLANE)
    assert math.hypot(first["x"] - second["x"], first["y"] - second["y"]) > 1e-3


def test_beyond_the_first_population_the_model_chooses() -> None:
    told = drawn(8)
    asked = ask(told, PLANE, 4)
    rest = ask(told, PLANE, 2)
    assert asked[:2] == rest
    assert asked[2:] == ask([*told, *map(Told, rest)], PLANE, 2)


def test_a_failure_repels() -> None:
    for failure in [None, math.nan, -math.inf, 10**400]:
        right = [Told(one.genes, failure if one.genes["x"] > 0.5 else one.fitness) for one in drawn(20)]
        assert all(genes["x"] < 0.6 for genes in ask(right, PLANE, 3))


def test_genes_by_hand_may_lie_outside_of_the_bounds_and_those_asked_for_do_not() -> None:
    told = [Told({"lr": 1.0, "wd": -0.5, "mom": 7}, 1.0), Told({"lr": 0, "wd": 0.05, "mom": 0.5}, 0.5)]
    for genes in ask(told, space(), 3, population=2):
        assert all(gene.low <= genes[name] <= gene.high for name, gene in space().items() if isinstance(gene, Gene))


def test_a_space_has_choices_and_conditions() -> None:
    mixed = Space(
        "lr < 0.5 or momentum > 0.2",
        optimizer=Choice(("sgd", "adam")),
        lr=Gene(1e-3, 1, "log"),
        momentum=Gene(0, 1, when="optimizer == 'sgd'"),
    )
    told: list[Told] = []
    for _ in range(25):
        (genes,) = ask(told, mixed)
        assert mixed.check(genes) == genes
        assert mixed.allows(genes)
        assert ("momentum" in genes) == (genes["optimizer"] == "sgd")
        told.append(Told(genes, (genes["optimizer"] == "sgd") - abs(genes.get("momentum", 0) - 0.6)))
    assert max(one.fitness for one in told if isinstance(one.fitness, float)) > 0.95


def test_a_space_can_be_used_up_and_whole_numbers_may_be_told_as_floats() -> None:
    few, whole = Space(x=Choice((1, 2, 3))), Space(batch=Gene(16, 512, "log", integer=True))
    for strategy in ("assisted", "random"):
        asked = ask([], few, 10, strategy=strategy)
        assert sorted(genes["x"] for genes in asked) == [1, 2, 3]
        assert ask([Told(genes, 0.0) for genes in asked], few, strategy=strategy) == []
        told = [ask([Told({"batch": given}, 1.0)], whole, 12, strategy=strategy) for given in (64, 64.0)]
        assert told[0] == told[1]
        assert {type(genes["batch"]) for genes in told[1]} == {int}


def test_bad_input_is_one_sentence() -> None:
    for history, options, sentence in [
        ([], {"number": 0}, "number is 0: must be a whole number from 1"),
        ([], {"population": 1}, "population is 1: must be a whole number from 2"),
        ([], {"strategy": "genetic"}, "the strategy is 'genetic': must be 'assisted' or 'random'"),
        ([Told({"x": 0.5, "y": 0}), Told({"x": 0.5})], {}, r"history\[1\]: no value for the gene 'y'"),
        ([Told({"x": 0.5, "y": "big"})], {}, "the gene 'y' is 'big': must be a number"),
        ([Told({"x": math.nan, "y": 0})], {}, "the gene 'x' is nan: must be finite"),
        (History([Bred(0, (Birth(4, {"x": 0.5}, "given"),))]), {}, "individual 4: no value for the gene 'y'"),
    ]:
        with pytest.raises(ConfigError, match=sentence) as raised:
            ask(history, **{"space": PLANE, **options})
        assert "\n" not in str(raised.value)
