"""What the page says, as plain words: the same for HTML and Markdown, and nothing of either."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import tomli_w

from gaopt import progress
from gaopt.history import History, Individual
from gaopt.home import Home
from gaopt.journal import held
from gaopt.report import compared, reading, tables, words

LISTED = 200
"""Individuals in the page's table; individuals.csv has all."""
WALL_TIME = "Wall time runs from the first event to the last, pauses between two sittings included."


@dataclass(frozen=True)
class Table:
    """Cells as words. `text` holds the indices of columns that are not numbers; `strong`, a row to point out."""

    head: list[str]
    rows: list[list[str]]
    text: frozenset[int] = frozenset()
    strong: int = -1


@dataclass(frozen=True)
class Facts:
    """The words of a report, section by section."""

    name: str
    state: str
    result: list[str]
    numbers: list[tuple[str, str]]
    variants: Table
    verdicts: list[str]
    generations: Table
    individuals: Table
    omitted: int
    failures: Table
    published: Table
    remarks: list[str]
    toml: str
    commands: list[tuple[str, str]]
    made_with: str
    weights: bool


def facts(history: History, home: Home) -> Facts:
    """All that the page says about a study."""
    ranked = reading.ranked(history)
    return Facts(
        name=home.name,
        state=state(history, home),
        result=[title] if (title := compared.title(history)) else result(history),
        numbers=numbers(history),
        variants=_variants(history),
        verdicts=compared.verdicts(history),
        generations=_generations(history),
        individuals=_individuals(history, ranked[:LISTED]),
        omitted=max(0, len(ranked) - LISTED),
        failures=_failures(history),
        published=_published(history),
        remarks=[*(compared.remarks(history) or remarks(history)), WALL_TIME],
        toml=tomli_w.dumps(history.config),
        commands=_commands(home),
        made_with=f"gaopt {history.opened.version}" if history.opened else "gaopt",
        weights=home.weights.is_file(),
    )


_STATES = {
    "interrupted": "interrupted, can be resumed",
    "failed": "ended by an error, can be resumed",
    "killed": "cut off, can be resumed",
}


def state(history: History, home: Home) -> str:
    """In one word or sentence, whether the study goes on."""
    found = progress.state(history, home.journal.exists() and held(home.journal))
    return _STATES.get(found, found)


def result(history: History) -> list[str]:
    """The outcome in at most three sentences."""
    best = history.best
    if best is None:
        return ["No individual has a score."]
    genes = words.genes(best.genes, reading.space(history))
    found = f"Individual i{best.id} is the fittest of {len(history.scored)} scored: {genes}, with {measure(best)}"
    return [f"{found}.", *_tested(history, best)]


def measure(best: Individual) -> str:
    """A fitness in words; by the name of the metric that it is, where it is one."""
    top1 = reading.final(best).get("top1")
    if top1 is not None and top1 == best.fitness:
        return f"a validation top-1 accuracy of {words.percent(top1)}"
    return f"a fitness of {words.score(best.fitness)}"


def _tested(history: History, best: Individual) -> list[str]:
    """What the test images say, and how often they were used."""
    if best.id not in history.judged:
        return ["The test images were not used."] if not history.judged else [_again(history)]
    metrics = history.judged[best.id].metrics
    said = ", ".join(_metric(name, metrics[name]) for name in sorted(metrics, key=_usual))
    sentences = [f"On the test images this model reaches {said}."]
    if len(history.judged) > 1:
        return [*sentences, _again(history)]
    return [*sentences, "They were used once, at the end, by the best model only."]


def _again(history: History) -> str:
    ids = ", ".join(f"i{id}" for id in sorted(history.judged))
    times = words.plural(len(history.judged), "time")
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
    done = [i for i in everyone if i.done]
    searched = [] if compared.title(history) else [("generations", str(len(history.populations)))]
    return [
        *searched,
        ("trainings", str(len(done))),
        ("failed", str(len(history.failed))),
        ("unfinished", str(len(history.unfinished))),
        ("epochs", str(sum(i.epochs for i in everyone))),
        ("training time", words.duration(sum(i.seconds for i in done))),
        ("wall time", words.duration(max(0.0, history.updated - history.created))),
    ]


