"""What a person waits for: `status`, `list` and `report` of large studies, and the start and the end of a run.

`python -m benchmarks.shell [--large]` prints both tables; --large adds a study of 10,000 individuals.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.driver import config, made
from gaopt.journal.paths import StudyDir
from tests.conftest import MEMORY, ROOT

EPOCHS = 20


def timed(results: Path, *arguments: str) -> tuple[float, float]:
    """(Seconds, peak MB) of `gaopt …`, with its studies in a folder."""
    command = [sys.executable, "-m", "gaopt", *arguments]
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"GAOPT_RESULTS": str(results)}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert not status, f"gaopt {' '.join(arguments)} failed"
    return time.perf_counter() - start, usage.ru_maxrss / (1 << 10 if sys.platform == "linux" else 1 << 20)


def reading(sizes: tuple[int, ...]) -> list[str]:
    """A Markdown table, a row per command and size."""
    lines = [f"| command | individuals of {EPOCHS} epochs | seconds | peak MB |", "|---|--:|--:|--:|"]
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            results = Path(folder)
            home = StudyDir(results / "large")
            made(config("genetic", 10, size // 5), home, size, EPOCHS)
            for command in ("status", "list", "report"):
                seconds, peak = timed(results, command, *(["large"] if command != "list" else []))
                lines.append(f"| `gaopt {command}` | {size:,} | {seconds:.1f} | {peak:.0f} |")
            lines.append(f"| its page | {size:,} | {home.report.stat().st_size / 1e6:.1f} MB | |")
    return lines


STAGES = ("Opened", "Reported", "Closed", "Result")


def stages(kind: str) -> list[float]:
    """Seconds from Enter to each of `STAGES` of a small run, and to its end."""
    small = ["--set", "recipe.epochs=1", "--set", "data.limit=200", "--generations", "1", "--pop", "2"]
    with tempfile.TemporaryDirectory(dir=ROOT / "results") as folder:
        command = [sys.executable, "-m", "gaopt", "run", "quick", "--json", "--set", f"pool.kind={kind}", *small]
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"GAOPT_RESULTS": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout
        found: dict[str, float] = {}
        for line in process.stdout:
            found.setdefault(json.loads(line)["event"], time.perf_counter() - start)
        process.wait()
        return [*(found[stage] for stage in STAGES), time.perf_counter() - start]


def starting(runs: int = 3) -> list[str]:
    """A Markdown table, a row per pool: medians."""
    lines = [
        "| pool | study opened | first epoch reported | search closed | result printed | process gone |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for kind in ("ray", "inline"):
        rounds = [stages(kind) for _ in range(runs)]
        middle = [sorted(column)[runs // 2] for column in zip(*rounds, strict=True)]
        lines.append(f"| {kind} | {' | '.join(f'{seconds:.1f} s' for seconds in middle)} |")
    return lines


def main() -> None:
    sizes = (1_000, 10_000) if "--large" in sys.argv else (1_000,)
    print("\n".join([*starting(), "", *reading(sizes)]))


if __name__ == "__main__":
    main()
