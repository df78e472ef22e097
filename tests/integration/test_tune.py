"""The search in the loops of Ray Tune, as its searcher."""

import math
from pathlib import Path
from typing import Any

import pytest
from ray import tune

from gaopt import Choice, Gene, Space, Told, ask
from gaopt.errors import ConfigError
from gaopt.integrations.tune import GaoptSearch

SPACE = {
    "x": tune.uniform(-1.0, 1.0),
    "rate": tune.loguniform(1e-5, 1e-1),
    "net": {"width": tune.quniform(0.1, 0.7, 0.2 - 0.1), "layers": tune.randint(1, 5), "bias": True},
    "batch": tune.lograndint(1, 257),
    "even": tune.qrandint(3, 9, 2),
    "act": tune.choice(["relu", None, [1, 2], {"slope": 0.1}]),
    "sizes": [8, 16],
}


def loss(config: dict[str, Any]) -> float:
    return float((config["x"] - 0.3) ** 2 + (math.log10(config["rate"]) + 3) ** 2 + (config["act"] != "relu"))


def driven(search: Any, trials: int, first: int = 0) -> list[dict[str, Any]]:
    """One after another, as Tune would."""
    configs = []
    for number in range(first, first + trials):
        config = search.suggest(str(number))
        search.on_trial_complete(str(number), {"loss": loss(config)})
        configs.append(config)
    return configs


def test_every_kind_of_parameter_is_suggested_as_tune_means_it() -> None:
    search = GaoptSearch(SPACE, "loss", "min", strategy="random")
    configs = driven(search, 80)
    for config in configs:
        assert -1 <= config["x"] <= 1
        assert 1e-5 <= config["rate"] <= 1e-1
        assert config["act"] in ["relu", None, [1, 2], {"slope": 0.1}]
        assert config["sizes"] == [8, 16]
        assert config["net"]["bias"] is True
    assert {type(config[name]) for config in configs for name in ("even", "batch")} == {int}
    assert {config["even"] for config in configs} == {4, 6, 8}
    assert {config["net"]["layers"] for config in configs} == {1, 2, 3, 4}
    assert {round(10 * config["net"]["width"], 9) for config in configs} == {1, 2, 3, 4, 5, 6, 7}
    assert 1 <= min(config["batch"] for config in configs) < 4 < 128 < max(config["batch"] for config in configs) < 257
    assert isinstance(SPACE["x"], tune.search.sample.Domain)  # what was given stays as it was


def test_the_same_seed_and_results_give_the_same_suggestions() -> None:
    assert driven(GaoptSearch(SPACE, "loss", "min"), 14) == driven(GaoptSearch(SPACE, "loss", "min"), 14)
    assert driven(GaoptSearch(SPACE, "loss", "min", seed=1), 1) != driven(GaoptSearch(SPACE, "loss", "min"), 1)


def test_a_space_of_gaopt_is_suggested_as_its_genes() -> None:
    space = Space(kind=Choice(("a", "b")), x=Gene(0, 1, when="kind == 'a'"))
    search = GaoptSearch(space, "loss", "min")
    asked = [search.suggest(str(number)) for number in range(12)]
    assert asked == [genes for genes in asked if space.check(genes) == genes]
    assert search.set_search_properties(None, None, {"constant": 3})
    assert not search.set_search_properties(None, None, {"x": tune.uniform(0, 1)})


def test_what_runs_is_pending_and_what_fails_is_a_failure() -> None:
    search, plane = GaoptSearch(Space(x=Gene(0, 1)), "loss", "max"), Space(x=Gene(0, 1))
    results: list[tuple[dict[str, float] | None, bool, Any]] = [
        ({"loss": 2.0}, False, 2.0),
        (None, True, None),
        ({"loss": 3.0}, True, None),
        ({"other": 1.0}, False, None),
        ({"loss": math.nan}, False, None),
    ]
    told = []
    for number, (result, error, fitness) in enumerate(results):
        told.append(Told(search.suggest(str(number)), fitness))
        search.on_trial_complete(str(number), result, error)
    told.append(Told(search.suggest("runs")))
    search.suggest("called off")
    search.on_trial_complete("called off")
    search.on_trial_complete("never heard of", {"loss": 1.0})
    assert search.suggest("next") == ask(told, plane)[0]


def test_a_search_that_is_saved_and_restored_goes_on_as_if_it_never_stopped(tmp_path: Path) -> None:
    whole, half = GaoptSearch(SPACE, "loss", "min"), GaoptSearch(SPACE, "loss", "min")
    for search in (whole, half):
        driven(search, 10)
        search.on_trial_complete("failed", None, error=bool(search.suggest("failed")))
        search.suggest("running")
        search.on_trial_complete("odd", {"loss": math.inf} if search.suggest("odd") else None)
    half.save_to_dir(str(tmp_path), "session")
    back = GaoptSearch(SPACE, "loss", "min")
    back.restore_from_dir(str(tmp_path))
    for search in (whole, back):
        search.on_trial_complete("running", {"loss": 0.5})
    assert driven(back, 3, 20) == driven(whole, 3, 20)


def test_what_is_no_search_space_is_refused() -> None:
    for space, sentence in [
        ({"a": {"b": tune.randn(0, 1)}}, "the parameter 'a/b' is a Float drawn by _?Normal: must be uniform"),
        ({"x": tune.qloguniform(1e-2, 1, 1e-2)}, "drawn by _?LogUniform in steps of 0.01: must be"),
        ({"x": tune.sample_from(lambda _: 1)}, "the parameter 'x' is a Function"),
        ({"x": tune.grid_search([1, 2])}, "the parameter 'x' is a grid search: must be a range, or tune.choice"),
        ({"x": tune.choice([tune.uniform(0, 1), 2])}, "a choice among plain values"),
        ({"x": 3}, "the search space has no parameters"),
    ]:
        with pytest.raises(ConfigError, match=sentence) as raised:
            GaoptSearch(space, "loss", "min")
        assert "\n" not in str(raised.value)
