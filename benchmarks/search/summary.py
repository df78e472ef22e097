"""The summary of a benchmark: from its runs to README.md beside them."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.search import problems, runs, table
from benchmarks.search.problems import ROLES
from benchmarks.search.runs import EVALUATIONS, MARKS
from benchmarks.search.searches import OURS
from benchmarks.search.table import CUT, PRESET
from gaopt import __version__
from gaopt.errors import BadInput

NAME = "README.md"
TITLES = {"judged": "Judged problems", "tuned": "Tuned problems", "digits": "Digits", "trained": "Real trainings"}
PACKAGES = ("numpy", "scipy", "torch", "onnxruntime", "optuna", "cmaes")
CHANCE = "random"
LAST = f"regret{MARKS[-1]}"
RESAMPLED = 10_000

Row = dict[str, str]


def write(folder: Path) -> Path:
    """Write the summary of a folder's runs, and return its path.

    Raises:
        BadInput: there are no runs, or they cannot be read, or the summary not be written.
    """
    if (found := runs.read(folder / runs.NAME)).empty:
        raise BadInput(f"there are no runs in {folder}: must be a folder that `gaopt bench search` wrote to")
    path = folder / NAME
    try:
        path.write_text(text(found), "utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from None
    return path


def text(found: pd.DataFrame) -> str:
    """The summary in Markdown: without noise first, then judged, tuned, digits."""
    parts = [_head()]
    rank = found.role.map(ROLES.index)
    for (noise, _, together), section in found.groupby([found.noise, rank, found.together]):
        role, regrets = section.role.iloc[0], by_search(section)
        how = "one at a time" if together == 1 else f"in batches of {together}"
        title = f"## {TITLES[role]}, {how}" + (f", noise of {noise:g} points" if noise else "")
        parts += [title, means(section, list(regrets)), *(against(regrets, ours) for ours in OURS if ours in regrets)]
        parts.append(_digits() if role == "digits" else _trained() if role == "trained" else each(regrets))
    return "\n\n".join(part for part in parts if part) + "\n"


def by_search(section: pd.DataFrame) -> dict[str, pd.Series]:
    """The regret after the last evaluation, by problem and seed, of each search; the smallest mean first."""
    found = {
        str(name): runs.set_index(["problem", "seed"])[LAST] for name, runs in section.groupby("search", sort=False)
    }
    return dict(sorted(found.items(), key=lambda pair: float(pair[1].mean())))


def _head() -> str:
    ours, tuned, judged = (", ".join(names) for names in (map("`{}`".format, OURS), problems.TUNED, problems.JUDGED))
    return f"""\
# How good the searches are at {EVALUATIONS} trainings

Regret is 0 at the best score known of a problem and 1 at the median of random genes. It is that of the true score of
what a search holds for the best when it has paid for {EVALUATIONS} full trainings; a shorter training costs its share
of the epochs. `lc3-` and `lc7-` are networks trained on data sets of LCBench, with three and seven genes, as YAHPO
Gym's surrogate has them. Searches may be improved by a look at the *tuned* data sets ({tuned});
nothing is chosen by the *judged* ones ({judged}).

