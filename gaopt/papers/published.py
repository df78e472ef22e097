"""The errors that the two ResNet papers print, from published.csv beside this file."""

from collections.abc import Mapping
from csv import DictReader
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Result:
    """One printed figure: `error` and `top5` in %, `parameters` in millions; None where the paper prints nothing.

    A `failed` one has no error: the paper prints "fail" above 20 %.
    """

    key: str
    data: str
    method: str
    split: str
    source: str
    layers: int | None
    parameters: float | None
    error: float | None
    top5: float | None
    spread: str | None
    failed: bool

    @property
    def printed(self) -> str:
        """The error as the paper prints it: "8.75", "7.54 (7.72 ± 0.16)", "fail", or "–" for none."""
        if self.error is None:
            return "fail" if self.failed else "–"
        return f"{self.error:.2f}" + (f" ({self.spread})" if self.spread else "")


@cache
def published() -> tuple[Result, ...]:
    """All results in file order."""
    lines = Path(__file__).with_name("published.csv").read_text("utf-8").splitlines()
    found = DictReader((line for line in lines if not line.startswith("#")), delimiter=";")
    rows = [
        {name: cell if cell not in ("", "fail") else None for name, cell in row.items()}
        | {"failed": row["error"] == "fail"}
        for row in found
    ]
    return TypeAdapter(tuple[Result, ...]).validate_python(rows)


def beside(config: Mapping[str, Any]) -> list[Result]:
    """What the papers print for whole methods on the data of a config; none for other data sets."""
    names = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}
    data = config.get("data", {})
    name = names.get(str(data.get("name"))) if isinstance(data, Mapping) else None
    return [row for row in published() if row.data == name and not row.key.startswith(("join-", "order-"))]
