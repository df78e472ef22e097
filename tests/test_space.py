import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaopt import Gene, Space
from gaopt.errors import ConfigError
from tests.conftest import space

units = st.floats(0, 1)


@given(units)
def test_a_log_gene_stays_in_its_bounds_and_comes_back(unit: float) -> None:
    gene = Gene(1e-6, 1e-2, "log")
    value = gene.at(unit)
    assert gene.low <= value <= gene.high
    assert gene.unit(value) == pytest.approx(unit, abs=1e-5)


@given(units)
def test_a_linear_gene_stays_in_its_bounds_and_comes_back(unit: float) -> None:
    gene = Gene(-3.0, 5.0)
    assert gene.low <= gene.at(unit) <= gene.high
    assert gene.unit(gene.at(unit)) == pytest.approx(unit, abs=1e-5)


def test_a_log_gene_spreads_evenly_over_orders_of_magnitude() -> None:
    gene = Gene(1e-6, 1e-2, "log")
    drawn = [gene.at(random.Random(n).random()) for n in range(2000)]
    below = sum(value < 1e-4 for value in drawn) / len(drawn)
    assert 0.45 < below < 0.55


def test_an_integer_gene_is_whole() -> None:
    assert {Gene(16, 512, "log", integer=True).at(n / 50) % 1 for n in range(51)} == {0.0}


@pytest.mark.parametrize(
    ("low", "high", "scale", "said"),
    [
        (1.0, 0.0, "linear", "turned round"),
        (1.0, 1.0, "linear", "turned round"),
        (0.0, 1.0, "log", "above 0"),
        (0.0, float("inf"), "linear", "not finite"),
        (float("nan"), 1.0, "linear", "not finite"),
        (0.0, 1.0, "cubic", "cubic"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(low: float, high: float, scale: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Gene(low, high, scale)  # type: ignore[arg-type]


def test_the_order_of_genes_is_the_space_s_own_whatever_a_dictionary_says() -> None:
    shuffled = {"mom": 0.9, "lr": 1e-3, "wd": 0.0}
    assert space().vector(shuffled) == [1e-3, 0.0, 0.9]
    assert list(space().check(shuffled)) == ["lr", "wd", "mom"]


def test_an_unknown_and_a_missing_gene_are_named() -> None:
    with pytest.raises(ConfigError, match="'momentum' is no gene of this space: known: lr, mom, wd"):
        space().check({"lr": 1e-3, "wd": 0.0, "momentum": 0.9})
    with pytest.raises(ConfigError, match="no value for the gene 'mom'"):
        space().check({"lr": 1e-3, "wd": 0.0})


def test_a_space_without_genes_is_refused() -> None:
    with pytest.raises(ConfigError, match="no genes"):
        Space()
