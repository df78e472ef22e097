"""Known advisories fail .ci/run; that nobody can be asked does not, but is said."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

PINS = ["ray==2.0.0", "click==8.0.0"]
NONE = {"name": "click", "version": "8.0.0", "vulns": []}
ONE = {"name": "ray", "version": "2.0.0", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "ray", "skip_reason": "Dependency not found"}


@pytest.fixture
def audit() -> Any:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stub(folder: Path, code: str) -> list[str]:
    """A command that is asked like pip-audit and runs this; `wanted` holds the packages."""
    path = folder / "stub.py"
    path.write_text(f"""
import json, pathlib, sys, time
if "--version" in sys.argv: sys.exit(0)
option = lambda name: next(a.partition("=")[2] for a in sys.argv if a.startswith(name))
wanted = pathlib.Path(option("--requirement")).read_text().split()
with open({str(folder / "asked")!r}, "a") as asked: print(len(wanted), file=asked)
def answer(*known): pathlib.Path(option("--output")).write_text(json.dumps({{"dependencies": known}}))
{code}
""")
    return [sys.executable, str(path)]


def test_an_advisory_that_is_not_excused_fails(audit: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for n, (known, excuses, code, said) in enumerate(
        [
            ([NONE, NONE], [], 0, "2 packages, 0 advisories, 0 not excused"),
            ([ONE, NONE], [], 1, "ray 2.0.0 has the advisory PYSEC-1, mended in 2.1"),
            ([ONE, NONE], ["# a remark", "", "PYSEC-1 not used here"], 0, "2 packages, 1 advisories, 0 not excused"),
            ([ONE, NONE], ["CVE-1 not used here"], 0, "0 not excused"),
            ([NONE, NONE], ["PYSEC-1 not used here"], 0, "excuses PYSEC-1, which nothing has any more"),
            ([UNKNOWN, NONE], [], 0, "1 of 2 packages could not be looked up"),
        ]
    ):
        (folder := tmp_path / str(n)).mkdir()
        command = stub(folder, f"answer(*json.loads({json.dumps(json.dumps(known))}))\nsys.exit(1)")
        assert audit.main(command, PINS, excuses) == code
        assert said in capfd.readouterr().err


def test_where_nobody_answers_it_is_skipped_out_loud_and_an_error_of_its_own_fails(
    audit: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    skipped, fails = "pip-audit: skipped, its database cannot be reached: ", "pip-audit fails: "
    for code, result, said in (
        ("sys.exit('ERROR: Failed to connect')", 0, f"{skipped}ERROR: Failed to connect\n"),
        (f"answer({UNKNOWN})", 0, f"{skipped}it does not know ray==2.0.0\n"),
        ("time.sleep(60)", 0, f"{skipped}no answer in 1 s\n"),
        ("sys.exit(3)", 1, f"{fails}exit code 3"),
    ):
        assert audit.main(stub(tmp_path, code), PINS, [], seconds=1.0 if "sleep" in code else 60.0) == result
        assert capfd.readouterr().err.startswith(said)


def test_the_script_asks_for_every_version_that_is_pinned(tmp_path: Path) -> None:
    command = stub(tmp_path, "answer(*({'name': w, 'version': '1', 'vulns': []} for w in wanted))")
    done = subprocess.run([sys.executable, ".ci/audit.py", *command], cwd=ROOT, capture_output=True, text=True)
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    assert done.returncode == 0, done.stderr
    assert f"pip-audit: {len(pins)} packages, 0 advisories" in done.stderr
