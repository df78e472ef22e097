"""The searches of Optuna, as anybody would call them: the one door to it here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from benchmarks.search.search import Setting, Trial
from gaopt.errors import BadInput
from gaopt.search.optuna import kind, quiet, sampler

NEEDED = ("optuna", "cmaes")


class Optuna:
    """A sampler of Optuna with its own defaults, but for what `_options` says."""

    def __init__(self, name: str, setting: Setting) -> None:
        import optuna

        with quiet():
            chosen = sampler(name, setting.seed, **_options(name, setting))
            self._study = optuna.create_study(direction="maximize", sampler=chosen)
        self._failed = optuna.trial.TrialState.FAIL
        self._kinds = {name: kind(gene) for name, gene in setting.space.items()}
        self._setting, self._asked = setting, list[Any]()

    def ask(self) -> list[Trial]:
        self._asked = [self._study.ask(self._kinds) for _ in range(self._setting.together)]
        return [Trial(asked.params, self._setting.epochs) for asked in self._asked]

    def tell(self, scores: Sequence[float]) -> None:
        for asked, score in zip(self._asked, scores, strict=True):
            self._study.tell(asked, **({"values": score} if math.isfinite(score) else {"state": self._failed}))

    def recommended(self) -> None:
        return None


def _options(sampler: str, setting: Setting) -> dict[str, Any]:
    match sampler:
        case "GPSampler":
            return {"deterministic_objective": not setting.noisy}
        case "NSGAIISampler":
            return {"population_size": 10}  # with its own fifty, fifty trainings are the first, random, generation
        case _:
            return {}


def check() -> None:
    """
    Raises:
        BadInput: Optuna is not installed.
    """
    for package in NEEDED:
        if find_spec(package) is None:
            raise BadInput(f"{package} is not installed, and Optuna's searches need it: install gaopt[bench]")
