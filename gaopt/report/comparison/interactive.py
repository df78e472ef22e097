"""Plots that answer the pointer, drawn in the browser by plotly's own script: the one door to plotly.

The page is complete without them. Nothing is fetched: the script ships inside of the package.
"""

from __future__ import annotations

import json
from html import escape
from importlib.util import find_spec
from typing import Any

from markupsafe import Markup

from gaopt.compare.model import SearchRun
from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report.comparison.cost_curve import steps
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.plots.comparison.methods import shade, shown
from gaopt.report.plots.style import GRID, INK
from gaopt.space.gene import AnyGene, Choice

CLEAR = "rgba(0,0,0,0)"
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "pentagon")
"""Of the methods, as the figures have them."""


def installed() -> bool:
    return find_spec("plotly") is not None


def script() -> Markup:
    """Plotly's own script: some 4.6 MB, to be put into a page once."""
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def plots(found: Evidence) -> list[tuple[str, Markup]]:
    """(title, figure) each: its JSON, safe within a script element. None without plotly, or before there are scores."""
    if not installed() or not any(search.history.scored for search in found.comparison.searches):
        return []
    each = [("Best score so far of every search", *_progress(found))]
    if found.free:
        each.append(("Score against each gene, every whole training", *_searched(found)))
    return [(title, _figure(data, layout)) for title, data, layout in each]


def _figure(data: list[dict[str, Any]], layout: dict[str, Any]) -> Markup:
    look = {
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "font": {"family": "system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 12, "color": INK},
        "margin": {"l": 64, "r": 16, "t": 56, "b": 56},
        "legend": {"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
        "hoverlabel": {"align": "left"},
        "hovermode": "closest",
    }
    plain = json.dumps({"data": data, "layout": look | layout}, sort_keys=True, separators=(",", ":"))
    for character in "<>&":  # none may end the script element
        plain = plain.replace(character, f"\\u{ord(character):04x}")
    return Markup(plain)


def _axis(title: str, **more: Any) -> dict[str, Any]:
    """Plotly reads a few tags in its texts."""
    return {"title": {"text": escape(title)}, "gridcolor": GRID, "zeroline": False, "automargin": True, **more}


def _progress(found: Evidence) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The best so far of every search, a large mark where a training beat all before it."""
    data = []
    for number, method in enumerate(found.comparison.methods):
        for place, search in enumerate(found.comparison.of(method)):
            path = [step for step in steps(search) if step.best > float("-inf")]
            sizes = [6 if step.fitness == step.best else 1 for step in path]
            line = {
                "x": [step.epochs for step in path],
                "y": [found.unit.factor * step.best for step in path],
                "text": [_said(found, search, step.individual) for step in path],
                "mode": "lines+markers",
                "line": {"shape": "hv", "color": shade(number), "width": 1.5},
                "marker": {"size": sizes, "symbol": SYMBOLS[number % len(SYMBOLS)], "line": {"width": 0}},
                "showlegend": place == 0,
            }
            data.append({"hoverinfo": "text", "name": escape(method), "legendgroup": method, **line})
    low, high = shown(found)
    margin = 0.04 * (high - low) or 1.0
    best = _axis(f"best validation score{found.unit.sign}", range=[low - margin, high + margin])
    return data, {"xaxis": _axis("epochs trained"), "yaxis": best}


def _searched(found: Evidence) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Score against a gene, every whole training a mark; a menu chooses the gene."""
    data, trained = [], []
    for number, method in enumerate(found.comparison.methods):
        each = [(search, individual) for search in found.comparison.of(method) for individual in search.history.scored]
        trained.append([individual for _, individual in each])
        dots = {
            "y": [found.unit.factor * individual.fitness for _, individual in each],
            "text": [_said(found, search, individual) for search, individual in each],
            "mode": "markers",
            "marker": {"color": shade(number), "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7, "opacity": 0.75},
        }
        data.append({"hoverinfo": "text", "name": escape(method), **dots})
    buttons: list[dict[str, Any]] = []
    for name, gene in found.free.items():
        values = [[_value(gene, individual.genes.get(name)) for individual in each] for each in trained]
        kind = "category" if isinstance(gene, Choice) else gene.scale
        changes = [{"x": values}, {"xaxis": _axis(name, type=kind)}]
        buttons.append({"label": escape(name), "method": "update", "args": changes})
    first = buttons[0]["args"]
    for dots, values in zip(data, first[0]["x"], strict=True):
        dots["x"] = values
    place = {"x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "pad": {"b": 6}}
    scores = _axis(f"validation score{found.unit.sign}")
    return data, {**first[1], "yaxis": scores, "updatemenus": [{"buttons": buttons, **place}]}


def _value(gene: AnyGene, value: Any) -> Any:
    return words.value(value) if isinstance(gene, Choice) and value is not None else value


def _said(found: Evidence, search: SearchRun, individual: Individual) -> str:
    """What lies under the pointer."""
    scored = individual.status == "scored"
    outcome = f"{found.unit.score(individual.fitness)}{found.unit.sign}" if scored else individual.status
    genes = [f"{name} {words.value(value)}" for name, value in individual.genes.items()]
    return "<br>".join(map(escape, [f"{search.method}, seed {search.seed}, i{individual.id}: {outcome}", *genes]))
