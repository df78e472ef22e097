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
