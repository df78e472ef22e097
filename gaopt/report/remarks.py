"""What a careful reader should keep in mind about the numbers of a search."""

from __future__ import annotations

from statistics import fmean

from gaopt.config import SEARCHES, from_tables
from gaopt.journal.events import Recalled
from gaopt.journal.history import History
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.advice import advice
from gaopt.study.progress import left_early


def remarks(history: History) -> list[str]:
    """One a sentence or two."""
    said = advice(history)
    if history.means:
        said += _finalists(history)
    elif len(history.scored) > 1:
        said.append(
            f"The best was chosen among {len(history.scored)} by the very score that is reported for it, so that"
            " score is optimistic: part of it is luck, and the more individuals, the larger the part."
        )
    said += _gap(history)
    if not any(i.birth.trial for i in history.individuals.values()):
        said.append(
            "Every individual was trained once, with one seed. The noise between trainings of the same genes is"
            " not measured here; individuals that differ by little may well be equal."
        )
    if left := left_early(history):
        said.append(
            f"{words.plural(len(left), 'individual')} had only short trainings. Such a score is no"
            " estimate of a whole one: it is held against those of equally short trainings alone, and is in no mean."
        )
    if history.failed:
        said.append(f"{words.plural(len(history.failed), 'training')} failed: no fitness, and no part in any mean.")
    said += changed(history)
    said += begun(history)
    said += [f"Individual {i.id}: {note.message}." for i in history.individuals.values() for note in i.notes]
    if history.unfinished:
        said.append(f"{words.plural(len(history.unfinished), 'individual')} had no outcome when this was written.")
    return said + common(history)


def common(history: History) -> list[str]:
    """What is amiss with the images, and what a time is, of an experiment too."""
    warnings = history.data.warnings if history.data else ()
    time = "Wall time runs from the first event to the last, pauses between two sittings included."
    return [*(f"{warning[:1].upper()}{warning[1:]}." for warning in warnings), time]


def _finalists(history: History) -> list[str]:
    """How the best was chosen, and how much of a score is luck."""
    repeated = history.repeated.values()
    fall = fmean(trials[0].fitness - fmean(trial.fitness for trial in trials[1:]) for trials in repeated)
    way = "less" if fall > 0 else "more"
    return [
        f"The best was chosen among {words.plural(len(repeated), 'finalist')} by the mean of their trainings, and"
        f" these among {words.plural(len(views.first_scores(history)), 'individual')} by their first scores. A first"
        " score was chosen for being high and is part of the mean: that is still optimistic, but less so than a single"
        " score.",
        f"Trained again with other seeds, the finalists scored {words.score(abs(fall))} {way} than at first, on"
        " average. Trainings of the same genes differ by a standard deviation of"
        f" {words.score(views.noise(history))}: individuals that differ by no more than that may well be equal.",
    ]


def changed(history: History) -> list[str]:
    """With what the study was gone on with although trainings were otherwise before."""
    return [
        f"After {words.plural(ended, 'training')} the study was gone on with although there had changed:"
        f" {'; '.join(opened.changed)}. Scores from before and after may not be comparable."
        for opened, ended in history.openings
        if opened.changed
    ]


def gain(history: History) -> list[str]:
    """By how much the best is above the setting that the recipe has by itself, where the search began with it."""
    own, best = history.individuals.get(0), history.best
    if own is None or best is None or own.birth.origin != "default" or own.status != "scored":
        return []
    had, found = (history.means.get(i.id, i.fitness) for i in (own, best))
    return [f"The recipe's own setting, individual {own.id}: {words.score(had)}; the best: {found - had:+.4f}."]


def begun(history: History) -> list[str]:
    """Which individuals the search did not draw or breed itself."""
    config = from_tables(history.config) if history.config else None
    if config is None or config.strategy not in SEARCHES or not history.populations:
        return []
    taken = [i.id for i in history.members(0) if i.birth.origin == "given"]
    by_hand = len({tuple(config.space.vector(genes)) for genes in config.given})
    said = []
    if given := taken[:by_hand]:
        said.append(f"The first generation began with {words.ids(given)} as given in the config.")
    if history.recalled:
        studies = " and ".join(_recalled(each) for each in history.recalled)
        warm = (
            f"Taken over as the fittest there: {words.ids(taken[by_hand:])}."
            if taken[by_hand:]
            else "None was taken over."
        )
        said.append(f"The search knew from its start what {studies} had found. {warm}")
    return said


def _recalled(found: Recalled) -> str:
    fittest = f", at best {words.score(max(found.fitness))}" if found.fitness else ""
    return f"the study {found.study} ({len(found.fitness)} scored{fittest})"


def _gap(history: History) -> list[str]:
    """Validation against test, where the best was measured on both by the same metric."""
    best = history.best
    if best is None or best.id not in history.judged:
        return []
    validation, test = views.final(best).get("top1"), history.judged[best.id].metrics.get("top1")
    if validation is None or test is None:
        return []
    gap = 100 * (validation - test)
    side = f"{abs(gap):.2f} points {'below' if gap > 0 else 'above'}" if abs(gap) >= 0.005 else "equal to"
    return [
        f"Top-1 on the test images is {side} that on validation ({words.percent(test)} and"
        f" {words.percent(validation)})."
        " The test images chose nothing: quote their number, not the other."
    ]
