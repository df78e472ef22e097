"""What drives a peer in an environment of its own: `python adapters.py NAME`, and no module of gaopt.

It reads lines of JSON and answers each with one: {"genes": [[name, low, high, log, integer], …], "seed": …,
"evaluations": …, "noisy": …} begins a run, {"ask": 5} is answered with {"asked": [genes, …]}, {"tell": [score, …]} has
their scores in percent, null for a failure. Every answer has the seconds of computing time, or the error. Each search
is told what it wants of a failure, and has its library's own defaults but for what its class says.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

Genes = dict[str, float]


class Gene(NamedTuple):
    name: str
    low: float
    high: float
    log: bool
    integer: bool

    @property
    def type(self) -> str:
        return "int" if self.integer else "float"


@dataclass
class Setting:
    """As `benchmarks.search.protocol.Setting` has it."""

    genes: list[Gene]
    seed: int
    evaluations: int
    noisy: bool


class Ax:
    """Ax's `Client`: Sobol points, with the middle for the first, then qLogNEI on BoTorch's Gaussian process."""

    def __init__(self, setting: Setting) -> None:
        from ax.api.client import Client
        from ax.api.configs import RangeParameterConfig

        self._client = Client(random_seed=setting.seed)
        self._client.configure_experiment(
            [
                RangeParameterConfig(
                    name=gene.name,
                    bounds=(gene.low, gene.high),
                    parameter_type=gene.type,
                    scaling="log" if gene.log else "linear",
                )
                for gene in setting.genes
            ]
        )
        self._client.configure_optimization("score")

    def ask(self, count: int) -> list[Genes]:
        self._asked = self._client.get_next_trials(count)
        return list(self._asked.values())

    def tell(self, scores: list[float | None]) -> None:
        for index, score in zip(self._asked, scores, strict=True):
            if score is None:
                self._client.mark_trial_failed(index)
            else:
                self._client.complete_trial(index, {"score": score})


class Vizier:
    """Vizier's GP-UCB-PE, its default algorithm: the middle, quasi-random points, then a Gaussian process."""

    def __init__(self, setting: Setting) -> None:
        import jax
        from vizier import pyvizier
        from vizier._src.algorithms.designers.gp_ucb_pe import VizierGPUCBPEBandit

        jax.config.update("jax_enable_x64", True)  # as Vizier's own service does
        problem = pyvizier.ProblemStatement()
        for gene in setting.genes:
            scale = pyvizier.ScaleType.LOG if gene.log else pyvizier.ScaleType.LINEAR
            low, high = (int(gene.low), int(gene.high)) if gene.integer else (gene.low, gene.high)
            add = getattr(problem.search_space.root, f"add_{gene.type}_param")
            add(gene.name, low, high, scale_type=scale)
        goal = pyvizier.ObjectiveMetricGoal.MAXIMIZE
        problem.metric_information.append(pyvizier.MetricInformation("score", goal=goal))
        self._designer = VizierGPUCBPEBandit(problem, rng=jax.random.PRNGKey(setting.seed))
        self._asked, self._count = list[Any](), 0

    def ask(self, count: int) -> list[Genes]:
        self._asked = [
            suggestion.to_trial(self._count + number)
            for number, suggestion in enumerate(self._designer.suggest(count), 1)
        ]
        self._count += len(self._asked)
        return [trial.parameters.as_dict() for trial in self._asked]

    def tell(self, scores: list[float | None]) -> None:
        from vizier import algorithms, pyvizier

        for trial, score in zip(self._asked, scores, strict=True):
            if score is None:
                trial.complete(pyvizier.Measurement(), infeasibility_reason="the training failed")
            else:
                trial.complete(pyvizier.Measurement({"score": score}))
        self._designer.update(algorithms.CompletedTrials(self._asked), algorithms.ActiveTrials())


