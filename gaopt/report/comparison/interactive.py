"""Plots that answer the pointer, drawn in the browser by plotly's own script: the one door to plotly.

The page is complete without them. Nothing is fetched: the script ships inside of the package.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from markupsafe import Markup

from gaopt.compare.model import Cost, SearchRun
from gaopt.journal.history import Individual
from gaopt.report import format as words
from gaopt.report.comparison.cost_curve import Step, steps
from gaopt.report.comparison.evidence import Evidence
from gaopt.report.comparison.genes import Surface
from gaopt.report.page import Plot
from gaopt.report.plots.comparison.methods import AXES, shade, shown, symbol
from gaopt.report.plots.style import GRID, INK
from gaopt.space.gene import AnyGene, Choice

CLEAR = "rgba(0,0,0,0)"
HEIGHT = 520
"""Pixels of a plot."""


Button = tuple[str, dict[str, Any], dict[str, Any]]
"""Its words, and what it changes in the traces and in the layout."""


def installed() -> bool:
    return find_spec("plotly") is not None


def script() -> Markup:
    """Plotly's own script: some 4.6 MB, to be put into a page once."""
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def plots(found: Evidence) -> list[Plot]:
    """None without plotly, or before anything was scored."""
    if not installed() or not any(search.history.scored for search in found.comparison.searches):
        return []
    explorer = Explorer(found)
    return [plot for plot in (explorer.progress(), explorer.searched(), explorer.interactions()) if plot]


def dressed(title: str, figure: Any, height: int = HEIGHT) -> Plot:
    """A figure of plotly's in the look of the page."""
    figure.update_layout(
        template="none",
        title=None,
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        font={"family": "system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 12, "color": INK},
        height=height,
        margin={"l": 64, "r": 16, "t": 56, "b": 56},
        legend={"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
        hoverlabel={"align": "left"},
        hovermode="closest",
        modebar={"bgcolor": CLEAR, "color": "#9aa4af", "activecolor": INK},
    )
    figure.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True, exponentformat="power")
    figure.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True, exponentformat="power")
    plain = json.dumps(json.loads(figure.to_json(engine="json")), sort_keys=True, separators=(",", ":"))
    for character in "<>&":  # none may end the script element
        plain = plain.replace(character, f"\\u{ord(character):04x}")
    return Plot(title, Markup(plain), height)


