"""Arguments that a shell completes: configs, experiments, studies and comparisons by their names."""

from __future__ import annotations

from pkgutil import resolve_name

import click
from click.shell_completion import CompletionItem


class Named(click.ParamType):
    """A text that names one of several things; a shell also offers files where a path will do.

    Args:
        kinds: functions that give those names, or folders so called, as "module:function": loaded when a shell asks.
    """

    name = "text"

    def __init__(self, *kinds: str) -> None:
        self._kinds = kinds

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = (getattr(each, "name", each) for kind in self._kinds for each in resolve_name(kind)())
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        # A shell that is told to offer files forgets the names.
        return found or [CompletionItem(incomplete, type="file")]


PRESETS, STUDIES, COMPARISONS = (
    "gaopt.config:presets",
    "gaopt.journal.studies:studies",
    "gaopt.journal.studies:comparisons",
)
CONFIG, EXPERIMENT, STUDY = Named(PRESETS), Named("gaopt.config:experiments"), Named(STUDIES)
STUDY_OR_COMPARISON = Named(STUDIES, COMPARISONS)
EITHER = Named(PRESETS, STUDIES, COMPARISONS)
