"""A plot that answers the pointer, drawn in the browser by plotly's own script: the one door to plotly.

The page is complete without it. Nothing is fetched: the script ships inside of the package.
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
from gaopt.report.comparison.evidence import Evidence, steps
from gaopt.report.plots.methods import shade
from gaopt.report.plots.style import GRID, INK
from gaopt.space.gene import Choice

EPOCHS = "epochs trained"
CLEAR = "rgba(0,0,0,0)"


def installed() -> bool:
    return find_spec("plotly") is not None


def script() -> Markup:
    """Plotly's own script: some 4.6 MB, to be put into a page once."""
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def plot(found: Evidence) -> Markup | None:
    """Score against the epochs trained and against each gene, every whole training a mark; a menu chooses.

    Returns:
        JSON, safe within a script element. None without plotly, or before anything was scored.
    """
    comparison = found.comparison
    if not installed() or not any(search.history.scored for search in comparison.searches):
        return None
    places: dict[str, list[list[Any]]] = {name: [] for name in (EPOCHS, *found.free)}
    data = []
    for number, method in enumerate(comparison.methods):
        mark = {"color": shade(number), "size": 7, "opacity": 0.75}
        ended = [(search, s) for search in comparison.of(method) for s in steps(search) if s.fitness is not None]
        places[EPOCHS].append([step.epochs for _, step in ended])
        for name, gene in found.free.items():
            values = [step.individual.genes.get(name) for _, step in ended]
            places[name].append([words.value(value) for value in values] if isinstance(gene, Choice) else values)
        dots = {
            "x": places[EPOCHS][-1],
            "y": [found.unit.factor * step.individual.fitness for _, step in ended],
            "text": [_said(found, search, step.individual) for search, step in ended],
        }
        data.append({"mode": "markers", "hoverinfo": "text", "name": escape(method), "marker": mark, **dots})
    axes = {EPOCHS: _axis(EPOCHS)}
    for name, gene in found.free.items():
        axes[name] = _axis(name, type="category" if isinstance(gene, Choice) else gene.scale)
    buttons = [
        {"label": escape(name), "method": "update", "args": [{"x": places[name]}, {"xaxis": axis}]}
        for name, axis in axes.items()
    ]
    layout = {
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "font": {"family": "system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 12, "color": INK},
        "margin": {"l": 64, "r": 16, "t": 56, "b": 56},
        "legend": {"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
        "hoverlabel": {"align": "left"},
        "hovermode": "closest",
        "xaxis": axes[EPOCHS],
        "yaxis": _axis(f"validation score{found.unit.sign}"),
        "updatemenus": [{"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"}],
    }
    plain = json.dumps({"data": data, "layout": layout}, sort_keys=True, separators=(",", ":"))
    for character in "<>&":  # none may end the script element
        plain = plain.replace(character, f"\\u{ord(character):04x}")
    return Markup(plain)


def _axis(title: str, **more: Any) -> dict[str, Any]:
    """Plotly reads a few tags in its texts."""
    return {"title": {"text": escape(title)}, "gridcolor": GRID, "zeroline": False, "automargin": True, **more}


def _said(found: Evidence, search: SearchRun, individual: Individual) -> str:
    """What lies under the pointer."""
    scored = individual.status == "scored"
    outcome = f"{found.unit.score(individual.fitness)}{found.unit.sign}" if scored else individual.status
    genes = [f"{name} {words.value(value)}" for name, value in individual.genes.items()]
    return "<br>".join(map(escape, [f"{search.method}, seed {search.seed}, i{individual.id}: {outcome}", *genes]))