@dataclass(frozen=True)
class Explorer:
    """The plots of one comparison."""

    found: Evidence

    @property
    def genes(self) -> Mapping[str, AnyGene]:
        return self.found.genes.space

    def progress(self) -> Plot:
        """The best so far of every search; buttons choose what is spent."""
        import plotly.graph_objects as go

        figure = go.Figure()
        for cost in AXES:
            for number, method in enumerate(self.found.comparison.methods):
                for place, search in enumerate(self.found.comparison.of(method)):
                    figure.add_scatter(visible=cost == "epochs", **self._path(search, cost, number, place == 0))
        half = len(figure.data) // 2
        seen = {"epochs": [n < half for n in range(2 * half)], "seconds": [n >= half for n in range(2 * half)]}
        _buttons(figure, [(AXES[cost], {"visible": seen[cost]}, {"xaxis.title.text": AXES[cost]}) for cost in AXES])
        figure.update_layout(xaxis_title=AXES["epochs"], yaxis_title=f"best validation score{self.found.unit.sign}")
        span = shown(self.found)
        margin = 0.04 * (span[1] - span[0]) or 1.0
        figure.update_yaxes(range=[span[0] - margin, span[1] + margin])
        return dressed("Best score so far of every search", figure)

    def _path(self, search: SearchRun, cost: Cost, number: int, first: bool) -> dict[str, Any]:
        """One search as a line of steps, a large mark where a training beat all before it."""
        found = [step for step in steps(search) if step.best > float("-inf")]
        return {
            "x": [step.spent(cost) for step in found],
            "y": [self.found.unit.factor * step.best for step in found],
            "text": [self._step(search, step) for step in found],
            "hoverinfo": "text",
            "mode": "lines+markers",
            "line": {"shape": "hv", "color": shade(number), "width": 1.5},
            "marker": {
                "size": [6 if step.fitness == step.best else 1 for step in found],
                "symbol": symbol(number),
                "line": {"width": 0},
            },
            "name": _escaped(search.method),
            "legendgroup": search.method,
            "showlegend": first,
        }

    def searched(self) -> Plot | None:
        """Score against a gene, every whole training a mark; buttons choose the gene."""
        import plotly.graph_objects as go

        shown = [name for name, gene in self.genes.items() if gene.levels != 1]
        if not shown:
            return None
        figure, count = go.Figure(), len(self.found.comparison.methods)
        for name in shown:
            for number, method in enumerate(self.found.comparison.methods):
                figure.add_scatter(visible=name == shown[0], **self._dots(method, number, name))
        axes = [{"xaxis.title.text": _escaped(name), "xaxis.type": _type(self.genes[name])} for name in shown]
        seen = [{"visible": [place // count == n for place in range(count * len(shown))]} for n in range(len(shown))]
        _buttons(figure, list(zip(map(_escaped, shown), seen, axes, strict=True)))
        figure.update_xaxes(title=_escaped(shown[0]), type=_type(self.genes[shown[0]]))
        figure.update_yaxes(title=f"validation score{self.found.unit.sign}")
        return dressed("Score against each gene, every whole training", figure)

    def _dots(self, method: str, number: int, gene: str) -> dict[str, Any]:
        everyone = [(search, i) for search in self.found.comparison.of(method) for i in search.history.scored]
        having = [(search, individual) for search, individual in everyone if gene in individual.genes]
        values = [individual.genes[gene] for _, individual in having]
        return {
            "x": [words.value(value) for value in values] if isinstance(self.genes[gene], Choice) else values,
            "y": [self.found.unit.factor * individual.fitness for _, individual in having],
            "text": [self._individual(search, individual) for search, individual in having],
            "hoverinfo": "text",
            "mode": "markers",
            "marker": {"color": shade(number), "symbol": symbol(number), "size": 7, "opacity": 0.75},
            "name": _escaped(method),
        }

    def interactions(self) -> Plot | None:
        """What is expected of two genes, as cells; buttons choose the pair."""
        import plotly.graph_objects as go

        if not (surfaces := self.found.genes.surfaces):
            return None
        figure, buttons = go.Figure(), list[Button]()
        for number, surface in enumerate(surfaces):
            figure.add_heatmap(visible=number == 0, **self._cells(surface))
            seen = {"visible": [place == number for place in range(len(surfaces))]}
            buttons.append((_escaped(" × ".join(surface.genes)), seen, self._axes(surface)))
        _buttons(figure, buttons)
        figure.update_layout({key.replace(".", "_"): value for key, value in self._axes(surfaces[0]).items()})
        return dressed("Expected score over two genes", figure)

    def _cells(self, surface: Surface) -> dict[str, Any]:
        x, y = (
            self._places(name, values) for name, values in zip(surface.genes, (surface.across, surface.up), strict=True)
        )
        across, up = map(_escaped, surface.genes)
        return {
            "x": x,
            "y": y,
            "z": [[round(self.found.unit.factor * value, 6) for value in row] for row in surface.expected],
            "colorscale": "Viridis",
            "reversescale": True,
            "colorbar": {"title": {"text": f"score{self.found.unit.sign}"}, "outlinewidth": 0},
            "hovertemplate": f"{across} %{{x}}<br>{up} %{{y}}<br>expected %{{z:.4g}}<extra></extra>",
        }

    def _places(self, name: str, values: Sequence[float]) -> list[Any]:
        gene = self.genes[name]
        return [words.value(gene.choices[int(v)]) for v in values] if isinstance(gene, Choice) else list(values)

    def _axes(self, surface: Surface) -> dict[str, Any]:
        pairs = zip(("xaxis", "yaxis"), surface.genes, strict=True)
        return {
            key: value
            for axis, name in pairs
            for key, value in (
                (f"{axis}.title.text", _escaped(name)),
                (f"{axis}.type", _type(self.genes[name])),
            )
        }

    def _step(self, search: SearchRun, step: Step) -> str:
        """What lies under the pointer: how far the search was, and what it had just trained."""
        spent = f"{words.plural(step.epochs, 'epoch')}, {words.duration(step.seconds)}"
        best = f"after {spent}: best {self.found.unit.score(step.best)}{self.found.unit.sign}"
        return f"{_escaped(best)}<br>{self._individual(search, step.individual)}"

    def _individual(self, search: SearchRun, individual: Individual) -> str:
        scored = individual.status == "scored"
        outcome = f"{self.found.unit.score(individual.fitness)}{self.found.unit.sign}" if scored else individual.status
        genes = [f"{name} {words.value(value)}" for name, value in individual.genes.items()]
        head = f"{search.method}, seed {search.seed}, i{individual.id}: {outcome}"
        return "<br>".join(map(_escaped, [head, *genes]))


def _type(gene: AnyGene) -> str:
    if isinstance(gene, Choice):
        return "category"
    return "log" if gene.scale == "log" else "linear"


def _buttons(figure: Any, each: Sequence[Button]) -> None:
    buttons = [{"label": label, "method": "update", "args": [traces, layout]} for label, traces, layout in each]
    row = {"type": "buttons", "direction": "right"} if len(each) < 7 else {"type": "dropdown", "direction": "down"}
    place = {"x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "pad": {"b": 6}, "font": {"size": 12}}
    figure.update_layout(updatemenus=[{"buttons": buttons, **row, **place}])


def _escaped(text: str) -> str:
    """Plotly reads a few tags in its texts."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
