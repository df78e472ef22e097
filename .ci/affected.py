"""Prints the tests beyond `make test` that the newest changes can break: those of the last four hours before HEAD."""

import re
import subprocess
from collections.abc import Iterator

TESTS = {
    r"\.ci|constraints": ["advisories"],
    "gaopt/(cli|config)": ["cli", "cli_lr", "cli_nets", "cli_reproduce", "notify", "remote", "signals", "using"],
    "gaopt/compare": ["comparing", "comparing_goes_on"],
    "gaopt/execution": ["cluster", "security"],
    "gaopt/(export|integrations)": ["integrations", "tune", "using"],
    "gaopt/(journal|study)": ["changed", "contract", "foreign", "golden"],
    "gaopt/(api|loggers|screen)": ["loggers", "notebook"],
    "examples": ["examples"],
    "gaopt/objectives": ["finish", "fitness", "golden", "imported", "using"],
    "gaopt/report": ["pages"],
    "gaopt/serve": ["page", "ray_jobs", "remote"],
    "gaopt/(strategies|space)": ["contract", "shares"],
    "gaopt/(papers|objectives)|configs": ["cli_reproduce", "golden", "lr", "train"],
    "gaopt/[a-z]+\\.py|pyproject": ["cli", "golden"],
    "tests/golden": ["golden"],
    "benchmarks": ["bench_search"],
    "docker": ["docker"],
    "resnet": [
        *("analysis", "augment", "fitness", "golden", "lr", "nets"),
        *("pretrained", "recompute", "schedule", "security", "train", "zoo"),
    ],
}
"""By what changed (a pattern of paths), the files of tests/integration."""
FAULTS = "gaopt/(execution|journal|study)|tests/faults"


def changed() -> list[str]:
    """The files that the commits of these hours touch, but for those that are gone."""
    newest = int(_git("log", "-1", "--format=%ct"))
    before = _git("rev-list", "-1", f"--before={newest - 4 * 3600}", "HEAD") or _git(
        "rev-list", "--max-parents=0", "HEAD"
    )
    return _git("diff", "--name-only", "--diff-filter=d", f"{before.split()[0]}..HEAD").splitlines()


def affected(files: list[str]) -> Iterator[str]:
    for pattern, names in TESTS.items():
        if any(re.match(pattern, file) for file in files):
            yield from (f"tests/integration/test_{name}.py" for name in names)
    yield from (file for file in files if re.match("tests/integration/test_", file))
    if any(re.match(FAULTS, file) for file in files):
        yield "tests/faults"
    if any(re.match("gaopt|resnet|tests/unit", file) for file in files):
        yield "tests/unit"  # the slow ones, which `make test` leaves out


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    print(*sorted(set(affected(changed()))))
