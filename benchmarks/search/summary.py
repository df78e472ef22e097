"""The summary of a benchmark: from its runs to README.md beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search import compare, problems, provenance, runs, table
from benchmarks.search.group import Section, sections
from benchmarks.search.measure import EVALUATIONS, MARKS, Case, Run
from benchmarks.search.searches import OURS
from benchmarks.search.trained import CUT, PRESET
from gaopt.errors import BadInput

NAME = "README.md"
CHANCE = "random"

Row = dict[str, str]


def write(folder: Path) -> Path:
    """Write the summary of a folder's runs, replaced whole.

    Returns:
        Its path.

    Raises:
        BadInput: there are no runs, or they cannot be read, or the summary not be written.
    """
    if not (found := runs.read(folder / runs.NAME)):
        raise BadInput(f"there are no runs in {folder}: must be a folder that `gaopt bench search` wrote to")
    path, part = folder / NAME, folder / f"{NAME}.part"
    try:
        part.write_text(text(found), "utf-8")
        part.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from None
    return path


def text(found: Mapping[Case, Run]) -> str:
    """The summary in Markdown; the same runs give the same text with the same versions on the same machine."""
    parts = [
        _head(),
        "\n".join(["```", *provenance.commands(found), "```"]),
        f"{provenance.versions()}; {provenance.processor()}.",
    ]
    for section in sections(found.values()):
        parts += [f"## {section.title}", means(section), *(against(section, ours) for ours in OURS)]
        parts.append(_remark(section) or each(section))
    return "\n\n".join(part for part in parts if part) + "\n"


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
computing time for one suggestion, on one thread. The runs are in [{runs.NAME}]({runs.NAME}); made by"""


def means(section: Section) -> str:
    """A row a search: its regret, also of three and of seven genes alone and along the way, its rank and its cost."""
    ranks = compare.ranks(compare.regrets(section.runs))
    return _table([_means(name, found, section, ranks[name]) for name, found in section.runs.items()])


def _means(name: str, found: Sequence[Run], section: Section, rank: float) -> Row:
    regrets = [run.regret for run in found]
    row = {"search": name, "runs": str(len(found)), f"regret at {EVALUATIONS}": _mean(regrets)}
    row |= {"median": f"{np.median(regrets):.4f}"}
    if section.role in ("judged", "tuned"):
        sizes = {"3 genes": "lc3-", "7 genes": "lc7-"}
        row |= {
            size: _mean([run.regret for run in found if run.case.problem.startswith(start)])
            for size, start in sizes.items()
        }
    row |= {f"at {mark}": f"{np.mean([run.regrets[n] for run in found]):.4f}" for n, mark in enumerate(MARKS[:-1])}
    cost, epochs = 1e3 * np.median([run.seconds for run in found]), np.mean([run.epochs for run in found])
    ms = f"{cost:.0f}" if cost >= 10 else f"{cost:.2g}"
    return row | {"rank": _number(rank, 2), "ms": ms, "epochs": f"{epochs:.0f}"}


def against(section: Section, ours: str) -> str:
    """One of ours beside each of the others, on what both ran; nothing where it did not run."""
    regrets = compare.regrets(section.runs)
    if ours not in regrets:
        return ""
    rows = [
        {
            f"`{ours}` against": name,
            "pairs": str(pair.pairs),
            "difference of regret": f"{pair.difference:+.4f}",
            "its interval": f"{pair.low:+.4f} … {pair.high:+.4f}",
            "wins, a tie half": f"{100 * pair.wins:.1f} %",
        }
        for name, theirs in regrets.items()
        if name != ours and (pair := compare.paired(regrets[ours], theirs))
    ]
    return "\n\n".join(filter(None, [_table(rows), _worse(ours, regrets)]))


def _worse(ours: str, regrets: Mapping[str, compare.Regrets]) -> str:
    if CHANCE not in regrets:
        return ""
    worse = compare.worse(regrets[ours], regrets[CHANCE])
    return f"Worse than random by more than the standard error of the pairs: {', '.join(worse) or 'on no problem'}."


def each(section: Section) -> str:
    """A row a problem: the mean regret of each search."""
    found = {name: compare.by_problem(regrets) for name, regrets in compare.regrets(section.runs).items()}
    return _table(
        [
            {"regret": problem}
            | {name: _number(np.mean(of[problem]) if problem in of else math.nan, 4) for name, of in found.items()}
            for problem in section.problems
        ]
    )


def _remark(section: Section) -> str:
    """What is to be said of trainings that are real; nothing of a surrogate."""
    match section.role:
        case "digits":
            return _digits()
        case "trained":
            return _trained()
        case _:
            return ""


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
Real trainings of the preset `{table.PRESET}` on scikit-learn's digits (`python -m benchmarks.search.digits`):
{trained.rows} points of a Sobol set, {trained.seeds} seeds each; genes have the score of the nearest point. The best
has {best}, the one in the middle {median}, and {near} of the points are within one percentage point of the
best. So the table shows how soon a search leaves the many settings that learn nothing (the columns *at 10* and
*at 20*). Which search finds the very best it cannot show: the plateau is wide and flat."""


def _mean(values: Sequence[float]) -> str:
    if not values:
        return "–"
    return f"{np.mean(values):.4f} ± {compare.standard_error(values):.4f}" if len(values) > 1 else f"{values[0]:.4f}"


def _number(value: float | np.floating[Any], digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _table(rows: Sequence[Row]) -> str:
    """The first column is of words, the others of numbers; nothing of no rows."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---", *(["---:"] * (len(rows[0]) - 1))], *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
