"""What a careful reader should keep in mind about the numbers of a search, and what they say of the search itself."""

import re
import shlex
from math import inf, sqrt
from statistics import fmean

from gaopt.config import SEARCHES, StudyConfig, from_tables
from gaopt.journal.history import History, Individual
from gaopt.report import format as words
from gaopt.report import views
from gaopt.space.gene import Gene
from gaopt.study.progress import ended, left_early, metric

NEAR = 0.01
"""A value so near to an end of its range, as a share of it, lies at that end."""
SURE = 2.0
"""Standard errors that luck seldom exceeds."""


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
    said += [
        f"After {words.plural(ended, 'training')} the study was gone on with although there had changed:"
        f" {'; '.join(opened.changed)}. Scores from before and after may not be comparable."
        for opened, ended in history.openings
        if opened.changed
    ]
    said += begun(history)
    said += [f"Individual {i.id}: {note.message}." for i in history.individuals.values() for note in i.notes]
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
    return [
        f"The best was chosen among {words.plural(len(repeated), 'finalist')} by the mean of their trainings, and"
        f" these among {words.plural(len(history.ranked), 'individual')} by their first scores. A first"
        " score was chosen for being good and is part of the mean: that is still optimistic, but less so than a single"
        " score.",
        f"Trained again with other seeds, the finalists scored {words.score(abs(fall))}"
        f" {'less' if history.sign * fall > 0 else 'more'} than at first, on average. Trainings of the same genes"
        f" differ by a standard deviation of {words.score(views.noise(history))}: individuals that differ by no more"
        " may well be equal.",
    ]


def gain(history: History) -> list[str]:
    """By how much the best is above the setting that the recipe has by itself, where the search began with it."""
    own, best = history.individuals.get(0), history.best
    if own is None or best is None or own.birth.origin != "default" or own.status != "scored":
        return []
    had, found = (history.sign * history.means.get(i.id, i.fitness) for i in (own, best))
    return [f"The recipe's own setting, individual {own.id}: {words.score(had)}; the best: {found - had:+.4f}."]


def begun(history: History) -> list[str]:
    """Which individuals the search did not draw or breed itself."""
    config = from_tables(history.config) if history.config else None
    if config is None or config.strategy not in SEARCHES or not history.populations:
        return []
    taken = [i.id for i in history.members(0) if i.birth.origin == "given"]
    by_hand = len({tuple(config.space.vector(genes)) for genes in config.given})
    given, warm = taken[:by_hand], taken[by_hand:]
    said = [f"The first generation began with {words.ids(given)} as given in the config."] if given else []
    if history.recalled:
        bests = [words.score(history.sign * max(found.fitness, default=-inf)) for found in history.recalled]
        studies = " and ".join(
            f"the study {found.study} ({len(found.fitness)} scored, at best {best})"
            for found, best in zip(history.recalled, bests, strict=True)
        )
        taken_over = f"Taken over as the fittest there: {words.ids(warm)}." if warm else "None was taken over."
        said.append(f"The search knew from its start what {studies} had found. {taken_over}")
    return said


def _gap(history: History) -> list[str]:
    """Validation against test, where the best was measured on both by the same metric."""
    best = history.best
    if best is None or best.id not in history.judged:
        return []
    name = metric(history.config)
    validation, test = views.final(best).get(name), history.judged[best.id].metrics.get(name)
    if validation is None or test is None:
        return []
    gap, title = 100 * (validation - test), views.title(name)
    size = f"{abs(gap):.2f} points" if "accuracy" in title else words.score(abs(gap) / 100)
    side = f"{size} {'below' if gap > 0 else 'above'}" if abs(gap) >= 0.005 else "equal to"
    return [
        f"{title[0].upper()}{title[1:]} on the test images is {side} that on validation"
        f" ({views.said(name, test)} and {views.said(name, validation)})."
        " The test images chose nothing: quote their number, not the other."
    ]


def chance(history: History) -> bool:
    """Whether the best does no better than who looks at no image."""
    best, data, images = history.best, history.data, _images(history)
    if best is None or data is None or not images or not views.is_accuracy(best):
        return False
    guess = data.majority("valid")
    return history.means.get(best.id, best.fitness) <= guess + SURE * sqrt(guess * (1 - guess) / images)


