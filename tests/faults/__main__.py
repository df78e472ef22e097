"""make faults: every fault, caused for real; one line a row, and the table in docs/reliability.md.

`python -m tests.faults ROW…` tries those rows only, and leaves the document alone.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from importlib.metadata import version

from tests.conftest import ROOT
from tests.faults.table import HEAD, ROWS, tried

DOCUMENT = ROOT / "docs" / "reliability.md"
MARKED = re.compile(r"(?<=<!-- faults -->\n).*?(?=<!-- /faults -->)", re.S)


def machine(seconds: float) -> str:
    """On what it ran, and for how long."""
    import torch

    gpus, libraries = torch.cuda.device_count(), ", ".join(f"{name} {version(name)}" for name in ("ray", "torch"))
    where = f"On {os.cpu_count()} CPU cores and {gpus or 'no'} GPU; Python {platform.python_version()}, {libraries}."
    return f"{where} All of it took {seconds // 60:.0f} min {seconds % 60:.0f} s."


def main(names: list[str]) -> int:
    if unknown := set(names) - {row.name for row in ROWS}:
        print(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in ROWS)}")
        return 2
    found, begun = [], time.monotonic()
    for row in ROWS:
        if row.name in names or not names:
            found.append(tried(row))
            print(found[-1].line, flush=True)
    if not names:
        lines = "\n".join((machine(time.monotonic() - begun), "", HEAD, *(told.cells for told in found)))
        DOCUMENT.write_text(MARKED.sub(lambda _: f"{lines}\n", DOCUMENT.read_text("utf-8")), "utf-8")
    return 0 if all(told.well for told in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
