import pickle
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaopt.errors import ConfigError
from gaopt.space.conditions import Expression

GENES = {"lr": 0.01, "batch": 128.0, "optimizer": "sgd", "flip": True}


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
        ("1 < 2", True),
    ]:
        assert Expression(text).holds(GENES) is holds


def test_nothing_but_a_condition_gets_past() -> None:
    for text, said in [
        ("", "is no condition"),
        ("lr <", "is no condition"),
        ("lr = 3", "is no condition"),
        ("__import__('os').system('true')", "calls"),
        ("(lambda: 1)()", "calls"),
        ("open('x')", "calls 'open'"),
        ("[x for x in (1, 2)]", "ListComp"),
        ("[1].real > 0", "Attribute"),
        ("lr > 1j", "only numbers and words"),
        ("'a' * 3 == 'aaa' if lr else 0", "IfExp"),
        ("f'{lr}' == 'x'", "JoinedStr"),
        ("(x := 3) > 2", "NamedExpr"),
        ("lr[0] > 1", "Subscript"),
        ("lr > " + "1 + " * 400 + "1", "at most 1000"),
    ]:
        with pytest.raises(ConfigError, match=said):
            Expression(text)


def test_what_does_not_go_together_is_said() -> None:
    with pytest.raises(ConfigError, match="'optimizer < 3' cannot be computed"):
        Expression("optimizer < 3").check_types(GENES)
    assert not Expression("optimizer < 3").holds(GENES)


def test_whole_numbers_of_a_choice_are_computed_with_as_floats() -> None:
    for text, holds in [
        ("n ** n ** n > 1", False),  # cannot be computed, and at once
        ("(true + true + true) ** (n + n) ** (n * n) > 1", False),
        ("(-n - n - n) ** n ** n > 1", False),
        ("'a' * huge != 'b'", False),
        ("('a' + 'b') * huge != 'b'", False),
        ("[1] * huge != [1]", False),
        ("n == 9", True),
        ("n ** 2 == 81", True),
        ("n in [9, 99] and n != '9'", True),
        ("(n > 1) + (n > 2) == 2", True),
        ("flip + flip == 2 and flip == true", True),
        ("optimizer + '!' == 'sgd!'", True),
        ("huge / 2 == 500000000000", True),
        ("-far < 0 < far and -far - 1 < 0", True),
    ]:
        genes = GENES | {"n": 9, "huge": 10**12, "far": 10**400}
        assert Expression(text).holds(genes) is holds


def test_words_are_not_multiplied() -> None:
    with pytest.raises(ConfigError, match="cannot be computed: only numbers can be multiplied"):
        Expression("'a' * n != 'b'").check_types({"n": 10**12})


@pytest.mark.parametrize("text", ["n" + " + n" * 240, "n" + "**n" * 300, "min(" * 240 + "n" + ")" * 240])
def test_a_condition_as_deep_as_there_is_room_for_is_one_or_a_mistake_that_is_said(text: str) -> None:
    with suppress(ConfigError):
        assert Expression(text).holds({"n": 2}) in (True, False)


def test_a_gene_that_is_not_known_is_named() -> None:
    with pytest.raises(ConfigError, match="speaks of 'lrr', which is no gene"):
        Expression("lrr > 0").check({"lr": 0})


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_a_mistake_that_is_said(text: str) -> None:
    with suppress(ConfigError):
        found = Expression(text)
        if set(found.names) <= set(GENES):
            assert found.holds(GENES) in (True, False)


def test_a_gene_may_be_called_like_a_function() -> None:
    found = Expression("min(min, max) < 2 and max > 1")
    assert found.names == ["max", "min"]
    assert found.holds({"min": 1.0, "max": 3.0})
    assert not found.holds({"min": 2.0, "max": 3.0})
    with pytest.raises(ConfigError, match="speaks of 'sqrt', which is no gene"):
        Expression("sqrt > 1").check({"lr": 0})


def test_it_can_be_sent_to_another_process() -> None:
    found = Expression("lr > 0")
    assert found.holds(GENES)
    assert pickle.loads(pickle.dumps(found)).holds(GENES)


def test_a_long_sum_is_not_too_deep() -> None:
    assert Expression("+".join(["n"] * 300) + " == 300").holds({"n": 1})
