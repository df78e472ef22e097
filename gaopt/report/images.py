"""The images of a study, as its report says them."""

from __future__ import annotations

from gaopt.journal.events import Data
from gaopt.journal.history import History
from gaopt.report import format as words
from gaopt.report.table import Table


def table(history: History) -> Table:
    """A row for each split; none where there are no images."""
    rows = [_row(history.data, split) for split in history.data.counts] if history.data else []
    return Table(["split", "from", "images", "commonest class", "of each class"], rows, frozenset({0, 1, 4}))


def _row(data: Data, split: str) -> list[str]:
    number, share = str(sum(data.counts[split])), words.percent(data.majority(split))
    return [split, data.origins.get(split, "–"), number, share, data.counted(split)]


def beside(history: History) -> list[str]:
    """What the accuracies are to be held against."""
    if not (data := history.data):
        return []
    valid, test = (words.percent(data.majority(split)) for split in ("valid", "test"))
    return [
        f"Whoever always names the commonest class is right in {valid} of the validation and {test} of the test images."
    ]


def remarks(history: History) -> list[str]:
    """What is amiss with them."""
    warnings = history.data.warnings if history.data else ()
    return [f"{warning[:1].upper()}{warning[1:]}." for warning in warnings]
