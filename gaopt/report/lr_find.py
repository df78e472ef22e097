"""The files of a range test: its figure, its points, and all of it with the config it was made by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gaopt.config import StudyConfig
from gaopt.journal.paths import StudyDir
from gaopt.report import format as words
from gaopt.report.page import save_all
from gaopt.report.plots.lr_find import lr_find


def write(found: Mapping[str, Any], config: StudyConfig, home: StudyDir) -> list[Path]:
    """Write lr-find.svg, .csv and .json, each replaced whole.

    Args:
        found: lrs and losses, one a step, and the suggestions steep and valley.

    Returns:
        The paths, the figure first.
    """
    lrs, losses = found["lrs"], found["losses"]
    suggested = {name: found[name] for name in ("steep", "valley")}
    points = [{"lr": lr, "loss": loss} for lr, loss in zip(lrs, losses, strict=True)]
    files = {
        home.lr_find("svg"): f"{lr_find(home.name, lrs, losses, suggested)}\n",
        home.lr_find("csv"): words.csv(points, ("lr", "loss")),
        home.lr_find("json"): json.dumps({**found, "config": config.plain()}, indent=2) + "\n",
    }
    return save_all(home, files)
