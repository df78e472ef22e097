"""How much each gene matters, as Optuna says it: the one door to it here. Without Optuna there is nothing to say.

fANOVA (Hutter, Hoos and Leyton-Brown, *An Efficient Approach for Assessing Hyperparameter Importance*, 2014) tells
what share of the variance over the whole space each gene explains alone; PED-ANOVA (Watanabe, Bansal and Hutter,
*PED-ANOVA*, 2023), which genes tell the best tenth from the rest.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from gaopt.journal.history import Individual
from gaopt.space.gene import AnyGene, Choice

LEAST, LEAST_BEST = 20, 50
"""Whole trainings below which fANOVA has nothing to say, and PED-ANOVA: a tenth must be five or more."""
ALL, TENTH = "over the whole space (fANOVA)", "for the best tenth (PED-ANOVA)"


def installed() -> bool:
    return find_spec("optuna") is not None


def importance(trainings: Sequence[Individual], genes: Mapping[str, AnyGene]) -> dict[str, dict[str, float]]:
    """By question the share of each gene, the largest first. Empty with too few trainings, or scores all the same.

    Args:
        trainings: whole ones, whose genes lie within their ranges.
    """
    scores = {individual.fitness for individual in trainings}
    if len(trainings) < LEAST or len(scores) < 2:
        return {}
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

    evaluators = {ALL: FanovaImportanceEvaluator(seed=0)}
    if len(trainings) >= LEAST_BEST:
        evaluators[TENTH] = PedAnovaImportanceEvaluator()
    with _quiet(optuna):
        study = _study(optuna, trainings, genes)
        found = {
            question: optuna.importance.get_param_importances(study, evaluator=evaluator)
            for question, evaluator in evaluators.items()
        }
    return {question: dict(shares) for question, shares in found.items() if shares}


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Without its word on every study made in memory, and on what is experimental."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _study(optuna: Any, trainings: Sequence[Individual], genes: Mapping[str, AnyGene]) -> Any:
    """Every training as a trial. A number is its place in its range, 0 … 1: fANOVA weighs each on its own scale."""
    study = optuna.create_study(direction="maximize")
    kinds = {name: _kind(optuna.distributions, gene) for name, gene in genes.items()}
    for individual in trainings:
        values = {name: _value(genes[name], value) for name, value in individual.genes.items() if name in genes}
        own = {name: kinds[name] for name in values}
        study.add_trial(optuna.create_trial(params=values, distributions=own, value=individual.fitness))
    return study


def _kind(kinds: Any, gene: AnyGene) -> Any:
    return (
        kinds.CategoricalDistribution(gene.choices) if isinstance(gene, Choice) else kinds.FloatDistribution(0.0, 1.0)
    )


def _value(gene: AnyGene, value: Any) -> Any:
    return value if isinstance(gene, Choice) else min(max(gene.unit(value), 0.0), 1.0)
