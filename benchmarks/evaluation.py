"""What an evaluation costs beyond its training: gaopt on Ray and inline, beside Ray Tune and Optuna.

`python -m benchmarks.evaluation [--samples 200] [WAY …]` runs a search of so many evaluations that cost nothing, each
way in a process of its own, and prints milliseconds per evaluation without the start. All lie on the same disk.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gaopt import Gene, Genetic, PoolConfig, Space, StudyConfig
from tests.conftest import ROOT

os.environ.setdefault("RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS", "0")
GENES = {"lr": Gene(1e-6, 1e-2, "log"), "wd": Gene(0.0, 0.1), "mom": Gene(0.1, 1.5)}
FIRST = 10
"""Evaluations left out: workers start in them."""


def gaopt_on(kind: str, strategy: str) -> Callable[[Path, int], list[float]]:
    def search(folder: Path, samples: int) -> list[float]:
        from gaopt.journal.events import Scored
        from gaopt.journal.history import History
        from gaopt.study.loop import run

        ends: list[float] = []

        def watch(history: History, event: object) -> None:
            if isinstance(event, Scored):
                ends.append(time.perf_counter())

        generations = 2 + samples // 5
        genetic = Genetic(population=10, generations=generations)
        pool = PoolConfig(kind=kind, dashboard=False)
        config = StudyConfig(
            Space(**GENES), "gaopt.objectives.toy:valley", strategy=strategy, genetic=genetic, pool=pool
        )
        run(config, folder / "study", watch=watch)
        return ends[:samples]

    return search


def tune(reuse: bool) -> Callable[[Path, int], list[float]]:
    def search(folder: Path, samples: int) -> list[float]:
        import ray
        from ray import tune

        ends: list[float] = []

        class Times(tune.Callback):
            def on_trial_complete(self, iteration: int, trials: object, trial: object, **info: object) -> None:
                ends.append(time.perf_counter())

        class Valley(tune.Trainable):
            def step(self) -> dict[str, object]:
                return {"score": -(self.config["x"] ** 2), "done": True}

            def reset_config(self, new_config: dict[str, float]) -> bool:
                return True

        def function(config: dict[str, float]) -> None:
            tune.report({"score": -(config["x"] ** 2)})

        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        tune.Tuner(
            Valley if reuse else function,
            param_space={"x": tune.uniform(-1, 1)},
            tune_config=tune.TuneConfig(num_samples=samples, reuse_actors=reuse, metric="score", mode="max"),
            run_config=tune.RunConfig(storage_path=str(folder), verbose=0, callbacks=[Times()]),
        ).fit()
        return ends

    return search


def optuna_in(storage: str) -> Callable[[Path, int], list[float]]:
    def search(folder: Path, samples: int) -> list[float]:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        ends: list[float] = []

        def objective(trial: optuna.Trial) -> float:
            return -(trial.suggest_float("x", -1, 1) ** 2)

        where = (
            f"sqlite:///{folder}/optuna.db"
            if storage == "sqlite"
            else JournalStorage(JournalFileBackend(f"{folder}/log"))
        )
        study = optuna.create_study(storage=where, sampler=optuna.samplers.RandomSampler(seed=0))
        study.optimize(objective, samples, callbacks=[lambda study, trial: ends.append(time.perf_counter())])
        return ends

    return search


WAYS = {
    "gaopt on Ray, genetic": gaopt_on("ray", "genetic"),
    "gaopt inline, genetic": gaopt_on("inline", "genetic"),
    "gaopt inline, random": gaopt_on("inline", "random"),
    "Ray Tune": tune(reuse=False),
    "Ray Tune, reuse_actors=True": tune(reuse=True),
    "Optuna, SQLite": optuna_in("sqlite"),
    "Optuna, journal file": optuna_in("journal"),
}


def cost(name: str, samples: int, folder: Path) -> float:
    """Milliseconds per evaluation after the first ones, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.evaluation", "--samples", str(samples), "--in", str(folder), name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def table(names: list[str], samples: int, runs: int) -> list[str]:
    """A Markdown table, a row per way."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(runs):
        for name in names:
            with tempfile.TemporaryDirectory(dir=ROOT / "results") as folder:
                found[name].append(cost(name, samples, Path(folder)))
    lines = [f"| {samples} evaluations | ms per evaluation |", "|---|--:|"]
    for name, costs in found.items():
        lines.append(f"| {name} | {statistics.median(costs):.1f} ({min(costs):.1f}–{max(costs):.1f}) |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ways", nargs="*", default=list(WAYS))
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--in", dest="folder", type=Path)
    given = parser.parse_args()
    if given.folder:
        ends = WAYS[given.ways[0]](given.folder, given.samples)
        print((ends[-1] - ends[FIRST]) / (len(ends) - 1 - FIRST) * 1e3)
    else:
        print("\n".join(table(given.ways, given.samples, given.runs)))


if __name__ == "__main__":
    main()
