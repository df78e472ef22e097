"""The searches of Optuna, as anybody would call them: the one door to it here."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from gaopt.bench.search import Setting, Trial
from gaopt.errors import BadInput
from gaopt.space import AnyGene, Choice, Genes

NEEDED = ("optuna", "cmaes")


class Optuna:
    """A sampler of Optuna with its own defaults, but for what `_options` says."""

    def __init__(self, sampler: str, setting: Setting) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        chosen = getattr(optuna.samplers, sampler)(seed=setting.seed, **_options(sampler, setting))
        self._study = optuna.create_study(direction="maximize", sampler=chosen)
        self._failed = optuna.trial.TrialState.FAIL
        self._kinds = {name: _kind(optuna.distributions, gene) for name, gene in setting.space.items()}
        self._setting, self._asked = setting, list[Any]()

    def ask(self) -> list[Trial]:
        self._asked = [self._study.ask(self._kinds) for _ in range(self._setting.together)]
        return [Trial(_genes(asked.params), self._setting.epochs) for asked in self._asked]

    def tell(self, scores: Sequence[float]) -> None:
        for asked, score in zip(self._asked, scores, strict=True):
            self._study.tell(asked, **({"values": score} if math.isfinite(score) else {"state": self._failed}))

    def recommended(self) -> None:
        return None


def _options(sampler: str, setting: Setting) -> dict[str, Any]:
    match sampler:
        case "GPSampler":
            import torch

            torch.set_num_threads(1)  # several are slower on matrices of fifty rows
            return {"deterministic_objective": not setting.noisy}
        case "NSGAIISampler":
            return {"population_size": 10}  # with its own fifty, fifty trainings are the first, random, generation
        case _:
            return {}


def _kind(kinds: Any, gene: AnyGene) -> Any:
    if isinstance(gene, Choice):
        return kinds.CategoricalDistribution(gene.choices)
    if gene.integer:
        return kinds.IntDistribution(int(gene.low), int(gene.high), log=gene.scale == "log")
    return kinds.FloatDistribution(gene.low, gene.high, log=gene.scale == "log")


def _genes(params: dict[str, Any]) -> Genes:
    return {name: float(value) if type(value) is int else value for name, value in params.items()}


def check() -> None:
    """
    Raises:
        BadInput: Optuna is not installed.
    """
    for package in NEEDED:
        if find_spec(package) is None:
            raise BadInput(f"{package} is not installed, and Optuna's searches need it: install gaopt[bench]")
