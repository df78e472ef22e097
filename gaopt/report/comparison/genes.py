"""What all whole trainings of all searches say of the genes: how much each matters, and how pairs act together.

How much a gene matters is Optuna's answer, and without Optuna there is none. fANOVA (Hutter, Hoos and Leyton-Brown, *An
Efficient Approach for Assessing Hyperparameter Importance*, 2014) tells what share of the variance over the whole space
each gene explains alone; PED-ANOVA (Watanabe, Bansal and Hutter, *PED-ANOVA*, 2023), which genes tell the best tenth
from the rest. A pair is what a random forest (scikit-learn's) expects of it, averaged over the other genes: Friedman's
partial dependence (*Greedy function approximation*, 2001, section 8.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import combinations
from typing import Any

import numpy as np

from gaopt.compare.model import Comparison
from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.search.optuna import quiet
from gaopt.space.gene import AnyGene, Choice

LEAST, LEAST_BEST = 20, 50
"""Whole trainings below which fANOVA and a forest have nothing to say, and PED-ANOVA: a tenth must be five or more."""
ALL, TENTH = "over the whole space (fANOVA)", "for the best tenth (PED-ANOVA)"
CELLS = 18
"""Cells along each axis, of a gene that is a number."""
ABSENT = -0.5
"""In place of a gene that an individual does not have: trees can split it off."""


def installed() -> bool:
    return find_spec("optuna") is not None


def space(comparison: Comparison) -> dict[str, AnyGene]:
    """The genes that the searches look for, by name; of one that differs between them, the first that can vary."""
    found: dict[str, AnyGene] = {}
    known: list[object] = []
    for search in comparison.searches:
        if (table := search.history.config.get("space")) in known:  # reading it takes a while
            continue
        known.append(table)
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
    count = words.plural(len(trainings), "whole training")
    if not installed():
        return (
            "How much each gene matters is not told here, for Optuna, which computes it, is not installed:"
            " pip install 'gaopt[peers]', and write the report again."
        )
    if len(trainings) < LEAST:
        return f"How much each gene matters cannot be told from {count}: {LEAST} are needed."
    if len({individual.fitness for individual in trainings}) == 1:
        return f"How much each gene matters cannot be told: all {count} have the same score."
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


def surfaces(
    trainings: Sequence[Individual], genes: Mapping[str, AnyGene], chosen: Sequence[str]
) -> dict[tuple[str, str], np.ndarray]:
    """By each pair of the chosen genes (cells up, cells across) expected scores; the first gene is the one across."""
    if len(trainings) < LEAST or len({individual.fitness for individual in trainings}) == 1:
        return {}
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import partial_dependence

    points = np.array([[g.unit(i.genes[n]) if n in i.genes else ABSENT for n, g in genes.items()] for i in trainings])
    scores = [individual.fitness for individual in trainings]
    forest = RandomForestRegressor(100, min_samples_leaf=3, random_state=0, n_jobs=1).fit(points, scores)
    found = {}
    for pair in combinations(chosen, 2):
        if any(set(pair) <= set(i.genes) for i in trainings):
            places = [list(genes).index(name) for name in pair]
            parts = [cells(genes[name]) for name in pair]
            middles = {place: (np.arange(n) + 0.5) / n for place, n in zip(places, parts, strict=True)}
            made = partial_dependence(forest, points, places, custom_values=middles, kind="average", method="recursion")
            found[pair] = made["average"][0].T
    return found


def cells(gene: AnyGene) -> int:
    """Equal parts of its range."""
    return len(gene.choices) if isinstance(gene, Choice) else CELLS
