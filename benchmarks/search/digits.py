"""python -m benchmarks.search.digits: the trainings of the problem `digits` of `gaopt bench search`.

Trains the preset `quick` at the points of a scrambled Sobol set of its space, seed by seed, and appends each to
results/bench/search/digits.csv; what is there is not trained again. 256 trainings take about a quarter of an hour on
one CPU core.
"""

from __future__ import annotations

import argparse
import math

from scipy.stats import qmc

from benchmarks.search import csv_log
from benchmarks.search.table import COLUMNS, DIGITS, PRESET, top1
from gaopt.config import load
from gaopt.objectives.base import resolve
from gaopt.space.space import Genes, Space

POINTS, SEEDS = 7, 2  # 2⁷ points


def points(space: Space, power: int) -> list[Genes]:
    """2 to this power points of a scrambled Sobol set."""
    units = qmc.Sobol(len(space), rng=0).random_base2(power)
    return [{name: gene.at(unit) for (name, gene), unit in zip(space.items(), row, strict=True)} for row in units]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    config = load(PRESET)
    objective = resolve(config.objective)
    shared = objective.prepare(config)
    with csv_log.appending(DIGITS, COLUMNS) as append:
        there = {tuple(row[:-1]) for row in csv_log.read(DIGITS, COLUMNS)}
        for seed in range(given.seeds):
            for genes in points(config.space, POINTS):
                key = tuple(str(value) for value in (*config.space.vector(genes), seed))
                if key not in there:
                    score = top1(config, objective, shared, genes, seed)
                    append((*key, "" if math.isnan(score) else f"{score:.6f}"))


if __name__ == "__main__":
    main()
