"""The search in the loops of others: as a sampler of Optuna, as a searcher of Ray Tune."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gaopt import Gene, Space, Told, ask
from gaopt.errors import ConfigError
from tests.conftest import ROOT

optuna = pytest.importorskip("optuna", reason="Optuna is not installed (the extra gaopt[optuna])")
from optuna.distributions import (  # noqa: E402
    BaseDistribution,
    FloatDistribution,
)
from optuna.testing import pytest_samplers as suite  # noqa: E402

from gaopt.integrations.optuna import GaoptSampler  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.ERROR)


def study(seed: int = 0, direction: str = "minimize", **options: Any) -> Any:
    return optuna.create_study(direction=direction, sampler=GaoptSampler(seed=seed, **options))


def bowl(trial: Any) -> float:
    x, rate = trial.suggest_float("x", -5, 5), trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    return float((x - 1.7) ** 2 + (math.log10(rate) + 3) ** 2 + (trial.suggest_int("layers", 1, 9) - 4) ** 2 / 4)


def params(done: Any) -> list[dict[str, Any]]:
    return [trial.params for trial in done.trials]


# Optuna


class TestOptunasOwnSuite(suite.RelativeSamplerTestCase, suite.BasicSamplerTestCase, suite.SingleOnlySamplerTestCase):
    """What Optuna ships for whoever writes a sampler; among it forty spaces, and a model for each: a minute."""

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
