"""The report of a comparison: its page as a list of sections, and what to keep in mind."""

import platform
import shlex
from pathlib import Path

import tomli_w

from gaopt.compare.model import Comparison
from gaopt.journal.paths import ComparisonDir
from gaopt.printable import printable, printable_lines
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.comparison import sections
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.comparison.tables import tables
from gaopt.report.importance import untold
from gaopt.report.page import Page, Section, save
from gaopt.report.plots.genes import searched
from gaopt.report.plots.importance import importance
from gaopt.report.plots.methods import judged, progress, seeds, winners

UNEVEN = 0.01
"""A budget that differs by more than this share is pointed out."""
FIGURES = (progress, seeds, judged, winners, searched)


def write(comparison: Comparison, home: ComparisonDir) -> list[Path]:
    """Write every file of the report, each replaced whole, the page first. The same is written of the same."""
    found = Evidence(comparison)
    return save(page(found, home), home, tables(found))


def page(found: Evidence, home: ComparisonDir) -> Page:
    """All that is said of a comparison."""
    return Page(
        kind="gaopt comparison",
        name=home.name,
        state=state(found.comparison),
        result=[found.verdict, *_means(found)],
        numbers=numbers(found.comparison),
        sections=[
            sections.setting(found),
            sections.methods(found),
            sections.contrasts(found),
            sections.costs(found),
            *(figure for draw in FIGURES if (figure := draw(found))),
            importance(found.importance) or Section(importance.title, text=untold(found.trainings)),
            sections.published(found),
            Section("What to keep in mind", items=remarks(found)),
            _reproduce(found.comparison, home),
        ],
    )


def state(comparison: Comparison) -> str:
    """Whether all that was to be run has ended."""
    wanted = len(comparison.methods) * len(comparison.seeds)
    over = sum(search.history.finished for search in comparison.searches)
    judged = sum(final.individual.done for final in comparison.finals)
    if not wanted or over < wanted:
        return f"{over} of {wanted} searches have ended" if wanted else "nothing was run yet"
    winners = sum(search.winner is not None for search in comparison.searches)
    if judged < len(comparison.finals) or (winners and not comparison.finals):
        return f"the searches have ended, {judged} finals too"
    return "finished"


def _means(found: Evidence) -> list[str]:
    """What the numbers are, for who reads no further than the verdict."""
    if not found.judged:
        return []
    ranked = sorted(found.judged.items(), key=lambda pair: -pair[1].mean)
    each = ", ".join(f"{method} {found.unit.score(judged.mean)}{found.unit.sign}" for method, judged in ranked)
    return [f"Mean {found.score_name} over {words.plural(len(found.comparison.seeds), 'seed')}: {each}."]


def numbers(comparison: Comparison) -> list[tuple[str, str]]:
    """(what, how much): the size and the cost of the comparison."""
    everyone = [i for search in comparison.searches for i in search.history.individuals.values()]
    return [
        ("methods", str(len(comparison.methods))),
        ("seeds", str(len(comparison.seeds))),
        ("searches", str(len(comparison.searches))),
        ("trainings", str(views.trainings(everyone))),
        ("epochs", str(sum(i.epochs for i in everyone))),
        ("training time", words.duration(sum(i.seconds for i in everyone))),
        ("finals", str(sum(final.individual.status == "scored" for final in comparison.finals))),
    ]


def remarks(found: Evidence) -> list[str]:
    """One a sentence or two."""
    comparison = found.comparison
    return [
        _intervals(comparison),
        *_optimism(found),
        *_budget(comparison),
        *_knowledge(comparison),
        *_failures(comparison),
        *_changed(comparison),
    ]


def _intervals(comparison: Comparison) -> str:
    if len(comparison.seeds) < 2:
        return "There is one seed. Nothing here tells what a method does from what luck did."
    images = ", all judged on the same test images: they say nothing of other images" if comparison.splits else ""
    return (
        f"Intervals and p-values are over {len(comparison.seeds)} seeds, of the search and of the training{images}."
        " Nor do they say anything of other data, other networks, or another budget."
    )


