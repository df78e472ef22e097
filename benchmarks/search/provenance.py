"""How runs were made: the command, the versions, the processor."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.search.measure import Case
from benchmarks.search.problems import names
from benchmarks.search.searches import SEARCHES
from gaopt import __version__

PACKAGES = ("numpy", "scipy", "torch", "onnxruntime", "optuna", "cmaes")


def commands(cases: Iterable[Case]) -> list[str]:
    """The commands that make these runs from nothing, one for each noise."""
    by_noise: dict[float, list[Case]] = {}
    for case in cases:
        by_noise.setdefault(case.noise, []).append(case)
    return [_command(by_noise[noise]) for noise in sorted(by_noise)]


def _command(cases: Sequence[Case]) -> str:
    searches = [name for name in SEARCHES if any(case.search == name for case in cases)]
    words = ["--searches", ",".join(searches), "--seeds", str(1 + max(case.seed for case in cases))]
    if (problems := {case.problem for case in cases}) != set(names()):
        words += ["--problems", ",".join(sorted(problems))]
    for together in sorted({case.together for case in cases}):
        words += ["--together", str(together)]
    words += ["--noise", f"{cases[0].noise:g}"] if cases[0].noise else []
    return f"gaopt bench search --data FOLDER {shlex.join(words)}"


def versions() -> str:
    """Of gaopt, Python and what the searches rest on: those of now."""
    found = [f"gaopt {__version__}", f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def processor() -> str:
    """What it calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
