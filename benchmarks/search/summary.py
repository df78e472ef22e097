"""The summary of a benchmark: from its runs to README.md beside them."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence, Set
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.search import cifar, peers, problems, runs, table
from benchmarks.search.problems import ROLES
from benchmarks.search.protocol import FIRST
from benchmarks.search.runs import MARKS
from benchmarks.search.searches import OURS
from benchmarks.search.table import CUT, PRESET
from gaopt import __version__
from gaopt.errors import BadInput

NAME = "README.md"
TITLES = {
    "judged": "Judged problems",
    "tuned": "Tuned problems",
    "digits": "Digits",
    "cifar10": "CIFAR-10",
    "trained": "Real trainings",
}
PACKAGES = ("numpy", "scipy", "torch", "onnxruntime", "optuna", "cmaes")
CHANCE = "random"
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
    parts = [_head(set(found.search))]
    rank = found.role.map(ROLES.index)
    for _, section in found.groupby([found.noise, rank, found.together, found.evaluations]):
        role, regrets = section.role.iloc[0], by_search(section)
        parts += [_title(section), _commands(section), means(section, list(regrets))]
        about = {"digits": _digits, "cifar10": _cifar10, "trained": _trained}.get(role)
        parts += [against(regrets), about() if about else each(regrets)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(section: pd.DataFrame) -> str:
    first = section.iloc[0]
    how = f"ten and then batches of {first.together}" if first.together < FIRST else f"in batches of {first.together}"
    how = "one at a time" if first.together == 1 else how
    noise = f", noise of {first.noise:g} points" if first.noise else ""
    return f"## {TITLES[first.role]}: {first.evaluations} trainings, {how}{noise}"


def _commands(section: pd.DataFrame) -> str:
    """What made the runs."""
    first, seeds = section.iloc[0], section.groupby("search", sort=False).seed.max() + 1
    options = f"--problems {first.role} --together {first.together} --evaluations {first.evaluations}"
    options += f" --noise {first.noise:g}" if first.noise else ""
    lines = (
        f"gaopt bench search --data FOLDER {options} --seeds {count} --searches {','.join(those.index)}"
        for count, those in seeds.groupby(seeds, sort=False)
    )
    return "\n".join(("```", *lines, "```"))


def by_search(section: pd.DataFrame) -> dict[str, pd.Series]:
    """The regret after the last training, by problem and seed, of each search; the smallest mean first."""
    found = {
        str(name): runs.set_index(["problem", "seed"]).regret for name, runs in section.groupby("search", sort=False)
    }
    return dict(sorted(found.items(), key=lambda pair: float(pair[1].mean())))


def _head(searches: Set[str]) -> str:
    tuned, judged = (", ".join(names) for names in (problems.TUNED, problems.JUDGED))
    return f"""\
# How good the searches are

Regret is 0 at the best score known of a problem and 1 at the median of random genes. It is that of the true score of
what a search holds for the best when it has paid for its trainings; a shorter training costs its share of the epochs.
`lc3-` and `lc7-` are networks trained on data sets of LCBench, with three and seven genes, as YAHPO Gym's surrogate has
them. Searches may be improved by a look at the *tuned* data sets ({tuned});
nothing is chosen by the *judged* ones ({judged}).

{_described(searches)}

± is the standard error over runs; *worst tenth* the mean of the tenth of the runs with the highest regret; intervals
are of 95 %, by a bootstrap over problems (over seeds where there is one problem); a rank is the mean over the runs that
all searches of the table have; ms is the median over runs of the computing time for one suggestion, on one thread. The
runs are in [{runs.NAME}]({runs.NAME}).

