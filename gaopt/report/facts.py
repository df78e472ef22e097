"""What the page says, as plain words: the same for HTML and Markdown, and nothing of either."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import tomli_w

from gaopt.journal.history import History, Individual
from gaopt.journal.lock import held
from gaopt.journal.paths import StudyDir
from gaopt.printable import printable, printable_lines
from gaopt.report import finalists, images, paper_results, tables, views
from gaopt.report import format as words
from gaopt.report.advice import chance
from gaopt.report.remarks import gain, remarks
from gaopt.report.table import Table
from gaopt.space.gene import Choice
from gaopt.study import progress

LISTED = 200
"""Individuals in the page's table; individuals.csv has all."""
WALL_TIME = "Wall time runs from the first event to the last, pauses between two sittings included."


@dataclass(frozen=True)
class Facts:
    """The words of a report, section by section."""

    name: str
    state: str
    result: list[str]
    numbers: list[tuple[str, str]]
    variants: Table
    verdicts: list[str]
    images: Table
    generations: Table
    individuals: Table
    omitted: int
    note: str
    finalists: Table
    failures: Table
    published: Table
    remarks: list[str]
    toml: str
    commands: list[tuple[str, str]]
    made_with: str
    weights: bool


def facts(history: History, home: StudyDir) -> Facts:
    """All that the page says about a study."""
    ranked = views.ranked(history)
    return Facts(
        name=home.name,
        state=state(history, home),
        result=[title] if (title := paper_results.title(history)) else result(history),
        numbers=numbers(history),
        variants=_variants(history),
        verdicts=paper_results.verdicts(history),
        images=images.table(history),
        generations=_generations(history),
        individuals=_individuals(history, ranked[:LISTED]),
        omitted=max(0, len(ranked) - LISTED),
        note=_note(history),
        finalists=finalists.table(history),
        failures=_failures(history),
        published=_published(history),
        remarks=[*(paper_results.remarks(history) or remarks(history)), *images.remarks(history), WALL_TIME],
        toml=printable_lines(tomli_w.dumps(history.config)),
        commands=_commands(home),
        made_with=f"gaopt {history.opened.version}" if history.opened else "gaopt",
        weights=home.weights.is_file(),
    )


_STATES = {
    "interrupted": "interrupted, can be resumed",
    "failed": "ended by an error, can be resumed",
    "cut off": "cut off, can be resumed",
}


def state(history: History, home: StudyDir) -> str:
    """In one word or sentence, whether the study goes on."""
    found = progress.state(history, home.journal.exists() and held(home.path))
    return _STATES.get(found, found)


def result(history: History) -> list[str]:
    """The outcome in a few sentences."""
    best, early, beside = history.best, _ended(history), images.beside(history)
    if best is None:
        return ["No individual has a score.", *early]
    genes = words.genes(best.genes, views.space(history))
    if best.id in history.means:
        found = f"Individual i{best.id} is the best of {len(history.means)} finalists: {genes}, with"
        return [
            f"{found} {finalists.measure(history, best)}.",
            *gain(history),
            *chance(history),
            *_tested(history, best),
            *beside,
            *early,
        ]
    found = f"Individual i{best.id} is the fittest of {len(history.scored)} scored: {genes}, with {measure(best)}"
    return [f"{found}.", *gain(history), *chance(history), *_tested(history, best), *beside, *early]


def _ended(history: History) -> list[str]:
    reason = progress.ended(history)
    return [f"The search ended early: {reason}."] if reason else []


def measure(best: Individual) -> str:
    """A fitness in words; by the name of the metric that it is, where it is one."""
    if views.is_accuracy(best):
        return f"a validation top-1 accuracy of {words.percent(best.fitness)}"
    return f"a fitness of {words.score(best.fitness)}"


def _tested(history: History, best: Individual) -> list[str]:
    """What the test images say, and how often they were used."""
    if not history.judged:
        return ["The test images were not used."] if views.of_images(history) else []
    if best.id not in history.judged:
        return [_again(history)]
    metrics, certain = history.judged[best.id].metrics, views.certain(history.individuals.values())
    said = ", ".join(_metric(name, metrics[name]) for name in sorted(metrics.keys() - certain, key=_usual))
    sentences = [f"On the test images this model reaches {said}."]
    if len(history.judged) > 1:
        return [*sentences, _again(history)]
    return [*sentences, "They were used once, at the end, by the best model only."]


def _again(history: History) -> str:
    times = words.plural(len(history.judged), "time")
    ids = words.ids(sorted(history.judged))
    return f"The test images were used {times}, by the best model of each time that the search ended: {ids}."


def _usual(name: str) -> tuple[bool, str]:
    return not name.startswith("top"), name


def _metric(name: str, value: float) -> str:
    if name in ("top1", "top3", "top5"):
        return f"top-{name[3:]} {words.percent(value)}"
    return f"{name} {words.score(value)}"


