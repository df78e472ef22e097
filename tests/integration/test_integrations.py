"""The search in the loops of others: as a sampler of Optuna, as a searcher of Ray Tune."""

from __future__ import annotations

import doctest
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaopt import Choice, Gene, Space, Told, ask
from gaopt.errors import ConfigError
from gaopt.integrations import axis
from tests.conftest import ROOT

optuna = pytest.importorskip("optuna", reason="Optuna is not installed (the extra gaopt[optuna])")
from optuna.distributions import (  # noqa: E402
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.testing import pytest_samplers as suite  # noqa: E402
from optuna.trial import TrialState  # noqa: E402
from ray import tune  # noqa: E402

import gaopt.integrations.optuna as for_optuna  # noqa: E402
from gaopt.integrations.optuna import GaoptSampler  # noqa: E402
from gaopt.integrations.tune import GaoptSearch  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.ERROR)


def study(seed: int = 0, direction: str = "minimize", **options: Any) -> Any:
    return optuna.create_study(direction=direction, sampler=GaoptSampler(seed=seed, **options))


def bowl(trial: Any) -> float:
    x, rate = trial.suggest_float("x", -5, 5), trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    return float((x - 1.7) ** 2 + (math.log10(rate) + 3) ** 2 + (trial.suggest_int("layers", 1, 9) - 4) ** 2 / 4)


def params(done: Any) -> list[dict[str, Any]]:
    return [trial.params for trial in done.trials]


@pytest.mark.parametrize("module", [axis, for_optuna])
def test_the_examples_of_the_docstrings_run(module: Any) -> None:
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


# Optuna


class TestOptunasOwnSuite(suite.BasicSamplerTestCase, suite.SingleOnlySamplerTestCase):
    """What Optuna ships for whoever writes a sampler."""

    @pytest.fixture
    def sampler(self) -> Any:
        return lambda: GaoptSampler(seed=0)


def test_a_study_of_thirty_trials_comes_near_whatever_its_direction() -> None:
    found = study()
    found.optimize(bowl, n_trials=30)
    assert found.best_value < 0.05
    found = study(direction="maximize")
    found.optimize(lambda trial: -bowl(trial), n_trials=25)
    assert found.best_value > -0.1


def test_the_same_seed_and_study_give_the_same_trials_in_one_run_or_two() -> None:
    whole, halves, other = study(), study(), study(seed=1)
    whole.optimize(bowl, n_trials=16)
    other.optimize(bowl, n_trials=16)
    halves.optimize(bowl, n_trials=7)
    halves.sampler = GaoptSampler(seed=0)  # as in another process
    halves.sampler.reseed_rng()
    halves.optimize(bowl, n_trials=9)
    assert params(whole) == params(halves) != params(other)


KINDS: list[BaseDistribution] = [
    FloatDistribution(-3.0, 3.0),
    FloatDistribution(-0.1, 0.2),
    FloatDistribution(1e6, 1e6 + 1e-3),
    FloatDistribution(1e-8, 1e3, log=True),
    FloatDistribution(1000.001, 1000.9, step=0.001),
    FloatDistribution(0.0, 0.9, step=0.3),
    IntDistribution(-7, 20),
    IntDistribution(3, 51, step=4),
    IntDistribution(1, 1000, log=True),
    IntDistribution(10**15, 10**15 + 9),
    CategoricalDistribution([None, True, "a", 2, 0.5, float("nan")]),
    CategoricalDistribution(["alone"]),
    FloatDistribution(2.0, 2.0),
    IntDistribution(5, 5, step=4),
]


def test_every_value_of_a_gene_is_one_of_the_distribution_and_back() -> None:
    for distribution in KINDS:
        own = for_optuna.axis(distribution)
        for step in range(201):
            gene = own.gene.at(step / 200)
            value = for_optuna._external(distribution, own, gene)  # type: ignore[arg-type]
            internal = distribution.to_internal_repr(value)
            assert distribution._contains(internal)
            assert type(value) is type(distribution.to_external_repr(internal))
            known = own.gene.check(own.told(internal))
            assert own.gene.unit(known) == pytest.approx(own.gene.unit(gene), abs=1e-5)  # type: ignore[arg-type]


def test_a_range_that_no_float_holds_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"the range .* is too wide: its width must be finite"):
        for_optuna.axis(FloatDistribution(-1e308, 1e308))


def test_pruned_trials_are_told_as_no_better_than_the_median() -> None:
    done = study(direction="maximize")
    for value in (1.0, 2.0, 3.0, math.inf):
        done.add_trial(optuna.trial.create_trial(value=value))
    states = [({}, TrialState.PRUNED), ({3: 9.0, 1: 0.0}, TrialState.PRUNED), ({1: -9.0}, TrialState.PRUNED)]
    states += [({1: math.nan}, TrialState.PRUNED), ({1: 5.0}, TrialState.FAIL)]
    trials = [optuna.trial.create_trial(state=state, intermediate_values=seen) for seen, state in states]
    told = [for_optuna._fitness(trial, done) for trial in trials]
    assert told[:3] == [None, 2.0, -9.0]
    assert math.isnan(told[3] or 0.0)
    assert told[4] is None