{_paragraph(_versions(searches))}"""


def _described(searches: Set[str]) -> str:
    """What the searches are of which there are runs."""
    optuna = "Searches of Optuna have its own defaults"
    if "optuna-nsgaii" in searches:
        optuna += ", but NSGA-II a population of 10 (of its own 50, the first generation would be all)"
    if "optuna-gp" in searches:
        optuna += ", and GP is told when there is no noise"
    sentences = {
        OURS: f"`{OURS}` is the default search of gaopt.",
        "assisted-rungs": "`assisted-rungs` is the default search with short trainings (`fidelity.rungs`).",
        "genetic": "`genetic` is gaopt's genetic search without a model.",
        "baseline": "`baseline` trains the recipe's default again and again.",
        CHANCE: f"`{CHANCE}` draws genes evenly.",
    }
    found = [sentence for name, sentence in sentences.items() if name in searches]
    if any(name.startswith("optuna-") for name in searches):
        found.append(f"{optuna}.")
    if those := ", ".join(f"`{name}`" for name in peers.PACKAGES if name in searches):
        found.append(
            f"Peers of other libraries ({those}) have theirs, but for what `benchmarks/search/adapters.py` says, and"
            " run in environments that `python -m benchmarks.search.peers` makes."
        )
    if len(searches) > 1:
        found.append("All have the same seeds; one with fewer runs has the first of them.")
        found.append("In batches all are asked for the same; one at a time, ours begin with ten.")
    if "genetic" in searches:
        found.append("`genetic` always has ten, then fives.")
    return _paragraph(" ".join(found))


def _paragraph(words: str) -> str:
    return fill(words, 120, break_long_words=False, break_on_hyphens=False)


def _versions(searches: Set[str]) -> str:
    """Of gaopt, Python and what the searches rest on: those of now, for the runs do not say theirs."""
    found = [f"gaopt {__version__}", f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    found += [first.replace("==", " ") for name, (first, *_) in peers.PACKAGES.items() if name in searches]
    return (
        f"Versions when this summary was written: {', '.join(found)}. Runs that were there before may be of earlier"
        " ones; of those that come with gaopt, `docs/search.md` says which."
    )


def means(section: pd.DataFrame, searches: Sequence[str]) -> str:
    """A row a search: its regret, also of three and of seven genes alone and along the way, its rank and its cost."""
    last = section.evaluations.iloc[0]
    rank = section.pivot(index=["problem", "seed"], columns="search", values="regret").dropna().rank(axis=1).mean()
    rows = []
    for name in searches:
        found = section[section.search == name]
        row = {"search": name, "runs": str(len(found)), f"regret at {last}": _mean(found.regret)}
        row |= {"median": f"{found.regret.median():.4f}", "worst tenth": f"{worst(found.regret):.4f}"}
        if section.role.iloc[0] in ("judged", "tuned"):
            for genes in (3, 7):
                row[f"{genes} genes"] = _mean(found.regret[found.problem.str.startswith(f"lc{genes}-")])
        row |= {f"at {mark}": f"{found[f'regret{mark}'].mean():.4f}" for mark in MARKS if mark < last}
        cost = 1e3 * found.seconds.median()
        rows.append(row | {"rank": _number(rank[name], 2), "ms": f"{cost:.0f}" if cost >= 10 else f"{cost:.2g}"})
    return markdown(rows)


def worst(regrets: pd.Series) -> float:
    """The mean of the highest tenth."""
    return float(regrets.nlargest(math.ceil(len(regrets) / 10)).mean())


@dataclass(frozen=True)
class Paired:
    """One search against another.

    Attributes:
        pairs: of the same problem and seed.
        difference: of the mean regrets; below zero the first is better.
        low, high: of its 95 % interval.
        wins: the share of pairs in which the first has the smaller regret; a tie counts half.
        worst: the mean of the highest tenth of the regrets of the first, and of the second.
    """

    pairs: int
    difference: float
    low: float
    high: float
    wins: float
    worst: tuple[float, float]


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
    tenths = worst(first[differences.index]), worst(second[differences.index])
    return Paired(len(differences), float(units.mean()), float(low), float(high), wins, tenths)


def _differences(first: pd.Series, second: pd.Series) -> pd.Series:
    both = first[first.index.isin(second.index)]
    return both - second.reindex(both.index)


def against(regrets: dict[str, pd.Series]) -> str:
    """Ours beside each of the others, on what both ran; and where it is worse than chance."""
    if OURS not in regrets:
        return ""
    rows = [
        {
            f"`{OURS}` against": name,
            "pairs": str(pair.pairs),
            "difference of regret": f"{pair.difference:+.4f}",
            "its interval": f"{pair.low:+.4f} … {pair.high:+.4f}",
            "wins, a tie half": f"{100 * pair.wins:.1f} %",
            "worst tenths of both": " and ".join(f"{tenth:.4f}" for tenth in pair.worst),
        }
        for name, theirs in regrets.items()
        if name != OURS and (pair := paired(regrets[OURS], theirs))
    ]
    parts = [markdown(rows)]
    if CHANCE in regrets:
        of = _differences(regrets[OURS], regrets[CHANCE]).groupby("problem", sort=False)
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


def _cifar10() -> str:
    """How far apart settings and seeds are."""
    found = cifar.surface()
    return f"""\
Real trainings of a ResNet-20 on 4,500 images of CIFAR-10, {found.epochs} epochs each
(`python -m benchmarks.search.cifar`): a smooth surface through {found.rows} points of a Sobol set. Its best has
{found.best:.1f} %, its median {found.median:.1f} %; two trainings of a setting with other seeds are apart by a standard
deviation of {found.between:.2f} points, {100 * found.between / (found.best - found.median):.1f} % of best − median, so
that a regret below that is not seen by one training."""


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
