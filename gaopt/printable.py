"""Text of unknown origin made fit to be shown: names and messages come from data, from genes, from others' studies."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def printable(text: str | Path) -> str:
    """The same, with what moves a cursor, hides or turns text about, or is no character, as Python writes it: \\x1b.

    Spaces stay; line ends and tabs do not, so that one line stays one.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def spoken(value: Any) -> str:
    """A gene's value: a number to three figures, a choice as it is, true and false as a config has them."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3g}" if isinstance(value, float) else printable(str(value))


def shown(genes: Mapping[str, Any]) -> dict[str, str]:
    """Genes as people read them: {"lr": "0.003", "optimizer": "sgd"}."""
    return {printable(name): spoken(value) for name, value in genes.items()}


def printable_lines(text: str) -> str:
    """The same for what has several lines, such as a traceback."""
    return "\n".join(map(printable, text.split("\n")))
