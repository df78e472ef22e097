"""The summary of a benchmark: from its runs to README.md beside them."""

from __future__ import annotations

import math
import platform
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search import compare, problems, runs, table
from benchmarks.search.problems import ROLES, names, role
from benchmarks.search.runs import EVALUATIONS, MARKS, Case, Run
from benchmarks.search.searches import OURS, SEARCHES
from benchmarks.search.table import CUT, PRESET
from gaopt import __version__
from gaopt.errors import BadInput

TITLES = {"judged": "Judged problems", "tuned": "Tuned problems", "digits": "Digits", "trained": "Real trainings"}


@dataclass(frozen=True)
class Section:
    """Attributes:
    runs: of each search, those of the smallest mean regret first.
    """

    role: str
    together: int
    noise: float
    runs: dict[str, list[Run]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        how = "one at a time" if self.together == 1 else f"in batches of {self.together}"
        return f"{TITLES[self.role]}, {how}" + (f", noise of {self.noise:g} points" if self.noise else "")

    @property
    def problems(self) -> list[str]:
        return sorted({run.case.problem for runs in self.runs.values() for run in runs})


def sections(found: Iterable[Run]) -> list[Section]:
    """Without noise first, then judged, tuned, digits."""
    groups: dict[tuple[float, int, int], dict[str, list[Run]]] = {}
    for run in found:
        key = (run.case.noise, ROLES.index(role(run.case.problem)), run.case.together)
        groups.setdefault(key, {}).setdefault(run.case.search, []).append(run)
    return [
        Section(ROLES[role], together, noise, _ordered(groups[noise, role, together]))
        for noise, role, together in sorted(groups)
    ]


def _ordered(runs: dict[str, list[Run]]) -> dict[str, list[Run]]:
    return dict(sorted(runs.items(), key=lambda pair: float(np.mean([run.regret for run in pair[1]]))))


PACKAGES = ("numpy", "scipy", "torch", "onnxruntime", "optuna", "cmaes")


def commands(cases: Iterable[Case]) -> list[str]:
    """The commands that make these runs from nothing, one for each noise."""
    by_noise: dict[float, list[Case]] = {}
    for case in cases:
        by_noise.setdefault(case.noise, []).append(case)
    return [_command(by_noise[noise]) for noise in sorted(by_noise)]


def _command(cases: Sequence[Case]) -> str:
    searches = [name for name in SEARCHES if any(case.search == name for case in cases)]
    words = ["--searches", ",".join(searches), "--seeds", str(1 + max(case.seed for case in cases))]
    if (problems := {case.problem for case in cases}) != set(names()):
        words += ["--problems", ",".join(sorted(problems))]
    for together in sorted({case.together for case in cases}):
        words += ["--together", str(together)]
    words += ["--noise", f"{cases[0].noise:g}"] if cases[0].noise else []
    return f"gaopt bench search --data FOLDER {shlex.join(words)}"


def versions() -> str:
    """Of gaopt, Python and what the searches rest on: those of now."""
    found = [f"gaopt {__version__}", f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def processor() -> str:
    """What it calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


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
        "\n".join(["```", *commands(found), "```"]),
        f"{versions()}; {processor()}.",
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
Real trainings of the preset `{PRESET}` on scikit-learn's digits (`python -m benchmarks.search.digits`):
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