class Hebo:
    """HEBO: Sobol points, then MACE on a Gaussian process with warped inputs and outputs; it drops failures."""

    def __init__(self, setting: Setting) -> None:
        import numpy as np
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        np.random.seed(setting.seed)
        torch.manual_seed(setting.seed)
        kinds = {(False, False): "num", (True, False): "pow", (False, True): "int", (True, True): "pow_int"}
        space = [
            {"name": gene.name, "type": kinds[gene.log, gene.integer], "lb": gene.low, "ub": gene.high}
            for gene in setting.genes
        ]
        self._optimizer = HEBO(DesignSpace().parse(space), scramble_seed=setting.seed)

    def ask(self, count: int) -> list[Genes]:
        self._asked = self._optimizer.suggest(n_suggestions=count)
        return self._asked.to_dict("records")

    def tell(self, scores: list[float | None]) -> None:
        import numpy as np

        self._optimizer.observe(self._asked, np.array([[np.nan if score is None else -score] for score in scores]))


class Smac:
    """SMAC3's facade for hyperparameters: Sobol points, a quarter of all, then log EI on a random forest."""

    def __init__(self, setting: Setting) -> None:
        from ConfigSpace import ConfigurationSpace, Float, Integer
        from smac import HyperparameterOptimizationFacade, Scenario

        space = ConfigurationSpace(seed=setting.seed)
        for gene in setting.genes:
            kind = Integer if gene.integer else Float
            low, high = (int(gene.low), int(gene.high)) if gene.integer else (gene.low, gene.high)
            space.add(kind(gene.name, (low, high), log=gene.log))
        scenario = Scenario(
            space,
            deterministic=not setting.noisy,
            n_trials=setting.evaluations,
            seed=setting.seed,
            output_directory=tempfile.mkdtemp(),
        )
        self._facade = HyperparameterOptimizationFacade(scenario, lambda config, seed: 0.0, logging_level=False)

    def ask(self, count: int) -> list[Genes]:
        self._asked = [self._facade.ask() for _ in range(count)]
        return [dict(asked.config) for asked in self._asked]

    def tell(self, scores: list[float | None]) -> None:
        from smac.runhistory import StatusType, TrialValue

        for asked, score in zip(self._asked, scores, strict=True):
            failed = TrialValue(cost=1.0, status=StatusType.CRASHED)
            self._facade.tell(asked, failed if score is None else TrialValue(cost=1 - score / 100))


class SyneTune:
    """Syne Tune's CQR: five random points, then samples of quantiles that gradient-boosted trees predict."""

    def __init__(self, setting: Setting) -> None:
        from syne_tune import config_space
        from syne_tune.optimizer.baselines import CQR
        from syne_tune.optimizer.schedulers.ask_tell_scheduler import AskTellScheduler

        kinds = {(False, False): "uniform", (True, False): "loguniform", (False, True): "randint"}
        kinds[True, True] = "lograndint"
        space = {
            gene.name: getattr(config_space, kinds[gene.log, gene.integer])(gene.low, gene.high)
            for gene in setting.genes
        }
        self._scheduler = AskTellScheduler(CQR(space, "score", do_minimize=False, random_seed=setting.seed))

    def ask(self, count: int) -> list[Genes]:
        self._asked = [self._scheduler.ask() for _ in range(count)]
        return [trial.config for trial in self._asked]

    def tell(self, scores: list[float | None]) -> None:
        for trial, score in zip(self._asked, scores, strict=True):
            if score is None:
                self._scheduler.base_scheduler.on_trial_error(trial)
            else:
                self._scheduler.tell(trial, {"score": score})


ADAPTERS = {"ax": Ax, "vizier": Vizier, "hebo": Hebo, "smac": Smac, "syne-tune": SyneTune}


def serve(adapter: type[Any]) -> None:
    """Answer until there is nothing more to read."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    search = None
    for line in sys.stdin:
        start, said = time.process_time(), json.loads(line)
        try:
            if "genes" in said:
                search = adapter(setting(said))
            answer = {"asked": search.ask(said["ask"]) if "ask" in said else None}
            if "tell" in said:
                search.tell(said["tell"])
        except Exception:
            answer = {"error": traceback.format_exc()}
        plain = json.dumps(answer | {"seconds": time.process_time() - start}, default=float)  # of NumPy's numbers
        print(plain, file=answers, flush=True)


def setting(said: dict[str, Any]) -> Setting:
    said["genes"] = [Gene(*gene) for gene in said["genes"]]
    said["seed"] %= 2**31  # NumPy's, PyTorch's and that of SMAC's forest
    random.seed(said["seed"])
    return Setting(**said)


if __name__ == "__main__":
    serve(ADAPTERS[sys.argv[1]])
