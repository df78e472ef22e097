"""What all whole trainings of all searches say of the genes: how much each matters.

That is Optuna's answer, and without Optuna there is none. fANOVA (Hutter, Hoos and Leyton-Brown, *An Efficient Approach
for Assessing Hyperparameter Importance*, 2014) tells what share of the variance over the whole space each gene explains
alone; PED-ANOVA (Watanabe, Bansal and Hutter, *PED-ANOVA*, 2023), which genes tell the best tenth from the rest.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from gaopt.compare.model import Comparison
from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.space.gene import AnyGene, Choice
from gaopt.strategies.optuna import quiet

LEAST, LEAST_BEST = 20, 50
"""Whole trainings below which fANOVA has nothing to say, and PED-ANOVA: a tenth must be five or more."""
ALL, TENTH = "over the whole space (fANOVA)", "for the best tenth (PED-ANOVA)"


def space(comparison: Comparison) -> dict[str, AnyGene]:
    """The genes that the searches look for, by name; of one that differs between them, the first that can vary."""
    found: dict[str, AnyGene] = {}
    for search in comparison.searches:
        for name, gene in views.space(search.history).items():
            if name not in found or found[name].levels == 1:
                found[name] = gene
    return found


def within(comparison: Comparison, known: Mapping[str, AnyGene]) -> list[Individual]:
    """The whole trainings of all searches whose genes are all known ones, and lie in their ranges."""
    everyone = [individual for search in comparison.searches for individual in search.history.scored]
    return [i for i in everyone if all(n in known and _inside(known[n], value) for n, value in i.genes.items())]


def _inside(gene: AnyGene, value: Any) -> bool:
    if isinstance(gene, Choice):
        return value in gene.choices
    return isinstance(value, int | float) and gene.low <= value <= gene.high


def untold(trainings: Sequence[Individual]) -> str:
    """Why nothing can be said of how much each gene matters, as a sentence; "" where it can."""
    if not find_spec("optuna"):
        return "This takes Optuna: pip install 'gaopt[peers]', and write the report again."
    if len(trainings) < LEAST or len({individual.fitness for individual in trainings}) == 1:
        count = words.plural(len(trainings), "whole training")
        return f"This cannot be told from {count}: it takes {LEAST}, with more than one score among them."
    return ""


def importance(trainings: Sequence[Individual], genes: Mapping[str, AnyGene]) -> dict[str, dict[str, float]]:
    """By question the share of each gene, the largest first. Empty where nothing can be told."""
    if untold(trainings):
        return {}
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

    with quiet():
        evaluators = {ALL: FanovaImportanceEvaluator(seed=0)}
        if len(trainings) >= LEAST_BEST:
            evaluators[TENTH] = PedAnovaImportanceEvaluator()
        study = _study(optuna, trainings, genes)
        found = {q: dict(optuna.importance.get_param_importances(study, evaluator=e)) for q, e in evaluators.items()}
    return {question: shares for question, shares in found.items() if shares}


def _study(optuna: Any, trainings: Sequence[Individual], genes: Mapping[str, AnyGene]) -> Any:
    """Every training as a trial. A number is its place in its range, 0 … 1: fANOVA weighs each on its own scale."""
    study, kinds = optuna.create_study(direction="maximize"), optuna.distributions
    unit = kinds.FloatDistribution(0.0, 1.0)
    own = {n: kinds.CategoricalDistribution(g.choices) if isinstance(g, Choice) else unit for n, g in genes.items()}
    for individual in trainings:
        values = {name: value for name, value in individual.genes.items() if name in genes}
        for name, value in values.items():
            if not isinstance(gene := genes[name], Choice):
                values[name] = min(max(gene.unit(value), 0.0), 1.0)
        known = {name: own[name] for name in values}
        study.add_trial(optuna.create_trial(params=values, distributions=known, value=individual.fitness))
    return study
