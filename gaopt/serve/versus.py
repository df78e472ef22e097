"""Studies beside each other, as plain data: those whose configs differ in the seed alone are of one method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gaopt.compare.sentence import verdict
from gaopt.compare.statistics import contrasts, interval
from gaopt.config import from_tables
from gaopt.journal.events import Scored
from gaopt.journal.history import History
from gaopt.serve.reader import Reader

DIFFERENCE = 0.01
"""A difference that is worth showing: one percentage point of accuracy."""


def beside(readers: Mapping[str, Reader], summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """What a page shows of several studies."""
    histories = {name: reader.history for name, reader in readers.items()}
    methods = _methods(histories)
    scores = {
        method: {seed: best.fitness for seed, history in group.items() if (best := history.best)}
        for method, group in methods.items()
    }
    told = []
    for method, found in scores.items():
        bounds = interval(list(found.values())) if found else None
        told.append(
            {"name": method, "scores": list(found.values()), "studies": len(methods[method])}
            | ({"mean": bounds.mean, "low": bounds.low, "high": bounds.high} if bounds else {})
        )
    return {
        "studies": summaries,
        "verdict": _verdict(scores),
        "methods": told,
        "best_so_far": {name: _best_so_far(history) for name, history in histories.items()},
        "differences": differences({name: history.config for name, history in histories.items()}),
    }


def _methods(histories: Mapping[str, History]) -> dict[str, dict[int, History]]:
    """By method and seed; a method is called after its strategy or, where two have the same, its first study."""
    groups: dict[str, dict[int, History]] = {}
    firsts: dict[str, tuple[str, str]] = {}
    for name, history in histories.items():
        if not history.config:
            continue
        config = from_tables(history.config)
        plain = config.plain()
        alike = repr({**plain, "study": {**plain["study"], "seed": 0}, "pool": {}})
        group = groups.setdefault(alike, {})
        firsts.setdefault(alike, (config.strategy, name))
        group.setdefault(config.seed, history)
    strategies = [strategy for strategy, _ in firsts.values()]
    return {
        (strategy if strategies.count(strategy) == 1 else first): groups[alike]
        for alike, (strategy, first) in firsts.items()
    }


def _verdict(scores: Mapping[str, Mapping[int, float]]) -> list[str]:
    """What may be said, in sentences: searches were judged by the images that they chose by."""
    if len(scores) < 2:
        return ["These studies are one method with several seeds: there is nothing to compare it with."]
    said = verdict(contrasts(scores, next(iter(scores))), DIFFERENCE)
    return [
        f"{said[0].upper()}{said[1:]}.",
        "The scores are those that each search chose its best by, and lie above what new images would give: `gaopt"
        " compare` trains the winners again and judges them by the test images.",
    ]


def _best_so_far(history: History) -> dict[str, list[float]]:
    """The best fitness after each whole training, against the epochs trained until then."""
    epochs, best = 0, float("-inf")
    told: dict[str, list[float]] = {"epochs": [], "fitness": []}
    for cost, fitness in _ends(history):
        epochs += cost
        if fitness is not None and fitness > best:
            best = fitness
            told["epochs"].append(epochs)
            told["fitness"].append(best)
    if told["epochs"] and told["epochs"][-1] < epochs:
        told["epochs"].append(epochs)
        told["fitness"].append(best)
    return told


def _ends(history: History) -> Iterator[tuple[int, float | None]]:
    for share, event in history.ends:
        whole = isinstance(event, Scored) and share == 1
        cost = event.epochs or history.individuals[event.individual].epoch
        yield cost, event.fitness if whole and isinstance(event, Scored) else None


def differences(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """By key of the config what each study has, where they differ; None where one has no such key."""
    flat = [dict(_flat(config)) for config in configs.values()]
    keys = sorted({key for each in flat for key in each})
    found = {key: [each.get(key) for each in flat] for key in keys}
    return {key: values for key, values in found.items() if any(value != values[0] for value in values)}


def _flat(table: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{where}{key}.")
        else:
            yield f"{where}{key}", value
