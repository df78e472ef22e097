"""The plan of a comparison that begins: from configs, or from studies that are there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gaopt.compare.methods import BASELINES, LIMIT, Methods, check, usual
from gaopt.compare.model import SearchRun
from gaopt.compare.plan import Plan
from gaopt.compare.read import grouped, history
from gaopt.config import StudyConfig, check_unused_keys
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import epochs
from gaopt.strategies.registry import strategy
from gaopt.study.prepare import recalled


def of_configs(configs: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> Plan:
    """The plan of configs, by name, and what a person chose of it (`given`); a BadInput where it cannot be compared."""
    whole = {name: Plan(methods=(), configs=configs).config(name) for name in configs}
    _check_alike(whole)
    base = next(iter(whole.values()))
    names = given.get("methods") or (tuple(configs) if len(configs) > 1 else usual(base))
    check(names, base, configs)
    plan = Plan(configs={name: config.plain() for name, config in whole.items()}, **{**given, "methods": names})
    plan = replace(plan, budget=_budget(plan, base))
    for name in names:
        _check_search(name, Methods(plan))
    return plan


def _check_search(method: str, methods: Methods) -> None:
    """What can be known of a search before it is run; baselines are looked for when their turn comes."""
    if method in BASELINES:
        return
    config = methods.configured(method, 0)
    check_unused_keys(config)
    if config.strategy != "ray-asha":
        strategy(config)
    elif config.pool.kind != "ray":
        raise ConfigError("pool.kind is 'inline': the method 'ray-asha' needs 'ray', or leave it out of --methods")
    recalled(config)


def of_studies(studies: Sequence[StudyDir], given: Mapping[str, Any]) -> Plan:
    """The plan of studies that are there; a BadInput where they cannot be compared."""
    if len(studies) < 2:
        raise ConfigError(f"there is one study alone, {studies[0].name}: name two or more, or a config")
    found = [(method, seed, study, history(study)) for method, seed, study in grouped(each.path for each in studies)]
    configs: dict[str, Any] = {}
    for method, _, study, trained in found:
        if not trained.finished:
            raise StudyError(f"the study {study.name} is not finished: go on with 'gaopt resume {study.name}' first")
        configs.setdefault(method, trained.config)
    plan = Plan(
        methods=tuple(configs),
        configs=configs,
        studies=tuple(str(study.path.absolute()) for study in studies),
        seeds=len({seed for _, seed, _, _ in found}),
        budget=float(max(SearchRun(method, seed, trained).epochs for method, seed, _, trained in found)),
        **given,
    )
    _check_alike({name: plan.config(name) for name in configs})
    return plan


def _budget(plan: Plan, base: StudyConfig) -> float:
    """As chosen, or that of the trainings of the config."""
    if plan.cost == "seconds":
        if not plan.budget:
            raise ConfigError("--cost is seconds, and --budget is not given: name the seconds of training of a search")
        return plan.budget
    whole = epochs(base)
    budget = plan.budget or float(whole * sum(base.litters))
    if budget % 1 or budget < whole:
        raise ConfigError(f"--budget is {budget:g}: must be a whole number of epochs, at least {whole}, a training")
    if budget / whole > LIMIT:
        raise ConfigError(f"--budget is {budget:g}, which pays for more than {LIMIT} trainings: must be less")
    return budget


def _check_alike(configs: Mapping[str, StudyConfig]) -> None:
    compared = {name: (config.objective, config.settings.get("data")) for name, config in configs.items()}
    (first, (objective, data)), *others = compared.items()
    for name, (theirs, images) in others:
        if (theirs, images) != (objective, data):
            what = "[data]" if theirs == objective else "study.objective"
            raise ConfigError(f"{name} and {first} differ in {what}: their scores cannot be compared")