def advice(history: History) -> list[str]:
    """What to do about it, or to make of it; a sentence or two each."""
    best = history.best
    if best is None:
        return []
    config = from_tables(history.config)
    bounds = _bounds(history, best) if config.strategy in SEARCHES and not chance(history) else []
    return [*bounds, *_still(history), *_outlook(history, config), *_lead(history, best)]


def _bounds(history: History, best: Individual) -> list[str]:
    ends, tries = [], []
    for name, gene in views.space(history).items():
        if not isinstance(gene, Gene) or name not in best.genes:
            continue
        value = best.genes[name]
        unit = gene.unit(value)
        if unit < 1 - NEAR and not (unit <= NEAR and gene.low):  # zero is taken for the end of all ranges
            continue
        end = "high" if unit >= 1 - NEAR else "low"
        ends.append(f"{name} ({words.value(value)}, the {end}est)")
        if (further := _further(gene, end, value)) != getattr(gene, end):
            key = f"space.{name}.{end}" if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'space."{name}".{end}'
            tries.append(f"--set {shlex.quote(key)}={further:.6g}")
    said = f"The best lies at the end of the range of {' and of '.join(ends)}: there may be better beyond."
    return [f"{said} To try: {' '.join(tries)}" if tries else said] if ends else []


def _further(gene: Gene, end: str, value: float) -> float:
    """An end further out: ten times as far, or wider by its width. What is never below 0, or above 1, stays so."""
    low, high = min(gene.low, value), max(gene.high, value)
    if gene.scale == "log":
        found = high * 10 if end == "high" else low / 10
    elif end == "low":
        found = 2 * low - high if low < 0 else max(2 * low - high, 0.0)
    else:
        found = 2 * high - low if low < 0 or high > 1 else min(2 * high - low, (high + 1) / 2)
    if not gene.integer:
        return float(f"{found:.6g}")
    return max(found // 1, 1.0) if gene.scale == "log" else found // 1


def _still(history: History) -> list[str]:
    """Whether the last generations found nothing fitter; where a rule has not ended the search for that."""
    first = next(iter(history.ranked), None)
    idle = history.generation - first.generation if first else 0
    if first is None or idle < 2 or ended(history):
        return []
    return [
        f"The last {idle} generations found nothing fitter than i{first.id}: more of them would hardly help."
        f" --set stop.generations={idle} ends a search there."
    ]


def _outlook(history: History, config: StudyConfig) -> list[str]:
    """What more of the search could bring, where it has a model that expects something."""
    if config.strategy != "assisted" or history.unfinished:
        return []
    from gaopt.strategies.surrogate.assisted import AssistedSearch  # scipy

    if not (found := AssistedSearch(config).prospect(history)):
        return []
    noise = f", where it holds that trainings of the same genes differ by {words.number(found.noise, 2)}"
    return [
        f"By the search's model a further generation of {found.number} could be expected to improve the best by"
        f" {words.number(found.gain, 2)}{noise if found.noise > found.gain else ''}."
    ]


def _lead(history: History, best: Individual) -> list[str]:
    """Who may be as good as the best, by what is known of luck: of trainings again, or of as many images."""
    scores = history.means or {i.id: i.fitness for i in history.ranked}
    repeated, images, reach = history.repeated, _images(history), 0.0
    if best.id in repeated:
        reach = SURE * views.noise(history) * sqrt(2 / min(map(len, repeated.values())))
    elif images and views.is_accuracy(best):
        reach = SURE * sqrt(2 * best.fitness * (1 - best.fitness) / images)
    near = [id for id in scores if id != best.id and scores[id] >= scores[best.id] - reach]
    if not near:
        return []
    near.sort(key=scores.__getitem__, reverse=True)
    more = f" and {words.plural(len(near) - 1, 'other')}" if len(near) > 1 else ""
    if all(scores[id] == scores[best.id] for id in near):
        return [f"i{best.id} shares its score with i{near[0]}{more}: nothing here tells which of them is the best."]
    return [
        f"The lead of i{best.id} is within noise: i{near[0]}{more} scored less than {words.score(reach)} behind it, by"
        " which such scores differ by luck alone."
    ]


def _images(history: History) -> int:
    """Of the validation split; 0 if unknown."""
    return sum(history.data.counts.get("valid", ())) if history.data else 0
