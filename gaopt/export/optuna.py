"""A study for Optuna (Akiba and others, *Optuna*, 2019): an SQLite file that it and its dashboard open."""

import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from gaopt.export.place import database
from gaopt.export.trials import Trial, Trials
from gaopt.space.gene import AnyGene, Choice
from gaopt.strategies.optuna import kind, quiet

Distributions = dict[str, BaseDistribution]


def write(study: Trials, folder: Path) -> None:
    """Write optuna.db: one study with the name of ours, whose trials have the numbers of our individuals."""
    each = [trial.individual.genes for trial in study.trials]
    kinds = {n: distribution(gene, [genes[n] for genes in each if n in genes]) for n, gene in study.space.items()}
    constrained = not all(trial.candidate for trial in study.trials)
    with quiet(), database(folder / "optuna.db", optuna.storages.RDBStorage) as storage:
        written = optuna.create_study(
            storage=storage, study_name=study.name, direction="maximize" if study.history.sign > 0 else "minimize"
        )
        for key, value in study.about.items():
            written.set_user_attr(key, value)
        for trial in study.trials:
            written.add_trial(_frozen(trial, kinds, constrained))
        storage.remove_session()


def _frozen(trial: Trial, kinds: Distributions, constrained: bool) -> FrozenTrial:
    params = {name: _value(kinds[name], value) for name, value in trial.individual.genes.items()}
    waiting, over = trial.state == "WAITING", trial.state in ("COMPLETE", "PRUNED", "FAIL")
    system: dict[str, Any] = {"fixed_params": params} if waiting else {}  # as Optuna's enqueue_trial has it
    if constrained and trial.state == "COMPLETE":
        # Above 0 is infeasible: it keeps its value and is not the best. As a list, the dashboard reads it too.
        system["constraints"] = [0.0 if trial.candidate else 1.0]
    return FrozenTrial(
        number=trial.individual.id,
        trial_id=trial.individual.id,
        state=TrialState[trial.state],
        value=trial.value,
        datetime_start=None if waiting else _time(trial.started or trial.ended),
        datetime_complete=_time(trial.ended) if over else None,
        params={} if waiting else params,
        distributions={} if waiting else {name: kinds[name] for name in params},
        user_attrs=trial.known,
        system_attrs=system,
        intermediate_values={} if waiting else trial.curve,
    )


def _time(seconds: float | None) -> datetime:
    """Local and without a zone, as Optuna's own."""
    return datetime.fromtimestamp(seconds or 0.0)


def distribution(gene: AnyGene, values: Sequence[Any]) -> BaseDistribution:
    """A gene as Optuna has it, wide enough for the values that it had: those given by hand may lie outside."""
    if isinstance(gene, Choice):
        return CategoricalDistribution((*gene.choices, *(value for value in values if value not in gene.choices)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a range that ends between two steps is cut to the last of them, as ours is
        found: BaseDistribution = kind(gene)
    if all(map(found._contains, values)):
        return found
    low, high = min([gene.low, *values]), max([gene.high, *values])
    log = gene.scale == "log" and low > 0
    if gene.integer and all(value % 1 == 0 for value in values):
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)


def _value(found: BaseDistribution, value: Any) -> Any:
    return int(value) if isinstance(found, IntDistribution) else value
