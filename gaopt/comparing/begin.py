"""The plan of a comparison that begins: from configs, or from studies that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gaopt.comparing.methods import check, usual
from gaopt.comparing.plan import Plan
from gaopt.comparing.read import grouped, history
from gaopt.comparison import Search
from gaopt.config import PEERS, StudyConfig
from gaopt.errors import ConfigError
from gaopt.home import Home
from gaopt.objective import epochs
from gaopt.strategies import sampled


def of_configs(configs: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> Plan:
    """
    Args:
        configs: by a name the tables of each; a single one is held against the usual methods.
        given: keys of the plan that a person chose.

    Raises:
        ConfigError: the configs, or what was chosen, cannot be compared.
    """
    draft = Plan(methods=(), configs=configs)
    whole = {name: draft.config(name) for name in configs}
    _check_alike(whole)
    base = next(iter(whole.values()))
    names = given.get("methods") or (tuple(configs) if len(configs) > 1 else usual(base))
    check(names, base, configs)
    plan = replace(
        draft, configs={name: config.plain() for name, config in whole.items()}, **{**given, "methods": names}
    )
    if any(name in PEERS[:2] for name in names):
        sampled.check()
    if "ray-asha" in names and base.pool.kind != "ray":
        raise ConfigError("pool.kind is 'inline': the method 'ray-asha' needs 'ray', or leave it out of --methods")
    return replace(plan, budget=_budget(plan, base))


def of_studies(studies: Sequence[Home], given: Mapping[str, Any]) -> Plan:
    """
    Raises:
        ConfigError: there is one alone, or they cannot be compared.
        StudyError: one has no config yet.
    """
    if len(studies) < 2:
        raise ConfigError(f"there is one study alone, {studies[0].name}: name two or more, or a config")
    found = list(grouped(study.path for study in studies))
    searches = [Search(method, seed, history(study)) for method, seed, study in found]
    configs: dict[str, Any] = {}
    for search in searches:
        configs.setdefault(search.method, search.history.config)
    plan = Plan(
        methods=tuple(configs),
        configs=configs,
        studies=tuple(str(study.path.absolute()) for study in studies),
        seeds=max(seed for _, seed, _ in found) + 1,
        budget=float(max(search.epochs for search in searches)),
        **given,
    )
    _check_alike({name: plan.config(name) for name in configs})
    return plan


def _budget(plan: Plan, base: StudyConfig) -> float:
    """As chosen, or that of the trainings of the config.

    Raises:
        ConfigError: there is none, or it does not pay for a training.
    """
    if plan.cost == "seconds":
        if not plan.budget:
            raise ConfigError(
                "--cost is seconds, and --budget is not given: name the seconds of training of each search"
            )
        return plan.budget
    whole = epochs(base)
    budget = plan.budget or float(whole * sum(base.litters))
    if budget % 1 or budget < whole:
        raise ConfigError(
            f"--budget is {budget:g}: must be a whole number of epochs, at least the {whole} of a training"
        )
    return budget


def _check_alike(configs: Mapping[str, StudyConfig]) -> None:
    (first, own), *others = configs.items()
    for name, config in others:
        for what, mine, theirs in (
            ("study.objective", config.objective, own.objective),
            ("[data]", config.settings.get("data"), own.settings.get("data")),
        ):
            if mine != theirs:
                raise ConfigError(f"{name} and {first} differ in {what}: their scores cannot be compared")