def remarks(history: History) -> list[str]:
    """What a careful reader should keep in mind about these numbers."""
    said = []
    if len(history.scored) > 1:
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
    if history.failed:
        said.append(f"{words.plural(len(history.failed), 'training')} failed: no fitness, and no part in any mean.")
    if history.unfinished:
        said.append(f"{words.plural(len(history.unfinished), 'individual')} had no outcome when this was written.")
    return said


def _gap(history: History) -> list[str]:
    """Validation against test, where the best was measured on both by the same metric."""
    best = history.best
    if best is None or best.id not in history.judged:
        return []
    validation, test = reading.final(best).get("top1"), history.judged[best.id].metrics.get("top1")
    if validation is None or test is None:
        return []
    gap = 100 * (validation - test)
    side = f"{abs(gap):.2f} points {'below' if gap > 0 else 'above'}" if abs(gap) >= 0.005 else "equal to"
    return [
        f"Top-1 on the test images is {side} that on validation ({words.percent(test)} and"
        f" {words.percent(validation)})."
        " The test images chose nothing: quote their number, not the other."
    ]


def _generations(history: History) -> Table:
    rows = []
    for row in tables.generations(history).to_dict("records"):
        whole = [str(row[key]) for key in ("generation", "size", "trained", "failed")]
        fit = [words.score(float(row[key])) for key in ("best", "mean", "median", "best_so_far")]
        who = f"i{row['best_id']}" if math.isfinite(row["best"]) else "–"
        rows.append([*whole, who, *fit, words.duration(row["seconds"])])
    head = ["generation", "size", "trained", "failed", "fittest", "best", "mean", "median", "best so far", "time"]
    return Table(head, rows)


def _variants(history: History) -> Table:
    rows = [compared.row(one) for one in compared.compared(history)]
    return Table(compared.HEAD, rows, frozenset({0, len(compared.HEAD) - 1}))


def _published(history: History) -> Table:
    """What the papers print for the same data, our own test error in its place among them."""
    ours = compared.tested(history)
    printed = compared.beside(history) if ours is not None else []
    rows = [(each.error, [each.method, each.printed, each.source]) for each in printed if each.error is not None]
    if printed and ours is not None and history.best:
        rows.append((ours, [f"this study, i{history.best.id}", f"{ours:.2f}", "its test images, once"]))
    rows.sort(key=lambda row: row[0])
    strong = next((n for n, (_, cells) in enumerate(rows) if cells[0].startswith("this study")), -1)
    return Table(["method", "test error %", "source"], [cells for _, cells in rows], frozenset({0, 2}), strong)


def _individuals(history: History, ranked: list[Individual]) -> Table:
    names = list(reading.space(history))
    rows = [_row(rank, individual, names) for rank, individual in enumerate(ranked, 1)]
    head = ["rank", "id", "fitness", *names, "generation", "origin", "parents", "epochs", "time"]
    text = {len(names) + 4, len(names) + 5}
    return Table(head, rows, frozenset(text), 0 if history.best else -1)


def _row(rank: int, individual: Individual, names: Iterable[str]) -> list[str]:
    scored = individual.status == "scored"
    return [
        str(rank) if scored else "–",
        f"i{individual.id}",
        words.score(individual.fitness) if scored else individual.status,
        *(words.number(individual.genes.get(name)) for name in names),
        str(individual.generation),
        individual.birth.origin,
        " ".join(f"i{parent}" for parent in individual.birth.parents) or "–",
        str(individual.epochs),
        words.duration(individual.seconds) if individual.done else "–",
    ]


def _failures(history: History) -> Table:
    names = list(reading.space(history))
    rows = []
    for failed in history.failed:
        failure: Any = failed.failure
        rows.append([f"i{failed.id}", words.genes(failed.genes, names), failure.reason, failure.message or "–"])
    return Table(["id", "genes", "reason", "message"], rows, frozenset({1, 2, 3}))


def _commands(home: Home) -> list[tuple[str, str]]:
    return [
        ("the same again, from the config.toml beside this report", "gaopt run config.toml"),
        ("go on with this study where it stopped", f"gaopt resume {shlex.quote(home.name)}"),
    ]