def numbers(history: History) -> list[tuple[str, str]]:
    """(what, how much): the cost of the study."""
    everyone = history.individuals.values()
    left = progress.left_early(history)
    early = [("left early", str(len(left)))] if left else []
    again = sum(len(i.retried) for i in everyone)
    searched = [] if paper_results.title(history) else [("generations", str(len(history.populations)))]
    return [
        *searched,
        ("trainings", str(sum(len(i.early) + i.done for i in everyone))),
        *early,
        ("failed", str(len(history.failed))),
        *([("begun again", str(again))] if again else []),
        ("unfinished", str(len(history.unfinished))),
        ("epochs", str(sum(i.epochs for i in everyone))),
        ("training time", words.duration(sum(i.seconds for i in everyone))),
        ("wall time", words.duration(history.elapsed)),
    ]


def _generations(history: History) -> Table:
    rows, table = [], tables.generations(history)
    early = ["early"] if "early" in table else []
    for row in table.to_dict("records"):
        whole = [str(row["generation"] + 1), *(str(row[key]) for key in ("size", "trained", *early, "failed"))]
        fit = [words.score(float(row[key])) for key in ("best", "mean", "median", "best_so_far")]
        who = f"i{row['best_id']}" if math.isfinite(row["best"]) else "–"
        rows.append([*whole, who, *fit, words.duration(row["seconds"])])
    counts = ["generation", "size", "trained", *(["left early"] if early else []), "failed"]
    return Table([*counts, "fittest", "best", "mean", "median", "best so far", "time"], rows)


def _variants(history: History) -> Table:
    rows = [paper_results.row(one) for one in paper_results.compared(history)]
    return Table(paper_results.HEAD, rows, frozenset({0, len(paper_results.HEAD) - 1}))


def _published(history: History) -> Table:
    """What the papers print for the same data, our own test error in its place among them."""
    ours = paper_results.tested(history)
    printed = paper_results.beside(history.config) if ours is not None else []
    rows = [(each.error, [each.method, each.printed, each.source]) for each in printed if each.error is not None]
    if printed and ours is not None and history.best:
        rows.append((ours, [f"this study, i{history.best.id}", f"{ours:.2f}", "its test images, once"]))
    rows.sort(key=lambda row: row[0])
    strong = next((n for n, (_, cells) in enumerate(rows) if cells[0].startswith("this study")), -1)
    return Table(["method", "test error %", "source"], [cells for _, cells in rows], frozenset({0, 2}), strong)


def _individuals(history: History, ranked: list[Individual]) -> Table:
    names = list(views.space(history))
    means = history.means
    digits = words.decimals(i.fitness for i in ranked if i.status == "scored")
    rows = [_row(rank, i, names, means, digits) for rank, i in zip(_ranks(ranked, means), ranked, strict=True)]
    again = ["mean"] if means else []
    head = ["rank", "id", *again, "fitness", *names, "generation", "origin", "parents", "epochs", "time"]
    text = {len(head) - 4, len(head) - 3} | {
        len(again) + 3 + n for n, name in enumerate(names) if _wordy(history, name)
    }
    return Table(head, rows, frozenset(text), 0 if history.best else -1)


def _wordy(history: History, name: str) -> bool:
    """Whether a gene's values are not numbers."""
    gene = views.space(history)[name]
    return isinstance(gene, Choice) and any(isinstance(value, str | bool) for value in gene.choices)


def _note(history: History) -> str:
    """What the table of individuals does not say itself."""
    said = []
    if history.means:
        said.append("The finalists are ranked by the mean of their trainings, the others by the one score they have.")
    if history.early:
        said.append("Those left early have their score after a short training, beside its share of a whole one.")
    return " ".join(said)


def _ranks(ranked: list[Individual], means: Mapping[int, float]) -> list[str]:
    """Equals share a rank; a dash for those without a score."""
    ranks: list[str] = []
    for place, individual in enumerate(ranked):
        before = ranked[place - 1] if place else None
        equal = before and means.get(before.id, before.fitness) == means.get(individual.id, individual.fitness)
        rank = ranks[-1] if equal and before and (before.id in means) == (individual.id in means) else str(place + 1)
        ranks.append(rank if individual.status == "scored" else "–")
    return ranks


def _row(rank: str, individual: Individual, names: Iterable[str], means: Mapping[int, float], digits: int) -> list[str]:
    return [
        rank,
        f"i{individual.id}",
        *([words.score(means.get(individual.id))] if means else []),
        _fitness(individual, digits),
        *(words.value(individual.genes.get(name)) for name in names),
        str(individual.generation + 1),
        individual.birth.origin,
        " ".join(f"i{parent}" for parent in individual.birth.parents) or "–",
        str(individual.epochs),
        words.duration(individual.seconds) if individual.done or individual.early else "–",
    ]


def _fitness(individual: Individual, digits: int) -> str:
    if individual.status == "early":
        return f"{words.score(views.score(individual))} at {words.portion(individual.share)}"
    return words.score(individual.fitness, digits) if individual.status == "scored" else individual.status


def _failures(history: History) -> Table:
    names = list(views.space(history))
    rows = []
    for failed in history.failed:
        failure: Any = failed.failure
        rows.append([f"i{failed.id}", words.genes(failed.genes, names), failure.reason, failure.message or "–"])
    return Table(["id", "genes", "reason", "message"], rows, frozenset({1, 2, 3}))


def _commands(home: StudyDir) -> list[tuple[str, str]]:
    return [
        ("the same again, from the config.toml beside this report", "gaopt run config.toml"),
        ("go on with this study where it stopped", f"gaopt resume {shlex.quote(printable(home.name))}"),
    ]
