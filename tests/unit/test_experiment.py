"""Experiments: the papers' comparisons as configs, and what is said of them."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest

from gaopt.config import GridConfig, StudyConfig, experiments, from_tables
from gaopt.config.tables import merged, overridden, read_toml
from gaopt.errors import ConfigError
from gaopt.journal.events import Bred, Event, Failed, Opened, Reported, Scored
from gaopt.journal.history import History
from gaopt.objectives.base import resolve
from gaopt.papers.experiment import experiment
from gaopt.papers.published import beside, published
from gaopt.report import experiment as paper
from gaopt.report.page import Page
from gaopt.space.gene import Gene
from gaopt.space.space import Space
from gaopt.strategies.baselines import Grid
from gaopt.strategies.registry import strategy
from tests.unit.test_report import rows

PRINTED = {row.key: row for row in published()}
TABLES: dict[str, Any] = {
    "study": {"objective": "gaopt.papers.variants:objective", "strategy": "grid"},
    "grid": {"repeats": 2},
    "data": {"name": "digits"},
    "recipe": {"name": "paper", "epochs": 2},
    "experiment": {
        "title": "Two nets",
        "source": "table 1",
        "variants": [
            {"name": "small", "net": {"name": "resnet20"}, "paper": "resnet20", "panel": "left"},
            {"name": "large", "net": {"name": "resnet56"}, "recipe": {"warmup": 400}, "panel": "right"},
        ],
        "claims": [{"text": "the large one is better", "higher": "small", "lower": "large", "error": "test"}],
    },
}


def config(*overrides: str, **changes: Any) -> StudyConfig:
    tables = merged(deepcopy(TABLES), {"experiment": {"claims": [], **changes}}) if changes else TABLES
    return checked(overridden(tables, overrides))


def checked(tables: dict[str, Any]) -> StudyConfig:
    loaded = from_tables(tables)
    return resolve(loaded.objective).check(loaded)


def history(small: Sequence[float | None], large: Sequence[float | None]) -> History:
    """Runs of the two variants that ended with these test accuracies; None for one that diverged."""
    found = config(f"grid.repeats={len(small)}")
    events: list[Event] = [Opened(found.plain(), "0.1.0", "host", 1)]
    decision = strategy(found).decide(History(), 1)
    assert isinstance(decision, Bred)
    events.append(decision)
    for birth in decision.births:
        top1 = {"small": small, "large": large}[birth.genes["variant"]][birth.trial]
        if top1 is None:
            events.append(Failed(birth.id, "diverged", "the loss was nan"))
            continue
        for epoch in (1, 2):
            events.append(Reported(birth.id, epoch, {"train_top1": top1 * epoch / 2, "top1": top1 * epoch / 2}))
        ends = {"train_top1": top1, "top1": top1, "test_top1": top1, "parameters": 272474.0}
        events.append(Scored(birth.id, top1, ends, 2, 1.0))
    return History(events)


def grid(genes: Space, repeats: int) -> Grid:
    return Grid(StudyConfig(genes, "", grid=GridConfig(repeats)))


def test_a_grid_trains_every_combination_with_each_seed_in_turn() -> None:
    whole = Space(a=Gene(0, 1, integer=True), b=Gene(3, 5, integer=True))
    decision = grid(whole, 2).decide(History(), 1)
    assert decision
    assert [(b.trial, b.genes["a"], b.genes["b"]) for b in decision.births] == [
        (trial, a, b) for trial in (0, 1) for a in (0, 1) for b in (3, 4, 5)
    ]
    assert not grid(whole, 2).decide(History([decision]), 1)


def test_every_experiment_that_is_shipped_is_valid_and_names_published_results() -> None:
    for small in [False, True]:
        for name in experiments():
            tables = read_toml(experiments()[name])
            less = tables.pop("small")
            loaded = from_tables(merged(tables, less) if small else tables)
            checked = resolve(loaded.objective).check(loaded)
            found = experiment(checked.settings)
            assert found
            assert all(PRINTED[variant.paper] for variant in found.variants if variant.paper)
            assert checked.settings["recipe"]["wd"] == 1e-4
            assert from_tables(checked.plain()).plain() == checked.plain()
            assert strategy(checked).decide(History(), 1)


def test_every_row_has_its_source_and_says_how_it_ended() -> None:
    assert len(PRINTED) == len(published()), "a key is used twice"
    for row in published():
        assert row.source.startswith(("He et al. 2015, table", "He et al. 2016, table"))
        assert row.method
        assert row.split.startswith(("test", "validation"))
        assert row.failed == (row.error is None and row.top5 is None)
        assert all(0 < error < 100 for error in (row.error, row.top5) if error is not None)
        if row.error is not None and row.top5 is not None:
            assert row.top5 < row.error


def test_what_stands_beside_a_config_is_of_whole_methods_on_the_same_data() -> None:
    names = {row.key for row in beside({"data": {"name": "cifar10"}})}
    assert {"resnet20", "preact1001", "maxout"} <= names
    assert not {key for key in names if key.startswith(("join-", "order-", "c100-"))}
    assert {row.data for row in beside({"data": {"name": "cifar100"}})} == {"CIFAR-100"}
    assert beside({"data": {"name": "digits"}}) == beside({"data": 3}) == []


def test_the_published_errors_that_the_experiments_are_held_against_are_those_of_the_papers() -> None:
    def errors(name: str) -> list[str]:
        found = experiment(read_toml(experiments()[name]))
        assert found
        return [PRINTED[variant.paper].printed.split()[0] for variant in found.variants if variant.paper]

    assert errors("depth")[:4] == ["8.75", "7.51", "7.17", "6.97"]
    assert errors("orders") == ["6.61", "8.17", "7.84", "6.71", "6.37"]
    assert errors("orders-164") == ["5.93", "6.50", "6.14", "5.91", "5.46"]
    assert errors("orders-cifar100") == ["25.16", "24.33", "27.82", "22.71"]
    assert errors("shortcuts")[-2:] == ["12.22", "fail"]


def test_a_mistake_in_an_experiment_is_one_clear_sentence() -> None:
    for changes, said in [
        ({"variants": [{"name": "one"}]}, "the space has no genes"),
        ({"variants": [{"name": "a"}, {"name": "a"}]}, "a variant has the name 'a': each must have one, and its own"),
        ({"variants": [{"name": "a"}, {"nam": "b"}]}, r"unknown key experiment.variants\[1\].nam: did you mean 'name'"),
        ({"claims": [{"text": "x", "higher": "smal", "lower": "large"}]}, "the variant 'smal': did you mean 'small'"),
        ({"claims": [{"text": "x", "higher": "small", "lower": "large", "error": "top9"}]}, r"claims\[0\].error"),
        ({"variants": [{"name": "a", "paper": "resnet21"}, {"name": "b"}]}, "'resnet21': did you mean"),
        ({"variants": [{"name": "a"}, {"name": "b", "net": {"name": "resnet21"}}]}, "the variant 'b': net: name is"),
        ({"variants": [{"name": "a"}, {"name": "b", "recipe": {"name": "paper"}}]}, "recipe.name is the same for all"),
    ]:
        with pytest.raises(ConfigError, match=said):
            config(**changes)


def test_a_study_of_a_grid_goes_on_with_more_seeds() -> None:
    whole = Space(a=Gene(0, 1, integer=True))
    first = grid(whole, 1).decide(History(), 1)
    assert first
    more = grid(whole, 2).decide(History([first]), 1)
    assert more
    assert (more.generation, more.survivors) == (1, (0, 1))
    assert [(birth.id, birth.trial, birth.genes["a"]) for birth in more.births] == [(2, 1, 0), (3, 1, 1)]
    assert not grid(whole, 2).decide(History([first, more]), 1)


def test_errors_are_means_and_deviations_of_the_runs_beside_the_paper_s() -> None:
    rows = [paper.row(one) for one in paper.compared(history([0.90, 0.92], [0.95, None]))]
    small = "9.00 ± 1.41"
    assert rows[0] == ["small", "0.27 M", "2", small, small, small, "8.75", "He et al. 2015, table 6"]
    assert rows[1] == ["large", "0.27 M", "1 of 2", "5.00", "5.00", "5.00", "–", "–"]


def test_a_claim_is_held_against_what_was_seen() -> None:
    for small, large, said in [
        ([0.90], [0.95], "Seen: the same, in one run each, so that chance cannot be told from effect"),
        ([0.95], [0.95], "Seen: no difference at all, in one run each"),
        ([0.90, 0.90], [0.95, 0.95], "Seen: the same, without any spread between runs"),
        ([0.90, 0.901, 0.899], [0.95, 0.951, 0.949], "Seen: the same, a difference of +5.00 points, 95 % interval +4"),
        ([0.95, 0.951, 0.949], [0.90, 0.901, 0.899], "Seen: the opposite, a difference of -5.00 points"),
        ([0.90, 0.94, 0.92], [0.91, 0.95, 0.93], "Seen: nothing that can be told from chance, a difference of +1.00"),
        ([None], [0.95], "Not seen: small has no test error, for no training of it has ended with a score"),
    ]:
        (verdict,) = paper.verdicts(history(small, large))
        assert verdict.startswith("The paper's claim: the large one is better. ")
        assert said in verdict


def variants(said: Page) -> list[list[str]]:
    """The names and the runs of the variants on a page."""
    return [[row[0], row[2]] for row in rows(said, "Ours beside the paper's")]
