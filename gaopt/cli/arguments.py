"""Arguments that a shell completes: configs, experiments, studies and comparisons by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem


class Named(click.ParamType):
    """A text that names one of several things; a shell also offers files where a path will do."""

    name = "text"

    def __init__(self, *kinds: Callable[[], Iterable[str]]) -> None:
        self._kinds = kinds

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = (name for kind in self._kinds for name in kind())
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        # A shell that is told to offer files forgets the names.
        return found or [CompletionItem(incomplete, type="file")]


def _presets() -> Iterable[str]:
    from gaopt.config import presets

    return presets()


def _experiments() -> Iterable[str]:
    from gaopt.config import experiments

    return experiments()


def _studies() -> Iterable[str]:
    from gaopt.journal.studies import studies

    return (home.name for home in studies())


def _comparisons() -> Iterable[str]:
    from gaopt.journal.studies import comparisons

    return (home.name for home in comparisons())


CONFIG, EXPERIMENT, STUDY = Named(_presets), Named(_experiments), Named(_studies)
STUDY_OR_COMPARISON = Named(_studies, _comparisons)
EITHER = Named(_presets, _studies, _comparisons)
