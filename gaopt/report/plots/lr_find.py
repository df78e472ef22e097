"""A range test: the losses over the learning rate as a figure, and its files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from gaopt.config import StudyConfig
from gaopt.journal.paths import StudyDir
from gaopt.report import format as words
from gaopt.report.page import save_all
from gaopt.report.plots.style import INK, MEAN, MUTED, SCORED, figure, limit, log, plot, robust


@plot("Training loss while the learning rate grows, and the rates suggested", "")
def lr_find(name: str, lrs: Sequence[float], losses: Sequence[float], suggested: Mapping[str, float]) -> Figure:
    """The losses over increasing rates; the suggestions, by name, are some of these."""
    drawn = figure(4.0)
    axes = drawn.subplots()
    axes.plot(lrs, losses, color=SCORED, linewidth=2)
    for mark, (choice, lr) in zip("os", sorted(suggested.items(), key=lambda item: item[1]), strict=True):
        axes.axvline(lr, color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
        look: dict[str, Any] = {"color": MEAN, "markersize": 8, "markeredgecolor": "white"}
        axes.plot(lr, losses[lrs.index(lr)], mark, label=f"{choice} {words.number(lr)}", **look)
    axes.set_title(f"{name}: training loss while the learning rate grows", pad=24)
    axes.set(xlabel="learning rate (log scale)", ylabel="training loss, smoothed", xscale="log")
    log(axes.xaxis)
    high = robust(losses)[1]
    limit(axes, min(losses), high)
    if max(losses) > high:
        axes.set_xlabel(f"learning rate (log scale)  ·  cut at {words.number(high)}, the loss goes on above")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, labelcolor=INK, handletextpad=0.3)
    return drawn


def write(found: Mapping[str, Any], config: StudyConfig, home: StudyDir) -> list[Path]:
    """Write lr-find.svg; and lr-find.json: lrs and losses, one a step, the suggestions steep and valley, the config."""
    lrs, losses = found["lrs"], found["losses"]
    drawn = lr_find(home.name, lrs, losses, {name: found[name] for name in ("steep", "valley")})
    assert drawn
    files = {
        home.lr_find("svg"): f"{drawn.svg}\n",
        home.lr_find("json"): json.dumps({**found, "config": config.plain()}, indent=2) + "\n",
    }
    return save_all(home, files)
