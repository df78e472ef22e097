"""Individual 0: the recipe's own setting; and ranges of which a part cannot be trained."""

from dataclasses import replace

import pytest

from gaopt import Gene, Space
from gaopt.config import load, presets
from gaopt.journal.events import Bred, Opened
from gaopt.journal.history import History
from gaopt.search.initial_design import nearest
from gaopt.search.registry import strategy
from gaopt.space.gene import Choice
from tests.conftest import toy
from tests.integration.test_cli import invoke


def first(history: History, **changes: object) -> Bred:
    found = strategy(replace(load("quick"), **changes)).decide(history, 10)  # type: ignore[arg-type]
    assert isinstance(found, Bred)
    return found


def test_individual_0_is_the_recipe_s_own_setting_unless_told_otherwise() -> None:
    for search in ("assisted", "genetic", "random"):
        births = first(History(), strategy=search).births
        assert len(births) == 10
        assert [birth.origin for birth in births].count("default") == 1
        assert births[0].genes == {"lr": 0.001, "wd": 0.01, "mom": 0.85}
    mine = {"lr": 0.001, "wd": 0.0, "mom": 0.5}
    for changes in ({"default_first": False}, {"given": (mine,)}):
        assert "default" not in [birth.origin for birth in first(History(), **changes).births]
    assert not load("student").default_first


def test_a_study_begun_by_an_earlier_version_goes_on_as_it_was_begun() -> None:
    tables = load("quick").plain()
    del tables["study"]["default_first"]
    begun = History([Opened(tables, "0.5.0", "host", 1)])
    assert first(begun) == first(History(), default_first=False)


def test_a_function_has_no_setting_of_its_own() -> None:
    found = strategy(toy()).decide(History(), 10)
    assert isinstance(found, Bred)
    assert "default" not in [birth.origin for birth in found.births]


def test_a_default_outside_of_the_space_is_the_nearest_inside_or_none() -> None:
    space = Space(lr=Gene(1e-5, 1e-3, "log"), batch=Choice((16, 64)), kind=Choice(("a", "b")))
    assert nearest(space, {"lr": 0.01, "batch": 32, "kind": "a"}) == {"lr": 1e-3, "batch": 16, "kind": "a"}
    assert nearest(space, {"lr": 0.01, "batch": 32, "kind": "c"}) is None
    assert nearest(Space("x > 0.5", x=Gene(0, 1)), {"x": 0.2}) is None


def test_a_range_that_reaches_what_cannot_train_is_told_of(capfd: pytest.CaptureFixture[str]) -> None:
    for name in presets():
        gene = load(name).space.get("mom")
        assert gene is None or not isinstance(gene, Gene) or gene.high < 1 or name == "student", name
    said = "space.mom goes up to 1.5, and a training with a momentum of 1 or more does not learn: 0.99 is enough"
    assert said in invoke(capfd, "run", "quick", "--dry-run", "--set", "space.mom.high=1.5")[2]
    assert "does not learn" not in invoke(capfd, "run", "quick", "--dry-run")[2]
