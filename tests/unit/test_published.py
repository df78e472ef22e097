"""The papers' figures: the file is whole, and a few of them as printed."""

from __future__ import annotations

from gaopt.papers.published import beside, published

ROWS = {row.key: row for row in published()}
ERRORS = {
    "resnet20": 8.75,
    "resnet110": 6.43,
    "resnet1202": 7.93,
    "highway19": 7.54,
    "join-add": 6.61,
    "join-scale-0.5-0.5": 12.35,
    "join-exclusive-gate-6": 8.70,
    "join-exclusive-gate-7": 9.81,
    "join-shortcut-gate-0": 12.86,
    "join-shortcut-gate-6": 6.91,
    "join-conv": 12.22,
    "order-bn_after-110": 8.17,
    "order-preact-164": 5.46,
    "order-preact-110-1layer": 8.91,
    "resnet1001": 7.61,
    "preact1001": 4.92,
    "c100-preact1001": 22.71,
    "plain34": 28.54,
    "resnet34": 25.03,
    "resnet152": 21.43,
    "bn-inception": 21.99,
}

FAILED = {"join-scale-0-1", "join-scale-0.5-1", "join-exclusive-gate-0", "join-dropout"}


def test_every_row_has_its_source_and_says_how_it_ended() -> None:
    assert len(ROWS) == len(published()), "a key is used twice"
    for row in published():
        assert row.source.startswith(("He et al. 2015, table", "He et al. 2016, table"))
        assert row.method
        assert row.split.startswith(("test", "validation"))
        assert row.failed == (row.error is None and row.top5 is None)
        assert all(0 < error < 100 for error in (row.error, row.top5) if error is not None)
        if row.error is not None and row.top5 is not None:
            assert row.top5 < row.error


def test_an_error_is_as_printed() -> None:
    for key in ERRORS:
        assert ROWS[key].error == ERRORS[key]


def test_what_the_paper_calls_a_failure_has_no_error() -> None:
    assert {row.key for row in published() if row.failed} == FAILED


def test_top5_spread_and_parameters_are_as_printed() -> None:
    assert ROWS["resnet-ensemble"].top5 == 3.57
    assert ROWS["resnet-ensemble"].error is None
    assert ROWS["resnet110"].spread == "6.61 ± 0.16"
    assert ROWS["resnet1202"].parameters == 19.4


def test_what_stands_beside_a_config_is_of_whole_methods_on_the_same_data() -> None:
    names = {row.key for row in beside({"data": {"name": "cifar10"}})}
    assert {"resnet20", "preact1001", "maxout"} <= names
    assert not {key for key in names if key.startswith(("join-", "order-", "c100-"))}
    assert {row.data for row in beside({"data": {"name": "cifar100"}})} == {"CIFAR-100"}
    assert beside({"data": {"name": "digits"}}) == beside({"data": 3}) == []
