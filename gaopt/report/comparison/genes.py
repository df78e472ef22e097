"""What all whole trainings of all searches say of the genes: how much each matters, and how pairs act together.

How much a gene matters is Optuna's answer, and without Optuna there is none. fANOVA (Hutter, Hoos and Leyton-Brown, *An
Efficient Approach for Assessing Hyperparameter Importance*, 2014) tells what share of the variance over the whole space
each gene explains alone; PED-ANOVA (Watanabe, Bansal and Hutter, *PED-ANOVA*, 2023), which genes tell the best tenth
from the rest. A pair is what a random forest (scikit-learn's) expects of it, averaged over the other genes: Friedman's
partial dependence (*Greedy function approximation*, 2001, section 8.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

PAIRED = 4
"""Genes whose pairs are drawn: the most important ones."""
LEAST, LEAST_BEST = 20, 50
"""Whole trainings below which fANOVA and a forest have nothing to say, and PED-ANOVA: a tenth must be five or more."""
ALL, TENTH = "over the whole space (fANOVA)", "for the best tenth (PED-ANOVA)"
CELLS = 18
"""Places along each axis, of a gene that is a number."""
ABSENT = -0.5
"""In place of a gene that an individual does not have: trees can split it off."""


@dataclass(frozen=True)
class Surface:
    """
    Attributes:
        genes: the one across and the one up.
        across, up: (x,) and (y,) values of the genes; of a choice its number.
        expected: (y, x) scores.
        tried: of every training that has both genes the values across and up.
    """

    genes: tuple[str, str]
    across: tuple[float, ...]
    up: tuple[float, ...]
    expected: tuple[tuple[float, ...], ...]
    tried: tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Genes:
    """
    Attributes:
        space: the genes by name, also those that are held fixed.
        importance: by question the share of each gene; empty without Optuna.
        note: why there is no importance, as a sentence; "" where there is.
    """

    space: Mapping[str, AnyGene]
    importance: dict[str, dict[str, float]]
    surfaces: list[Surface]
    note: str


def genes(comparison: Comparison) -> Genes:
    known = space(comparison)
    trainings = within(comparison, known)
    free = {name: gene for name, gene in known.items() if gene.levels != 1}
    found = importance(trainings, free) if installed() else {}
    ranked = [name for shares in found.values() for name in shares]
    paired = list(dict.fromkeys([*ranked, *free]))[:PAIRED]
    return Genes(known, found, surfaces(trainings, free, paired), "" if found else _note(trainings))


def installed() -> bool:
    return find_spec("optuna") is not None


def _note(trainings: list[Individual]) -> str:
    if not installed():
        return (
            "How much each gene matters is not told here, for Optuna, which computes it, is not installed:"
            " pip install 'gaopt[peers]', and write the report again."
        )
    count = words.plural(len(trainings), "whole training")
    if len(trainings) < LEAST:
        return f"How much each gene matters cannot be told from {count}: {LEAST} are needed."
    return f"How much each gene matters cannot be told: all {count} have the same score."


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
    return [
        individual
        for search in comparison.searches
        for individual in search.history.scored
        if all(name in known and _inside(known[name], value) for name, value in individual.genes.items())
    ]


def _inside(gene: AnyGene, value: object) -> bool:
    if isinstance(gene, Choice):
        return value in gene.choices
    return isinstance(value, int | float) and gene.low <= value <= gene.high


def _telling(trainings: Sequence[Individual]) -> bool:
    """Whether there are enough trainings, and not all with the same score."""
    return len(trainings) >= LEAST and len({individual.fitness for individual in trainings}) > 1


def importance(trainings: Sequence[Individual], genes: Mapping[str, AnyGene]) -> dict[str, dict[str, float]]:
    """By question the share of each gene, the largest first. Empty with too few trainings, or scores all the same.

    Args:
        trainings: whole ones, whose genes lie within their ranges.
    """
    if not _telling(trainings):
        return {}
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

    with quiet():
        evaluators = {ALL: FanovaImportanceEvaluator(seed=0)}
        if len(trainings) >= LEAST_BEST:
            evaluators[TENTH] = PedAnovaImportanceEvaluator()
        study = _study(optuna, trainings, genes)
        found = {
            question: optuna.importance.get_param_importances(study, evaluator=evaluator)
            for question, evaluator in evaluators.items()
        }
    return {question: dict(shares) for question, shares in found.items() if shares}


def _study(optuna: Any, trainings: Sequence[Individual], genes: Mapping[str, AnyGene]) -> Any:
    """Every training as a trial. A number is its place in its range, 0 … 1: fANOVA weighs each on its own scale."""
    study, kinds = optuna.create_study(direction="maximize"), optuna.distributions
    unit = kinds.FloatDistribution(0.0, 1.0)
    own = {n: kinds.CategoricalDistribution(g.choices) if isinstance(g, Choice) else unit for n, g in genes.items()}
    for individual in trainings:
        values = {name: _value(genes[name], value) for name, value in individual.genes.items() if name in genes}
        known = {name: own[name] for name in values}
        study.add_trial(optuna.create_trial(params=values, distributions=known, value=individual.fitness))
    return study


def _value(gene: AnyGene, value: Any) -> Any:
    return value if isinstance(gene, Choice) else min(max(gene.unit(value), 0.0), 1.0)


def surfaces(trainings: Sequence[Individual], genes: Mapping[str, AnyGene], chosen: Sequence[str]) -> list[Surface]:
    """One for each pair of the chosen genes.

    Args:
        trainings: whole ones, whose genes lie within their ranges.
        genes: all that they may have.
    """
    if not _telling(trainings):
        return []
    from sklearn.ensemble import RandomForestRegressor

    points = np.array([[g.unit(i.genes[n]) if n in i.genes else ABSENT for n, g in genes.items()] for i in trainings])
    scores = [individual.fitness for individual in trainings]
    forest = RandomForestRegressor(100, min_samples_leaf=3, random_state=0, n_jobs=1).fit(points, scores)
    pairs = [pair for pair in combinations(chosen, 2) if any(set(pair) <= set(i.genes) for i in trainings)]
    return [_surface(forest, points, trainings, genes, pair) for pair in pairs]


def _surface(
    forest: object,
    points: np.ndarray,
    trainings: Sequence[Individual],
    genes: Mapping[str, AnyGene],
    pair: tuple[str, str],
) -> Surface:
    from sklearn.inspection import partial_dependence

    places = [list(genes).index(name) for name in pair]
    units = [_middles(genes[name]) for name in pair]
    custom = dict(zip(places, units, strict=True))
    found = partial_dependence(forest, points, places, custom_values=custom, kind="average", method="recursion")
    across, up = (tuple(_place(genes[n], unit) for unit in each) for n, each in zip(pair, units, strict=True))
    having = [i for i in trainings if set(pair) <= set(i.genes)]
    tried = tuple(tuple(_shown(genes[name], i.genes[name]) for i in having) for name in pair)
    return Surface(pair, across, up, tuple(map(tuple, found["average"][0].T.tolist())), (tried[0], tried[1]))


def _middles(gene: AnyGene) -> np.ndarray:
    """The middles of equal parts of [0, 1]."""
    cells = len(gene.choices) if isinstance(gene, Choice) else CELLS
    return (np.arange(cells) + 0.5) / cells


def _place(gene: AnyGene, unit: float) -> float:
    """On the gene's own scale, between its steps too; of a choice its number."""
    if isinstance(gene, Choice):
        return float(gene.choices.index(gene.at(unit)))
    if gene.scale == "log":
        return float(gene.low * (gene.high / gene.low) ** unit)
    return float(gene.low + (gene.high - gene.low) * unit)


def _shown(gene: AnyGene, value: float) -> float:
    return float(gene.choices.index(value)) if isinstance(gene, Choice) else float(value)
