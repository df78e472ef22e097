"""The sections of a study's page that are tables."""

import math
from collections.abc import Mapping
from typing import Any

from gaopt.journal.history import History, Individual
from gaopt.papers.published import beside
from gaopt.report import format as words
from gaopt.report import tables, views
from gaopt.report.page import Section, Table
from gaopt.space.gene import Choice

LISTED = 200
"""Individuals in the page's table; individuals.csv has all."""

PRINTED = "are printed in the papers named, most for networks trained for 64,000 steps on all training images"


def generations(history: History) -> Section:
    table = tables.generations(history)
    counts = ["size", "trained", *(["early"] if "early" in table else []), "failed"]
    rows = [
        [
            str(row["generation"] + 1),
            *(str(row[key]) for key in counts),
            f"i{row['best_id']}" if math.isfinite(row["best"]) else "–",
            *(words.score(history.sign * float(row[key])) for key in ("best", "mean", "median", "best_so_far")),
            words.duration(row["seconds"]),
        ]
        for row in table.to_dict("records")
    ]
    note = (
        "Best, mean and median are over the scored of the whole population, survivors included; trained, failed and"
        " time count only those born in the generation."
    )
    head = ["generation", *counts, "fittest", "best", "mean", "median", "best so far", "time"]
    return Section("Generations", table=Table(head, rows), note=[note])


def images(history: History) -> Section:
    """A row for each split; none where there are no images."""
    rows = []
    if data := history.data:
        for split, counts in data.counts.items():
            share = words.percent(data.majority(split))
            rows.append([split, data.origins.get(split, "–"), str(sum(counts)), share, data.counted(split)])
    head = ["split", "from", "images", "commonest class", "of each class"]
    return Section("Images", table=Table(head, rows, frozenset({0, 1, 4})))


def finalists(history: History) -> Section:
    """A row for each finalist that was trained again, the best mean first."""
    means, repeated, sign, rows = history.means, history.repeated, history.sign, []
    for rank, id in enumerate(sorted(means, key=lambda finalist: (-means[finalist], finalist)), 1):
        mean, spread = map(words.score, views.mean(repeated[id], sign))
        first = words.score(sign * repeated[id][0].fitness)
        begun = [i for i in history.individuals.values() if i.birth.origin == "repeat" and id in i.birth.parents]
        again = ", ".join(f"{views.outcome(i, sign)} (i{i.id})" for i in begun)
        rows.append([str(rank), f"i{id}", mean, spread, str(len(repeated[id])), first, again])
    head = ["rank", "id", "mean", "deviation", "trainings", "first score", "again"]
    note = "Each training has a seed of its own. Mean and standard deviation are over all of them, the first included."
    return Section("Finalists, trained again", table=Table(head, rows, frozenset({6}), 0), note=[note])


def individuals(history: History) -> Section:
    """The fittest first, in the page's table as many as can be read; equals share a rank."""
    everyone, means, space = views.ranked(history), history.means, views.space(history)
    ranked, sign = everyone[:LISTED], history.sign
    values = [(i.id in means, means.get(i.id, i.fitness)) for i in ranked]
    digits = words.decimals(i.fitness for i in ranked if i.status == "scored")
    rows = [
        [
            str(values.index(value) + 1) if i.status == "scored" else "–",
            f"i{i.id}",
            *([words.score(sign * means[i.id] if i.id in means else None)] if means else []),
            _score(i, digits, sign),
            *(words.value(i.genes.get(name)) for name in space),
            str(i.generation + 1),
            i.birth.origin,
            words.ids(i.birth.parents) or "–",
            str(i.epochs),
            words.duration(i.seconds) if i.done or i.early else "–",
        ]
        for i, value in zip(ranked, values, strict=True)
    ]
    before = ["rank", "id", *(["mean"] if means else []), views.score_name(history)]
    head = [*before, *space, "generation", "origin", "parents", "epochs", "time"]
    choices = [gene.choices if isinstance(gene, Choice) else () for gene in space.values()]
    wordy = {len(before) + n for n, each in enumerate(choices) if any(isinstance(value, str | bool) for value in each)}
    note = []
    if means:
        note.append("The finalists are ranked by the mean of their trainings, the others by the one score they have.")
    if omitted := len(everyone) - len(ranked):
        note.append(f"{omitted} more are in individuals.csv.")
    table = Table(head, rows, frozenset({len(head) - 4, len(head) - 3, *wordy}), 0 if history.best else -1)
    return Section("Individuals, the fittest first", table=table, note=note)


def _score(individual: Individual, digits: int, sign: int) -> str:
    if individual.status == "early":
        return f"{words.score(sign * views.score(individual))} {views.outcome(individual)}"
    return words.score(sign * individual.fitness, digits) if individual.status == "scored" else individual.status


def published(history: History) -> Section:
    """What the papers print for the same data, our own test error in its place among them."""
    best, ours = history.best, []
    if best and best.id in history.judged and "top1" in history.judged[best.id].metrics:
        error = 100 * (1 - history.judged[best.id].metrics["top1"])
        ours = [(error, [f"this study, i{best.id}", f"{error:.2f}", "its test images, once"])]
    note = f"The others {PRINTED}."
    return Section("Published errors on the same data", table=published_table(history.config, ours), note=[note])


def published_table(config: Mapping[str, Any], ours: list[tuple[float, list[str]]]) -> Table:
    """Our (error in %, row) in their places among what the papers print for the same data; else no row."""
    printed = beside(config) if ours else []
    rows = [(each.error, [each.method, each.printed, each.source]) for each in printed if each.error is not None]
    rows = sorted([*rows, *ours], key=lambda row: row[0]) if printed else []
    own = [cells for _, cells in ours]
    strong = next((n for n, (_, cells) in enumerate(rows) if cells in own), -1)
    return Table(["method", "test error %", "source"], [cells for _, cells in rows], frozenset({0, 2}), strong)


def failures(history: History) -> Section:
    names = list(views.space(history))
    rows = []
    for failed in history.failed:
        failure: Any = failed.failure
        rows.append([f"i{failed.id}", words.genes(failed.genes, names), failure.reason, failure.message or "–"])
    table = Table(["id", "genes", "reason", "message"], rows, frozenset({1, 2, 3}))
    return Section("Failures", text="" if rows else "None.", table=table)
