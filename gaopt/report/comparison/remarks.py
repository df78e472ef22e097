"""What a careful reader should keep in mind about a comparison."""

from __future__ import annotations

from gaopt.compare.model import Comparison
from gaopt.report import format as words
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.comparison.sections import amount

UNEVEN = 0.01
"""A budget that differs by more than this share is pointed out."""


def remarks(found: Evidence) -> list[str]:
    """One a sentence or two."""
    comparison = found.comparison
    return [
        _intervals(comparison),
        *_optimism(found),
        *_budget(comparison),
        *_knowledge(comparison),
        *_finals(comparison),
        *_failures(comparison),
        *_changed(comparison),
        *_missing(comparison),
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
    span = f"between {amount(comparison, low)} and " if low < high else ""
    wanted = "" if comparison.studies else f"was to spend {amount(comparison, comparison.budget)}, and "
    said = f"Each search {wanted}spent {span}{amount(comparison, high)}, counted from its journal."
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


def _finals(comparison: Comparison) -> list[str]:
    scored = [final for final in comparison.finals if final.individual.status == "scored"]
    if not scored or not comparison.splits:
        return []
    own = " The studies had measured their own best on them before, which chose nothing either." * comparison.studies
    return [
        "Finals were trained on training and validation images together, with seeds that no search has seen."
        f" The test images were measured {words.plural(len(scored), 'time')}, once for each final, and chose nothing."
        + own
    ]


def _failures(comparison: Comparison) -> list[str]:
    said = []
    if failed := sum(len(search.history.failed) for search in comparison.searches):
        said.append(f"{words.plural(failed, 'training')} of the searches failed. What they trained counts as spent.")
    if short := {m: len(each) for m, each in comparison.scores().items() if len(each) < len(comparison.seeds)}:
        counts = ", ".join(f"{method} {count}" for method, count in short.items())
        said.append(
            f"Not every seed has a judged score ({counts} of {len(comparison.seeds)}). What is missing is in no mean,"
            " which flatters a method that fails now and then; pairs are of the seeds that both have."
        )
    if broken := [f"{f.method} (seed {f.seed})" for f in comparison.finals if f.individual.status == "failed"]:
        are = "is" if len(broken) == 1 else "are"
        said.append(f"{words.plural(len(broken), 'final')} failed and {are} in no mean: {', '.join(broken)}.")
    return said


def _changed(comparison: Comparison) -> list[str]:
    """With what it was gone on with although trainings were otherwise before."""
    return [
        f"After {words.plural(change.ended, 'training')}, with {change.where}, the comparison was gone on with although"
        f" there had changed: {'; '.join(change.what)}. Scores from before and after may not be comparable."
        for change in comparison.changes
    ]


def _missing(comparison: Comparison) -> list[str]:
    """What is not there yet, or never will be."""
    said, searches = [], comparison.searches
    wanted = len(comparison.methods) * len(comparison.seeds)
    if absent := wanted - len({(search.method, search.seed) for search in searches}):
        said.append(f"{words.plural(absent, 'search', 'searches')} of {wanted} had not begun.")
    if running := sum(not search.history.finished for search in searches):
        said.append(f"{words.plural(running, 'search', 'searches')} had not ended when this was written.")
    if lost := [f"{s.method} (seed {s.seed})" for s in searches if s.history.finished and s.winner is None]:
        said.append(f"No training of these searches has a score, so that they have no winner: {', '.join(lost)}.")
    return said
