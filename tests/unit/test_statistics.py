"""What a comparison may claim: seldom where nothing differs, mostly where much does, and in words that say so."""

from collections.abc import Callable
from dataclasses import astuple
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaopt.compare.sentence import verdict
from gaopt.compare.statistics import Contrast, Interval, contrasts, holm, interval, optimism, seeds_needed

Noise = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def failing(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    """Accuracies: skewed, of 10 000 images, and one training in twenty fails."""
    good = np.round(0.9 - 0.01 * rng.gamma(2.0, 1.0, size), 4)
    return np.where(rng.random(size) < 0.05, 0.1, good)


NOISE: dict[str, Noise] = {
    "normal": lambda rng, size: rng.normal(size=size),
    "a hundred images": lambda rng, size: rng.binomial(100, 0.9, size) / 100,
    "steps as large as the noise": lambda rng, size: np.round(rng.normal(size=size)),
    "failing": failing,
}


def named(rows: np.ndarray) -> dict[str, dict[int, float]]:
    """Scores of shape (methods, seeds) by method and seed."""
    return {f"m{method}": dict(enumerate(row)) for method, row in enumerate(rows.tolist())}


def claims(rows: np.ndarray) -> list[bool]:
    return [contrast.claimed for contrast in contrasts(named(rows), "m0")]


# ---- what is claimed of noise, and of a gap


def test_of_noise_no_more_is_claimed_than_is_said() -> None:
    for seeds in [3, 5, 10]:
        for noise in NOISE:
            rng = np.random.default_rng(seeds)
            for methods in (2, 3, 8):
                drawn = NOISE[noise](rng, (400, methods, seeds))
                false = sum(any(claims(rows)) for rows in drawn)
                assert false <= 400 * 0.05 + 3 * sqrt(400 * 0.05 * 0.95), f"{methods} methods"


@pytest.mark.parametrize(("methods", "share"), [(2, 0.95), (8, 0.9)])
def test_a_reference_that_is_two_deviations_better_is_found_with_ten_seeds(methods: int, share: float) -> None:
    drawn = np.random.default_rng(1).normal(size=(300, methods, 10))
    drawn[:, 0] += 2
    assert np.mean([claims(rows) for rows in drawn]) >= share


# ---- against others


def test_the_test_is_scipys_where_scores_have_no_steps() -> None:
    from scipy.stats import ttest_rel

    rows = np.random.default_rng(5).normal(size=(3, 9))
    rows[0, 1] = rows[0, 0] + 1e-6  # the smallest step, and for the others one of their own
    found = contrasts(named(rows), "m0")
    for contrast, row in zip(found, rows[1:], strict=True):
        assert contrast.p == pytest.approx(ttest_rel(rows[0], row).pvalue, rel=1e-9)


def test_steps_add_the_variance_of_rounding_both_scores() -> None:
    found = contrasts({"a": {0: 0.7, 1: 0.8, 2: 0.9}, "b": {0: 0.6, 1: 0.8, 2: 0.6}}, "a")[0]
    assert found.deviation == pytest.approx(sqrt(np.var([0.1, 0.0, 0.3], ddof=1) + 2 * 0.1**2 / 12))


def test_holm_by_hand() -> None:
    ps = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}
    assert holm(ps, 4) == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})
    assert holm(ps, 5) == pytest.approx({"d": 0.025, "a": 0.04, "c": 0.09, "b": 0.09})
    assert holm({"a": 0.9, "b": 0.8}, 2) == {"b": 1.0, "a": 1.0}