def _optimism(found: Evidence) -> list[str]:
    if not found.optimism:
        return []
    method, largest = max(found.optimism.items(), key=lambda each: each[1].mean)
    said = "A winner's own score was chosen for being high, so that part of it is luck: quote the judged score."
    if largest.mean > 0:
        said += f" On average it is up to {found.unit.gap(largest.mean)}{found.unit.points} too high ({method})."
    if found.comparison.splits:
        more = ", so that optimism is understated" if largest.mean > 0 else ": that hides optimism, here all of it"
        said += f" Finals had more images to learn from than searches{more}."
    return [said]


def _budget(comparison: Comparison) -> list[str]:
    spent = [float(getattr(search, comparison.cost)) for search in comparison.searches]
    if not spent or not comparison.budget:
        return []
    low, high = min(spent), max(spent)
    span = f"between {sections.amount(comparison, low)} and " if low < high else ""
    wanted = "" if comparison.studies else f"was to spend {sections.amount(comparison, comparison.budget)}, and "
    said = f"Each search {wanted}spent {span}{sections.amount(comparison, high)}, counted from its journal."
    if max(high - low, abs(high - comparison.budget), abs(low - comparison.budget)) / comparison.budget > UNEVEN:
        said += " They differ by more than 1 %: a method may have done better for having had more."
    return [f"{said} Computing what to train next is not counted."]


def _knowledge(comparison: Comparison) -> list[str]:
    """What a search was told beforehand, and the others were not."""
    if comparison.studies:
        everyone = [(s.method, i.birth.origin) for s in comparison.searches for i in s.history.individuals.values()]
        knew = dict.fromkeys(method for method, origin in everyone if origin == "default")
        if len(knew) in (0, len(comparison.methods)):
            return []
        return [f"Only {' and '.join(knew)} began with the recipe's own setting; the others began without."]
    told = [f"[{name}]" for name in ("given", "warm", "fidelity") if comparison.config.get(name)]
    if not told or not comparison.methods:
        return []
    return [f"Only searches that the config is for had its {' and '.join(told)}; the others began without."]


def _failures(comparison: Comparison) -> list[str]:
    said, scores = [], comparison.scores()
    if failed := sum(len(search.history.failed) for search in comparison.searches):
        said.append(f"{words.plural(failed, 'training')} of the searches failed. What they trained counts as spent.")
    pairs = [(method, seed) for method in comparison.methods for seed in comparison.seeds] if comparison.finals else []
    if lost := [f"{method} (seed {seed})" for method, seed in pairs if seed not in scores.get(method, {})]:
        said.append(
            f"Not judged, for the search has no winner or its final failed: {', '.join(lost)}. What is missing is in no"
            " mean, which flatters a method that fails now and then; pairs are of the seeds that both have."
        )
    return said


def _changed(comparison: Comparison) -> list[str]:
    """With what it was gone on with although trainings were otherwise before."""
    return [
        f"After {words.plural(change.ended, 'training')}, with {change.where}, the comparison was gone on with although"
        f" there had changed: {'; '.join(change.what)}. Scores from before and after may not be comparable."
        for change in comparison.changes
    ]


def _reproduce(comparison: Comparison, home: ComparisonDir) -> Section:
    opened = {search.history.opened.version for search in comparison.searches if search.history.opened}
    ran = " and ".join(sorted(opened)) or "–"
    return Section(
        "How to reproduce",
        text=f"Run by gaopt {ran}; written with Python {platform.python_version()}. On a GPU sums may be taken in"
        " another order, so that scores, and with them a search, can differ a little. The config is what all searches"
        " share.",
        commands="# go on where it stopped, or write this report again\n"
        f"gaopt compare {shlex.quote(printable(home.name))}\n"
        "# all of it again, from the plan beside this report: in this folder\n"
        "mkdir again && cp comparison.toml again/ && gaopt compare ./again",
        toml=printable_lines(tomli_w.dumps(dict(comparison.config))),
    )
