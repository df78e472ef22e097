"""python -m benchmarks.search.steady: what `study.mode = "steady"` costs in regret, at equal trainings.

Each training of a simulated worker lasts from 1 to 3 units of time, so that trainings end out of order. Runs are kept
in results/bench/search/steady.csv, and those that are there are not run again; the table is printed.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import pandas as pd

from benchmarks.search import problems, runs, summary
from benchmarks.search.runs import Case
from benchmarks.search.table import DIGITS

STRATEGIES = ("assisted", "genetic")
LITTER = 5  # of the generations that both have by default, after the first of ten
WORKERS = (2, 4, 8)
MARKS = (20, 50)


def table(found: pd.DataFrame) -> str:
    """A row per problem, strategy and mark: the regret of generations, and how far from it each number of workers is.

    Differences are of pairs of the same seed, with a 95 % interval over seeds.
    """
    rows = []
    for (problem, of_problem), name, mark in product(found.groupby("problem"), STRATEGIES, MARKS):
        regrets = of_problem.set_index(["search", "together", "problem", "seed"])[f"regret{mark}"].sort_index()
        base = regrets[name, LITTER]
        row = {"problem": str(problem), "search": name, "after": str(mark)}
        row |= {"runs": str(len(base)), f"generations of {LITTER}": f"{base.mean():.4f}"}
        for workers in WORKERS:
            pair = summary.paired(regrets[f"{name}-steady", workers], base)
            assert pair
            row[f"steady, {workers} workers"] = f"{pair.difference:+.4f} ({pair.low:+.4f} … {pair.high:+.4f})"
        rows.append(row)
    return summary.markdown(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder of LCBench's surrogate")
    parser.add_argument("--problems", default="digits")
    parser.add_argument("--seeds", type=int, default=25)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    kinds = [(name, LITTER) for name in STRATEGIES] + [(f"{name}-steady", n) for name in STRATEGIES for n in WORKERS]
    wanted = [
        Case(search, problem, seed, together)
        for seed in range(given.seeds)
        for problem in problems.chosen(given.problems)
        for search, together in kinds
    ]
    path = DIGITS.with_name("steady.csv")
    runs.run(path, wanted, given.data, given.jobs, print)
    print(table(runs.read(path)))


if __name__ == "__main__":
    main()
