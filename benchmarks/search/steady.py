"""python -m benchmarks.search.steady: what `study.mode = "steady"` costs in regret, at equal trainings.

Each training of a simulated worker lasts from 1 to 3 units of time, so that trainings end out of order. Runs are kept
in results/bench/search/steady.csv, and those that are there are not run again; the table is printed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.search import problems, runs, summary
from benchmarks.search.runs import Case
from benchmarks.search.table import DIGITS

STRATEGIES = ("assisted", "genetic")
LITTER = 5  # of the generations that both have by default, after the first of ten
WORKERS = (2, 4, 8)
MARKS = (20, 30, 50)


def table(found: pd.DataFrame) -> str:
    """A row per strategy, kind of problem and number of workers; differences are from generations, pair by pair."""
    rows = []
    for role, ours in found.groupby(found.role.map(problems.ROLES.index)):
        for name in STRATEGIES:
            base = ours[(ours.search == name) & (ours.together == LITTER)].set_index(["problem", "seed"])
            for workers in (0, *WORKERS):
                search, together = (f"{name}-steady", workers) if workers else (name, LITTER)
                those = ours[(ours.search == search) & (ours.together == together)].set_index(["problem", "seed"])
                mode = f"steady, {workers} workers" if workers else f"generations of {LITTER}"
                row = {"problems": problems.ROLES[role], "strategy": name, "mode": mode, "runs": str(len(those))}
                for mark in MARKS:
                    column = f"regret{mark}"
                    row[f"at {mark}"] = f"{those[column].mean():.4f}"
                    pair = summary.paired(those[column], base[column]) if workers else None
                    told = f"{pair.difference:+.4f} ({pair.low:+.4f} … {pair.high:+.4f})" if pair else ""
                    row[f"difference at {mark}"] = told
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
