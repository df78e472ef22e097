"""The page of a study or a comparison as one file, from its journals alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from gaopt.compare.model import Comparison
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.report.comparison.evidence import Evidence
from gaopt.serve import snapshot as columns
from gaopt.serve.catalog import notes, summary_of
from gaopt.serve.interactive import interactive, interactive_comparison
from gaopt.serve.versus import compared
from gaopt.study.progress import progress

CURVES = 300
"""Individuals with learning curves in the file: the fittest, so that it stays small enough to be sent."""


def study_page(home: StudyDir, history: History, held: bool) -> str:
    """A study as it is now."""
    summary = summary_of(progress(home.name, history, held=held, now=time.time())) | notes(home)
    whole = columns.snapshot(history, 0, summary)
    fittest = [one.id for one in history.ranked[:CURVES]] + [one.id for one in history.unfinished]
    about = summary | columns.about(history)
    return interactive(whole, columns.curves(history, fittest), about, columns.failures(history))


def comparison_page(comparison: Comparison) -> str:
    """A comparison, by method."""
    now = time.time()
    searches: Mapping[str, Any] = {f"{each.method}, seed {each.seed}": each.history for each in comparison.searches}
    summaries = [summary_of(progress(name, each, held=False, now=now)) for name, each in searches.items()]
    return interactive_comparison(compared(Evidence(comparison), summaries))