@pytest.mark.parametrize(("effect", "pairs"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_seeds_are_counted_as_in_tables_of_the_paired_test(effect: float, pairs: int) -> None:
    assert seeds_needed(1.0, effect) == pairs


def test_seeds_that_are_needed_are_enough_and_one_fewer_is_not() -> None:
    needed = seeds_needed(sqrt(2), 1.5, comparisons=3)
    assert needed == 13

    def power(seeds: int) -> float:
        drawn = np.random.default_rng(6).normal(size=(2000, 4, seeds))
        drawn[:, 1] -= 1.5
        return float(np.mean([claims(rows)[0] for rows in drawn]))

    assert power(needed) > 0.79 > power(needed - 2)


def test_an_interval_covers_what_it_says() -> None:
    for seeds in (3, 5, 10):
        drawn = np.random.default_rng(7).normal(size=(400, seeds)).tolist()
        bounds = [interval(values) for values in drawn]
        covered = np.mean([(each.low or 0.0) <= 0 <= (each.high or 0.0) for each in bounds])
        assert covered >= 0.95 - 3 * sqrt(0.95 * 0.05 / 400)


def test_below_six_values_the_interval_is_students() -> None:
    from scipy.stats import t

    values = [0.1, 0.5, 0.2, 0.4]
    low, high = t.interval(0.95, 3, loc=np.mean(values), scale=np.std(values, ddof=1) / 2)
    assert astuple(interval(values)) == pytest.approx((0.3, low, high))


# ---- what changes nothing

SCORES = st.integers(2, 5).flatmap(
    lambda methods: st.lists(
        st.lists(st.integers(0, 1000), min_size=methods, max_size=methods), min_size=3, max_size=8
    ).map(lambda rows: np.array(rows, float).T / 1000)
)


@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_methods_and_seeds_changes_nothing(rows: np.ndarray, random: object) -> None:
    scores = named(rows)
    methods, seeds = list(scores), list(scores["m0"])
    random.shuffle(methods)  # type: ignore[attr-defined]
    random.shuffle(seeds)  # type: ignore[attr-defined]
    shuffled = {name: {seed: scores[name][seed] for seed in seeds} for name in methods}
    assert {c.other: c for c in contrasts(shuffled, "m0")} == {c.other: c for c in contrasts(scores, "m0")}


def test_scores_that_differ_by_rounding_are_equal() -> None:
    found = contrasts({"a": dict.fromkeys(range(9), 0.1 + 0.2), "b": dict.fromkeys(range(9), 0.3)}, "a")
    assert (found[0].difference, found[0].deviation, found[0].p) == (0, 0, 1)
    assert verdict(found, 0.1).startswith("no difference can be shown: over 9 seeds a is 0 above b (the same on all 9")


@given(SCORES)
def test_exchanged_methods_change_the_sign_alone(rows: np.ndarray) -> None:
    scores = named(rows[:2])
    one, other = contrasts(scores, "m0")[0], contrasts(scores, "m1")[0]
    assert (one.p, one.claimed, one.deviation) == (other.p, other.claimed, other.deviation)
    assert one.difference == -(other.difference or 0)
    (_, low, high), (_, _, most) = (astuple(each.interval) for each in (one, other))  # type: ignore[arg-type]
    assert low == pytest.approx(-most, abs=0.05 * (high - low))  # resampled 9999 times


# ---- few seeds, missing seeds, no spread


def test_one_method_alone_has_no_contrast() -> None:
    assert contrasts({"a": {0: 1.0}}, "a") == []
    assert verdict([], 0.1) == "nothing can be said: there is no other method to compare with"


def test_a_reference_without_scores_has_no_pairs() -> None:
    found = contrasts({"b": {0: 1.0}}, "a")[0]
    assert (found.pairs, found.difference, found.interval) == (0, None, None)
    assert (found.deviation, found.p, found.adjusted, found.claimed) == (None, None, None, False)
    assert verdict([found], 0.1).endswith("both methods have, and there are 0")


def test_two_seeds_claim_nothing_however_far_apart() -> None:
    found = contrasts({"a": {0: 1.0, 1: 1.001}, "b": {0: 0.0, 1: 0.001}}, "a")[0]
    assert (found.p, found.claimed, found.difference) == (None, False, 1.0)
    assert verdict([found], 0.1).startswith("nothing can be said: a claim takes 3 seeds")


def test_seeds_that_one_method_lacks_are_left_out_of_its_contrast_alone() -> None:
    rows = np.random.default_rng(8).normal(size=(3, 6))
    rows[0] += 9
    scores = named(rows)
    del scores["m1"][2], scores["m1"][5]
    scores["m2"] = {0: 1.0}
    first, second = contrasts(scores, "m0")
    assert first.seeds == (0, 1, 3, 4)
    assert first.adjusted == pytest.approx(2 * (first.p or 0))  # the method that is not tested counts
    assert (second.seeds, second.p) == ((0,), None)


def test_a_difference_that_never_varies_takes_four_seeds() -> None:
    """Three seeds that agree to a step do so by chance: two test images of a hundred are no proof."""
    three, four = ({"a": dict.fromkeys(range(n), 0.92), "b": dict.fromkeys(range(n), 0.9)} for n in (3, 4))
    assert not contrasts(three, "a")[0].claimed
    found = contrasts(four, "a")
    assert found[0].claimed
    assert verdict(found, 0.01, accuracy=True) == "a beats b by 2.00 points (the same on all 4 seeds)"


def test_an_interval_of_one_value_has_no_bounds() -> None:
    assert interval([0.5]) == Interval(0.5)
    assert interval([0.5, 0.5]) == Interval(0.5, 0.5, 0.5)
    values = np.random.default_rng(9).normal(size=12).tolist()
    assert interval(values) == interval(values[::-1])


def test_a_small_difference_takes_more_seeds_than_are_counted() -> None:
    assert seeds_needed(1.0, 0.01) is None
    assert [seeds_needed(deviation, 1.0) for deviation in (0.0, 1e-320, 1e-11, 1e-3)] == [3] * 4


def test_optimism_is_how_far_winners_fall_on_seeds_that_were_judged() -> None:
    chosen = {"a": {0: 0.9, 1: 0.8, 2: 1.0}, "b": {0: 0.5}, "c": {0: 0.5}}
    judged = {"a": {0: 0.7, 1: 0.7}, "b": {0: 0.6}}
    found = optimism(chosen, judged)
    assert found["a"].mean == pytest.approx(0.15)
    assert found["b"] == Interval(chosen["b"][0] - judged["b"][0])
    assert list(found) == ["a", "b"]


# ---- the verdict


def contrast(other: str, difference: float, claimed: bool, p: float = 0.04, spread: float = 0.004) -> Contrast:
    """Of five seeds, with a Student interval of ± 1.24 · spread."""
    differences = tuple(difference + spread * step for step in (-1.0, -0.5, 0.0, 0.5, 1.0))
    return Contrast("assisted", other, (0, 1, 2, 3, 4), differences, 0.79 * spread, p, p, claimed)


WON, LOST = contrast("random", 0.008, True), contrast("paper", -0.006, True)
OPEN = contrast("gp", 0.001, False, 0.5)
VERDICTS = {
    "all kinds": (
        [WON, LOST, OPEN],
        "assisted beats random by 0.80 points (95 % interval 0.41 … 1.19), loses to paper by 0.60 points"
        " (95 % interval 0.21 … 0.99), and no difference to gp can be shown; to show one of 0.5 points against gp it"
        " would take about 8 seeds",
    ),
    "it would have been seen": (
        [contrast("gp", 0.001, False, 0.5, 0.001)],
        "no difference can be shown: over 5 seeds assisted is 0.10 points above gp (95 % interval 0.00 … 0.20;"
        " p = 0.5); one of 0.5 points would have been shown with a probability of at least 80 %",
    ),
}


def test_the_verdict_in_words() -> None:
    for case in VERDICTS:
        found, sentence = VERDICTS[case]
        assert verdict(found, 0.005, accuracy=True) == sentence


def test_scores_that_are_no_accuracies_are_told_as_numbers() -> None:
    assert verdict([WON], 0.5) == "assisted beats random by 0.008 (95 % interval 0.00407 … 0.0119)"
    said = verdict([contrast("gp", 0.0, False, 1.0, 40.0)], 0.5)
    assert said.endswith("to show one of 0.5 it would take more than 1000 seeds")
