"""Genes, spaces of them, and their conditions."""

import random
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaopt import Choice, Gene, Space
from gaopt.errors import ConfigError
from gaopt.space.conditions import Expression
from gaopt.space.space import COUNTED
from tests.conftest import space


@given(st.floats(0, 1))
def test_a_gene_stays_in_its_bounds_and_comes_back(unit: float) -> None:
    for gene in (Gene(1e-6, 1e-2, "log"), Gene(-3.0, 5.0)):
        value = gene.at(unit)
        assert gene.low <= value <= gene.high
        assert gene.unit(value) == pytest.approx(unit, abs=1e-5)


def test_an_integer_gene_is_an_int_however_it_is_made() -> None:
    for gene in (Gene(16, 512, "log", integer=True), Gene(2, 10, integer=True, step=4), Gene(-3, 3, integer=True)):
        made = [*(gene.at(n / 50) for n in range(51)), *map(gene.level, range(gene.levels))]
        made += [gene.check(given) for given in (4, 4.0, np.float32(4), np.int64(4), 1000.0)]
        assert {type(value) for value in made} == {int}
    with pytest.raises(ConfigError, match=r"is 2.5: must be a whole number"):
        Gene(1, 5, integer=True).check(2.5)


def test_a_range_that_makes_no_sense_is_refused() -> None:
    for low, high, scale, said in [
        (1.0, 1.0, "linear", "turned round"),
        (0.0, 1.0, "log", "above 0"),
        (float("nan"), 1.0, "linear", "low is nan: must be finite"),
        (False, True, "linear", "low is False: must be a number"),
        (0, 10**400, "linear", "high is inf: must be finite"),
        (0.0, 1.0, "cubic", "cubic"),
    ]:
        with pytest.raises(ConfigError, match=said):
            Gene(low, high, scale)


def test_an_unknown_and_a_missing_gene_are_named() -> None:
    with pytest.raises(ConfigError, match="'momentum' is no gene of this space: known: lr, mom, wd"):
        space().check({"lr": 1e-3, "wd": 0.0, "momentum": 0.9})
    with pytest.raises(ConfigError, match="no value for the gene 'mom'"):
        space().check({"lr": 1e-3, "wd": 0.0})


def test_a_gene_with_steps_takes_no_other_values() -> None:
    gene = Gene(0.0, 1.0, step=0.3)
    assert {gene.at(n / 100) for n in range(101)} == {0.0, 0.3, 0.6, 0.9}
    assert gene.levels == 4
    assert [gene.level(n) for n in (0, 3)] == [0.0, pytest.approx(0.9)]
    assert {Gene(2, 10, integer=True, step=4).at(n / 100) for n in range(101)} == {2.0, 6.0, 10.0}


def test_a_choice_is_divided_evenly_and_comes_back() -> None:
    choice = Choice(("adam", "sgd", True, 3))
    drawn = [choice.at(random.Random(n).random()) for n in range(2000)]
    assert all(400 < sum(value is each for value in drawn) < 600 for each in choice.choices)
    assert [choice.at(choice.unit(value)) for value in choice.choices] == list(choice.choices)
    assert (choice.at(0.0), choice.at(1.0)) == ("adam", 3)


def test_a_prior_says_where_likely_values_lie() -> None:
    shares = [(n + 0.5) / 1000 for n in range(1000)]
    for gene, near, low, high in [
        (Gene(1e-6, 1e-1, "log", prior=1e-3, spread=4), 0.68, 2.5e-4, 4e-3),
        (Gene(0.0, 10.0, prior=5.0, spread=1.0), 0.68, 4.0, 6.0),
        (Gene(0.0, 10.0, prior=0.0, spread=1.0), 0.68, 0.0, 1.0),  # of what lies within the bounds
        (Gene(1, 9, integer=True, prior=5, spread=1), 0.87, 4, 6),  # from 3.5 to 6.5
        (Choice(("adam", "sgd", "lion"), prior="sgd", spread=8), 0.8, "sgd", "sgd"),
    ]:
        drawn: list[Any] = [gene.at(gene.likely(share)) for share in shares]
        assert sum(low <= value <= high for value in drawn) == pytest.approx(1000 * near, abs=12)
    assert Gene(0.0, 1.0).likely(0.3) == Choice((1, 2)).likely(0.3) == 0.3


def test_a_space_that_makes_no_sense_is_refused() -> None:
    for make, said in [
        (Space, "no genes"),
        (lambda: Choice(()), "choices is empty"),
        (lambda: Choice(("a", "a")), "'a' twice"),
        (lambda: Choice("adam"), "choices is 'adam': must be a list of values"),  # type: ignore[arg-type]
        (lambda: Space(a=3), "the gene 'a' is 3: must be a gaopt.Gene or a gaopt.Choice"),  # type: ignore[arg-type]
        (lambda: Gene(0, 1, step=2), "step is 2"),
        (lambda: Gene(1, 10, "log", step=1), "on a log scale"),
        (lambda: Gene(1, 10, integer=True, step=0.5), "must be whole"),
        (lambda: Gene(0, 1, prior=2, spread=1), "prior is 2: must lie in the range 0 … 1"),
        (lambda: Gene(0, 1, prior=0.5), "prior is 0.5 without a spread"),
        (lambda: Gene(1, 9, "log", prior=2, spread=1), "spread is 1 beside the prior 2.0: must be above 1, a factor"),
        (lambda: Gene(0, 1, spread=0.5), "spread is 0.5 without a prior"),
        (lambda: Choice(("a", "b"), prior="c", spread=2), "prior is 'c': must be one of 'a', 'b'"),
        (lambda: Choice(("a", "b"), prior="a"), "prior is 'a' without a spread"),
        (lambda: Space(a=Gene(0, 1, when="b > 0"), b=Gene(0, 1)), "'b', which is no gene before it"),
        (lambda: Space("a > 2", a=Gene(0, 1)), "the constraints allow none: loosen"),
        (lambda: Space("a < 0.9 or b < 3", a=Gene(0, 1), b=Choice(("x",))), "'a < 0.9 or b < 3' cannot be computed"),
        (lambda: Space("a + b < 0.05", a=Gene(0, 1), b=Gene(0, 1)), ": loosen"),
        (lambda: Space("b > 0.1", true=Gene(0, 1), b=Gene(0, 1)), "cannot tell the gene 'true' from a value"),
    ]:
        with pytest.raises(ConfigError, match=said):
            make()


