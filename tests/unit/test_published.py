"""The papers' figures: the file is whole, and a few of them as printed."""

from __future__ import annotations

from gaopt.papers.published import beside, published

ROWS = {row.key: row for row in published()}

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


def test_what_the_paper_calls_a_failure_has_no_error() -> None:
    assert {row.key for row in published() if row.failed} == FAILED


def test_what_stands_beside_a_config_is_of_whole_methods_on_the_same_data() -> None:
    names = {row.key for row in beside({"data": {"name": "cifar10"}})}
    assert {"resnet20", "preact1001", "maxout"} <= names
    assert not {key for key in names if key.startswith(("join-", "order-", "c100-"))}
    assert {row.data for row in beside({"data": {"name": "cifar100"}})} == {"CIFAR-100"}
    assert beside({"data": {"name": "digits"}}) == beside({"data": 3}) == []
