"""The papers' figures: the file is whole, and a few of them as printed."""

from __future__ import annotations

import pytest

from gaopt.papers.published import of, published, result

ORDERS = ("original", "bn_after", "relu_before", "relu_only", "preact")

NEEDED = {
    "CIFAR-10": [
        *(f"resnet{layers}" for layers in (20, 32, 44, 56, 110, 1202, 1001)),
        *("maxout", "nin", "dsn", "fitnet", "highway19", "highway32", "preact1001"),
        *("join-add", "join-scale-0-1", "join-scale-0.5-1", "join-scale-0.5-0.5", "join-conv", "join-dropout"),
        *("join-exclusive-gate-0", "join-exclusive-gate-6", "join-exclusive-gate-7"),
        *("join-shortcut-gate-0", "join-shortcut-gate-6"),
        *(f"order-{order}-{layers}" for order in ORDERS for layers in (110, 164)),
        *("order-original-110-1layer", "order-preact-110-1layer"),
    ],
    "CIFAR-100": ["c100-resnet164", "c100-preact164", "c100-resnet1001", "c100-preact1001"],
    "ImageNet": [
        *("vgg16", "googlenet", "prelu-net", "bn-inception", "plain18", "plain34", "resnet18", "resnet34"),
        *(f"resnet{net}" for net in ("34-A", "34-B", "34-C", "50", "101", "152", "-ensemble")),
        *("vgg-ilsvrc14", "googlenet-ilsvrc14", "vgg-v5", "prelu-net-test", "bn-inception-test"),
    ],
}

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


def test_no_key_is_used_twice() -> None:
    keys = [row.key for row in published()]
    assert len(keys) == len(set(keys))


def test_every_row_has_its_source_and_says_how_it_ended() -> None:
    for row in published():
        assert row.source.startswith(("He et al. 2015, table", "He et al. 2016, table"))
        assert row.method
        assert row.split.startswith(("test", "validation"))
        assert row.failed == (row.error is None and row.top5 is None)
        assert all(0 < error < 100 for error in (row.error, row.top5) if error is not None)
        if row.error is not None and row.top5 is not None:
            assert row.top5 < row.error


@pytest.mark.parametrize("data", NEEDED)
def test_what_other_code_looks_up_is_there(data: str) -> None:
    assert {result(key).data for key in NEEDED[data]} == {data}


def test_an_error_is_as_printed() -> None:
    for key in ERRORS:
        assert result(key).error == ERRORS[key]


def test_what_the_paper_calls_a_failure_has_no_error() -> None:
    assert {row.key for row in published() if row.failed} == FAILED


def test_top5_spread_and_parameters_are_as_printed() -> None:
    assert result("resnet-ensemble").top5 == 3.57
    assert result("resnet-ensemble").error is None
    assert result("resnet110").spread == "6.61 ± 0.16"
    assert result("resnet1202").parameters == 19.4


def test_the_gates_carry_their_initial_bias() -> None:
    assert result("join-exclusive-gate-0").method == "exclusive gating, b = 0 to −5"
    assert result("join-exclusive-gate-6").method == "exclusive gating, b = −6"
    assert result("join-shortcut-gate-6").method == "shortcut-only gating, b = −6"


def test_of_gives_one_data_set_in_file_order() -> None:
    rows = of("CIFAR-10")
    assert {row.data for row in rows} == {"CIFAR-10"}
    assert rows == [row for row in published() if row in rows]
    assert sum(len(of(data)) for data in NEEDED) == len(published())
    assert of("MNIST") == []


def test_an_unknown_key_is_named_with_the_nearest() -> None:
    with pytest.raises(KeyError, match=r"no published result 'resnet-110': did you mean 'resnet110'\?"):
        result("resnet-110")
