"""python -m tests.digits_table: the trainings of the problem `digits` of `gaopt bench search`.

Trains the preset `quick` at the points of a scrambled Sobol set of its space, seed by seed, and appends each to
results/bench/search/digits.csv; what is there is not trained again. 256 trainings take about a quarter of an hour on
one CPU core.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from scipy.stats import qmc

from gaopt.bench import rows
from gaopt.bench.table import COLUMNS, DIGITS, PRESET
from gaopt.config import StudyConfig, load
from gaopt.events import Scored
from gaopt.objective import Objective, Task, resolve
from gaopt.pools.base import outcomes
from gaopt.space import Genes, Space

POINTS, SEEDS = 7, 2  # 2⁷ points


def points(space: Space) -> list[Genes]:
    units = qmc.Sobol(len(space), rng=0).random_base2(POINTS)
    return [{name: gene.at(unit) for (name, gene), unit in zip(space.items(), row, strict=True)} for row in units]


def top1(config: StudyConfig, objective: Objective, shared: object, genes: Genes, seed: int) -> str:
    """As in the table: a failure is empty."""
    with tempfile.TemporaryDirectory() as folder:
        task = Task("digits", 0, 0, genes, seed, config.settings, Path(folder), Path(folder), shared=shared)
        *_, last = outcomes(objective, task)
    return f"{last.fitness:.6f}" if isinstance(last, Scored) else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    config = load(PRESET)
    objective = resolve(config.objective)
    shared = objective.prepare(config)
    with rows.appending(DIGITS, COLUMNS) as append:
        there = {tuple(row[:-1]) for row in rows.read(DIGITS, COLUMNS)}
        for seed in range(given.seeds):
            for genes in points(config.space):
                key = tuple(str(value) for value in (*config.space.vector(genes), seed))
                if key not in there:
                    append((*key, top1(config, objective, shared, genes, seed)))


if __name__ == "__main__":
    main()
