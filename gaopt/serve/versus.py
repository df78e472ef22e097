"""Studies beside each other, as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gaopt.compare.read import by_method
from gaopt.compare.sentence import verdict
from gaopt.compare.statistics import Scores, contrasts, interval
from gaopt.config.tables import renamed
from gaopt.journal.history import History
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.views import is_accuracy, steps
from gaopt.study.resume_check import flat

DIFFERENCE = 0.01
"""A difference that is worth showing, as `gaopt compare` has it by default: of accuracies one percentage point."""


def beside(histories: Mapping[str, History], summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """What a page shows of several studies.

    Raises:
        StudyError: two are the same search with the same seed.
    """
    methods = by_method(histories, str)
    scores = {
        method: {seed: best.fitness for seed, name in seeds.items() if (best := histories[name].best)}
        for method, seeds in methods.items()
    }
    return {
        "studies": summaries,
        "verdict": _verdict(scores, all(map(is_accuracy, filter(None, (each.best for each in histories.values()))))),
        "methods": [_method(method, scores[method]) for method in methods],
        "best_so_far": {name: _best_so_far(history) for name, history in histories.items()},
        "differences": differences([history.config for history in histories.values()]),
    }


def compared(found: Evidence, summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """The same of a comparison, by method: its winners were trained again and judged."""
    means = {method: (spent, best.mean(axis=0)) for method, (spent, best) in found.bands.items()}
    return {
        "studies": summaries,
        "verdict": [found.verdict],
        "methods": [_method(method, found.scores.get(method, {})) for method in found.comparison.methods],
        "best_so_far": {
            method: {"epochs": spent.tolist(), "fitness": best.tolist()} for method, (spent, best) in means.items()
        },
        "differences": {},
    }


def _method(method: str, scores: Mapping[int, float]) -> dict[str, Any]:
    told: dict[str, Any] = {"name": method, "scores": list(scores.values())}
    if not scores:
        return told
    found = interval(list(scores.values()))
    return told | {"mean": found.mean, "low": found.low, "high": found.high}


def _verdict(scores: Scores, accuracy: bool) -> list[str]:
    """What may be said, in sentences: searches were judged by the images that they chose by."""
    if len(scores) < 2:
        return ["These studies are one method with several seeds: there is nothing to compare it with."]
    said = verdict(contrasts(scores, next(iter(scores))), DIFFERENCE, accuracy)
    return [
        f"{said[0].upper()}{said[1:]}.",
        "The scores are those that each search chose its best by, and lie above what new images would give: `gaopt"
        " compare` trains the winners again and judges them by the test images.",
    ]


def _best_so_far(history: History) -> dict[str, list[float]]:
    """The best fitness against the epochs trained until then: where it rises, and at the end."""
    told = [step for step in steps(history) if step.best > -math.inf]
    rises = [step for before, step in zip([None, *told], told, strict=False) if not before or step.best > before.best]
    kept = rises + told[-1:] if told and told[-1] is not rises[-1] else rises
    return {"epochs": [step.epochs for step in kept], "fitness": [step.best for step in kept]}


def differences(configs: list[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """By key of the config what each study has, where they differ; None where one has no such key."""
    tables = [flat(renamed(config)) for config in configs]
    keys = sorted({key for table in tables for key in table})
    found = {key: [table.get(key) for table in tables] for key in keys}
    return {key: values for key, values in found.items() if any(value != values[0] for value in values)}