Ours is {ours}; `genetic` is the genetic search as it was first, ten and then five a generation, whatever is
trained together. The others are random search and Optuna's with its own defaults, except that NSGA-II has a population
of 10 (of its own 50, the first generation would be all), and that GP is told when there is no noise. All have the same
seeds. ± is the standard error over runs; intervals are of 95 %, by a bootstrap over problems (over seeds where there is
one problem); a rank is the mean over the runs that all searches of the table have; ms is the median over runs of the
computing time for one suggestion, on one thread. The runs are in [{runs.NAME}]({runs.NAME}), made by
`gaopt bench search`; {_versions()}."""


def _versions() -> str:
    """Of gaopt, Python and what the searches rest on: those of now."""
    found = [f"gaopt {__version__}", f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def means(section: pd.DataFrame, searches: Sequence[str]) -> str:
    """A row a search: its regret, also of three and of seven genes alone and along the way, its rank and its cost."""
    rank = section.pivot(index=["problem", "seed"], columns="search", values=LAST).dropna().rank(axis=1).mean()
    rows = []
    for name in searches:
        found = section[section.search == name]
        row = {"search": name, "runs": str(len(found)), f"regret at {EVALUATIONS}": _mean(found[LAST])}
        row |= {"median": f"{found[LAST].median():.4f}"}
        if section.role.iloc[0] in ("judged", "tuned"):
            for genes in (3, 7):
                row[f"{genes} genes"] = _mean(found[LAST][found.problem.str.startswith(f"lc{genes}-")])
        row |= {f"at {mark}": f"{found[f'regret{mark}'].mean():.4f}" for mark in MARKS[:-1]}
        cost = 1e3 * found.seconds.median()
        row |= {"rank": _number(rank[name], 2), "ms": f"{cost:.0f}" if cost >= 10 else f"{cost:.2g}"}
        rows.append(row | {"epochs": f"{found.epochs.mean():.0f}"})
    return markdown(rows)


@dataclass(frozen=True)
class Paired:
    """One search against another.

    Attributes:
        pairs: of the same problem and seed.
        difference: of the mean regrets; below zero the first is better.
        low, high: of its 95 % interval.
        wins: the share of pairs in which the first has the smaller regret; a tie counts half.
    """

    pairs: int
    difference: float
    low: float
    high: float
    wins: float


def paired(first: pd.Series, second: pd.Series) -> Paired | None:
    """None where they have no pair. The interval is a bootstrap over problems, each the mean of its seeds.

    A problem drawn twice counts twice: the interval says what other problems might have given, not what other seeds
    might have. Of one problem it is over the seeds.
    """
    differences = _differences(first, second)
    if differences.empty:
        return None
    wins = float((differences < 0).mean() + (differences == 0).mean() / 2)
    of_problems = differences.groupby("problem", sort=False).mean()
    units = (of_problems if len(of_problems) > 1 else differences).to_numpy()
    resampled = np.random.default_rng(0).choice(units, (RESAMPLED, len(units))).mean(axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Paired(len(differences), float(units.mean()), float(low), float(high), wins)


def _differences(first: pd.Series, second: pd.Series) -> pd.Series:
    both = first[first.index.isin(second.index)]
    return both - second.reindex(both.index)


def against(regrets: dict[str, pd.Series], ours: str) -> str:
    """One of ours beside each of the others, on what both ran; and where it is worse than chance."""
    rows = [
        {
            f"`{ours}` against": name,
            "pairs": str(pair.pairs),
            "difference of regret": f"{pair.difference:+.4f}",
            "its interval": f"{pair.low:+.4f} … {pair.high:+.4f}",
            "wins, a tie half": f"{100 * pair.wins:.1f} %",
        }
        for name, theirs in regrets.items()
        if name != ours and (pair := paired(regrets[ours], theirs))
    ]
    parts = [markdown(rows)]
    if CHANCE in regrets:
        of = _differences(regrets[ours], regrets[CHANCE]).groupby("problem", sort=False)
        worse = ", ".join(of.mean().index[of.mean() > of.sem()]) or "on no problem"
        parts.append(f"Worse than random by more than the standard error of the pairs: {worse}.")
    return "\n\n".join(filter(None, parts))


def each(regrets: dict[str, pd.Series]) -> str:
    """A row a problem: the mean regret of each search."""
    of = pd.DataFrame({name: found.groupby("problem").mean() for name, found in regrets.items()}).sort_index()
    return markdown(
        [
            {"regret": str(problem)} | {name: _number(found[name], 4) for name in of.columns}
            for problem, found in of.iterrows()
        ]
    )


def _trained() -> str:
    """How the real trainings are measured."""
    return f"""\
Every score is a training made for it, of the preset `{PRESET}` with {", ".join(f"`{cut}`" for cut in CUT)} and the seed
0. Nobody knows the best score: what is called regret here is the validation error, as a share. The images are easy, the
trainings much too short; how the searches compare where trainings are long it cannot show."""


def _digits() -> str:
    """What the table of digits can and cannot show."""
    trained = table.digits()
    best, median, near = f"{trained.best:.2f} %", f"{trained.median:.2f} %", f"{100 * trained.share(1.0):.0f} %"
    return f"""\
Real trainings of the preset `{PRESET}` on scikit-learn's digits (`python -m benchmarks.search.digits`):
{trained.rows} points of a Sobol set, {trained.seeds} seeds each; genes have the score of the nearest point. The best
has {best}, the one in the middle {median}, and {near} of the points are within one percentage point of the
best. So the table shows how soon a search leaves the many settings that learn nothing (the columns *at 10* and
*at 20*). Which search finds the very best it cannot show: the plateau is wide and flat."""


def _mean(values: pd.Series) -> str:
    if values.empty:
        return "–"
    return f"{values.mean():.4f}" + (f" ± {values.std() / len(values) ** 0.5:.4f}" if len(values) > 1 else "")


def _number(value: float | np.floating[Any], digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def markdown(rows: Sequence[Row]) -> str:
    """The first column is of words, the others of numbers; nothing of no rows."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---", *(["---:"] * (len(rows[0]) - 1))], *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