def test_trials_that_run_are_pending() -> None:
    space: dict[str, BaseDistribution] = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)}
    for done in (4, 12):
        found = study()
        for _ in range(done):
            trial = found.ask(space)
            found.tell(trial, (trial.params["x"] - 0.3) ** 2 + trial.params["y"])
        asked = [found.ask(space).params for _ in range(4)]
        told = [Told(trial.params, None if trial.value is None else -trial.value) for trial in found.trials[:done]]
        told += [Told(genes) for genes in asked[:3]]
        assert ask(told, Space(x=Gene(0, 1), y=Gene(0, 1))) == [asked[3]]


def test_trials_given_by_hand_are_known() -> None:
    found = study()
    found.enqueue_trial({"x": 1.7, "rate": 1e-3, "layers": 4})
    found.enqueue_trial({"rate": 1e-2})
    found.optimize(bowl, n_trials=14)
    assert params(found)[0] == {"x": 1.7, "rate": 1e-3, "layers": 4}
    assert params(found)[1]["rate"] == 1e-2
    assert found.best_value == pytest.approx(0.0, abs=1e-9)


def test_several_objectives_are_refused() -> None:
    found = optuna.create_study(directions=["minimize", "maximize"], sampler=GaoptSampler(seed=0))
    with pytest.raises(ConfigError, match="the study has 2 objectives"):
        found.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 0.0), n_trials=1)


def test_options_of_the_sampler_are_checked_at_once() -> None:
    for options in [{"seed": -1}, {"population": 1}, {"strategy": "tpe"}, {"seed": 0.5}, {"population": 10_000}]:
        with pytest.raises(ConfigError, match="must be"):
            GaoptSampler(**options)


# Ray Tune

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


def test_a_search_of_thirty_trials_comes_near() -> None:
    search, best = GaoptSearch(None, seed=1), math.inf
    assert search.set_search_properties("score", "max", {"x": tune.uniform(-5, 5), "y": tune.uniform(0, 1)})
    for number in range(30):
        config = search.suggest(str(number))
        value = (config["x"] - 1) ** 2 + config["y"]
        search.on_trial_complete(str(number), {"score": -value})
        best = min(best, value)
    assert best < 0.02


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


def test_a_metric_is_a_number() -> None:
    search = GaoptSearch(SPACE, "loss", "min")
    search.suggest("0")
    for value in ("good", True, [1.0]):
        with pytest.raises(ConfigError, match=r"the metric 'loss' is .*: must be a number"):
            search.on_trial_complete("0", {"loss": value})
    search.on_trial_complete("0", {"loss": np.float32(0.5)})


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
        ({"x": tune.qlograndint(1, 10, 2)}, "in steps of 2: must be"),
        ({"x": tune.sample_from(lambda _: 1)}, "the parameter 'x' is a Function"),
        ({"x": tune.grid_search([1, 2])}, "the parameter 'x' is a grid search: must be a range, or tune.choice"),
        ({"x": tune.choice([tune.uniform(0, 1), 2])}, "a choice among plain values"),
        ({"x": 3}, "the search space has no parameters"),
        ([1, 2], r"the space is \[1, 2\]: must be a gaopt.Space or a search space of Tune"),
    ]:
        with pytest.raises(ConfigError, match=sentence) as raised:
            GaoptSearch(space, "loss", "min")
        assert "\n" not in str(raised.value)


def test_bad_arguments_are_refused() -> None:
    for arguments, sentence in (
        ({"mode": "best"}, "the mode is 'best': must be 'min' or 'max'"),
        ({"metric": ["a", "b"], "mode": "min"}, "the metric is .* must be one name"),
        ({"strategy": "tpe"}, "the strategy is 'tpe'"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            GaoptSearch(SPACE, **arguments)
    with pytest.raises(ConfigError, match="the search has no metric"):
        GaoptSearch(SPACE).suggest("0")


# The document


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "integrations.md").read_text("utf-8"), re.S)


def test_the_examples_of_the_document_run() -> None:
    loop, in_optuna, _ = examples()
    found: dict[str, Any] = {}
    exec(loop, found)
    assert found["best"].fitness > -0.001
    exec(in_optuna, found)
    assert found["study"].best_value < 0.05


@pytest.mark.slow
def test_a_tuner_runs_the_example_of_the_document(tmp_path: Path) -> None:
    code = f"""
import ray
ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
{examples()[2].replace("num_samples=30", "num_samples=2")}
print("done", len(results), results.num_errors, results.get_best_result().config["net"]["bias"], results[0].path)
"""
    # In Ray's default folder, which lies in the home.
    own = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=own, capture_output=True, text=True, timeout=300)
    assert f"done 2 0 True {tmp_path}" in done.stdout, done.stderr
    assert list(tmp_path.rglob("searcher-state-*"))
