"""What was compared, as (what, how it is) in words: data, network, budget, seeds, and who saw which images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gaopt.compare.model import Comparison
from gaopt.report import format as words
from gaopt.report.table import Table
from gaopt.space.gene import AnyGene, Choice


def setting(comparison: Comparison, genes: Mapping[str, AnyGene]) -> Table:
    rows = [*_data(comparison.config), *_training(comparison), *_search(comparison, genes), *_splits(comparison)]
    return Table(["", ""], [list(row) for row in rows], frozenset({0, 1}))


def _table(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name, {})
    return found if isinstance(found, Mapping) else {}


def _data(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Empty where the objective is no image classifier."""
    data, net = _table(config, "data"), _table(config, "net")
    rows = []
    if data.get("name") or data.get("path"):
        limit, size = data.get("limit"), data.get("size")
        said = str(data.get("path") or data["name"])
        said += f", at most {limit} training images" if limit else ""
        said += f", {size} pixels a side" if size else ""
        rows.append(("data", said))
    if net.get("name"):
        rows.append(("network", str(net["name"])))
    if not rows and (objective := _table(config, "study").get("objective")):
        rows.append(("objective", str(objective)))
    return rows


def _training(comparison: Comparison) -> list[tuple[str, str]]:
    epochs = _table(comparison.config, "recipe").get("epochs")
    return [("a whole training", words.plural(int(epochs), "epoch"))] if epochs else []


def _search(comparison: Comparison, genes: Mapping[str, AnyGene]) -> list[tuple[str, str]]:
    budget = f"{comparison.budget:g}" if comparison.cost == "epochs" else words.duration(comparison.budget)
    unit = " epochs of training" if comparison.cost == "epochs" else " of training, summed over all individuals"
    seeds = ", ".join(map(str, comparison.seeds))
    return [
        *((method, comparison.titles.get(method, method)) for method in comparison.methods),
        ("genes", "; ".join(gene(name, each) for name, each in genes.items()) or "–"),
        (
            "budget of each search",
            "its own: these are studies that were there" if comparison.studies else f"{budget}{unit}",
        ),
        ("seeds", f"{len(comparison.seeds)} ({seeds}): one search of each method with each" if seeds else "–"),
    ]


def gene(name: str, found: AnyGene) -> str:
    """A gene and its range: "lr 1e-6 … 0.01 (log)"."""
    when = f", when {found.when}" if found.when else ""
    if isinstance(found, Choice):
        return f"{name} {' or '.join(words.value(value) for value in found.choices)}{when}"
    scale = " (log)" if found.scale == "log" else ""
    return f"{name} {words.number(float(found.low))} … {words.number(float(found.high))}{scale}{when}"


def _splits(comparison: Comparison) -> list[tuple[str, str]]:
    count = sum(final.individual.status == "scored" for final in comparison.finals)
    finals = words.plural(count, "final")
    if not comparison.splits:
        again = f"the same score, of trainings with fresh seeds: {finals}. There is no test split"
        return [("chosen on", "the objective's own score, during the search"), ("judged on", again)]
    data = _table(comparison.config, "data")
    return [
        ("trained on", "the training split: all trainings of all searches"),
        ("chosen on", f"the validation split{_share(data, 'valid')}: the winner of each search"),
        (
            "judged on",
            f"the test split{_share(data, 'test')}: {finals}, each measured once. A final is a winner trained again"
            " with a fresh seed on training and validation images together. No search chose by a test image",
        ),
    ]


def _share(data: Mapping[str, Any], name: str) -> str:
    """ "(22 %)", where the config says so."""
    found = data.get(name)
    return f" ({words.portion(found)})" if isinstance(found, float) and 0 < found < 1 else ""