CONDITIONAL = Space(
    "lr * 10 <= wd",
    lr=Gene(1e-3, 1.0, "log"),
    wd=Gene(0.0, 1.0),
    optimizer=Choice(("adam", "sgd")),
    mom=Gene(0.0, 1.0, when="optimizer == 'sgd'"),
    nesterov=Choice((False, True), when="mom > 0.5"),
)


def test_a_gene_is_there_only_where_its_condition_holds() -> None:
    drawn = [CONDITIONAL.sample(random.Random(n)) for n in range(300)]
    assert all(genes["lr"] * 10 <= genes["wd"] for genes in drawn)
    assert all(("mom" in genes) == (genes["optimizer"] == "sgd") for genes in drawn)
    # A condition on a gene that is not there does not hold.
    assert all(("nesterov" in genes) == (genes.get("mom", 0) > 0.5) for genes in drawn)
    assert len({len(genes) for genes in drawn}) == 3


def test_genes_given_by_hand_are_checked() -> None:
    for genes, said in (
        ({"optimizer": "lion"}, "the gene 'optimizer' is 'lion': must be one of 'adam', 'sgd'"),
        ({"optimizer": "sgd"}, "no value for the gene 'mom'"),
        ({"optimizer": "adam", "mom": 0.9}, "'mom': it is there only when optimizer == 'sgd'"),
        ({"lr": "high", "optimizer": "adam"}, "the gene 'lr' is 'high': must be a number"),
    ):
        with pytest.raises(ConfigError, match=said):
            CONDITIONAL.check({"lr": 0.01, "wd": 1.0, **genes})


def test_a_space_that_can_be_counted_out_is_used_up_by_its_last_individual() -> None:
    few = Space(
        "a != b", a=Choice((1, 2)), b=Gene(1, 4, "log", integer=True), c=Gene(0.0, 0.5, step=0.25, when="a == 1")
    )
    everyone = [tuple(few.vector(genes)) for genes in few.combinations()]
    assert len(everyone) == len(set(everyone)) == 3 * 3 + 3  # c is not there where a is 2
    seen = {(9, 9, None)}  # given by hand, beyond the bounds
    for vector in everyone:
        assert not few.used_up(seen)
        seen.add(vector)
    assert few.used_up(seen)
    assert {tuple(few.vector(few.sample(random.Random(n)))) for n in range(1000)} == set(everyone)


def test_a_space_without_end_and_a_vast_one_are_never_known_to_be_used_up() -> None:
    assert not Space(a=Choice((1,)), b=Gene(0.0, 1.0)).used_up(set())
    vast = Space(a=Gene(0, COUNTED, integer=True))
    assert not vast.used_up({tuple(vast.vector(genes)) for genes in vast.combinations()})


GENES = {"n": 9, "lr": 0.01, "batch": 128.0, "optimizer": "sgd", "flip": True}


def test_what_holds() -> None:
    for text, holds in [
        ("lr * batch <= 4", True),
        ("lr * batch <= 1", False),
        ("optimizer == 'sgd' and not flip", False),
        ("optimizer in ['adam', 'lion'] or flip == true", True),
        ("-3 < log10(lr) < 0", True),
        ("max(lr, batch) ** 0.5 > 11", True),
        ("1 / (batch - 128) > 0", False),  # cannot be computed
        ("9 ** 9 ** 9 ** 9 > 0", False),  # nor that, and at once
        ("n ** n ** n > 1", False),
        ("1 < 2", True),
    ]:
        assert Expression(text).holds(GENES) is holds


def test_nothing_but_a_condition_gets_past() -> None:
    for text, said in [
        ("", "is no condition"),
        ("lr = 3", "is no condition"),
        ("__import__('os').system('true')", "holds a Call"),
        ("open('x')", "holds a Call"),
        ("[x for x in (1, 2)]", "ListComp"),
        ("[1].real > 0", "Attribute"),
        ("lr > 1j", "holds a Constant"),
        ("(x := 3) > 2", "NamedExpr"),
        ("lr > " + "1 + " * 400 + "1", "at most 1000"),
    ]:
        with pytest.raises(ConfigError, match=said):
            Expression(text)


def test_what_does_not_go_together_is_said() -> None:
    with pytest.raises(ConfigError, match="'optimizer < 3' cannot be computed"):
        Expression("optimizer < 3").check_types(GENES)
    assert not Expression("optimizer < 3").holds(GENES)


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_a_mistake_that_is_said(text: str) -> None:
    with suppress(ConfigError):
        found = Expression(text)
        if set(found.names) <= set(GENES):
            assert found.holds(GENES) in (True, False)
