"""Ask pip-audit whether an advisory is known for what constraints.txt pins.

Exit code 1: one is, and .ci/advisories does not excuse it; or pip-audit does not run, or fails. Exit code 0: none is,
or its database cannot be reached, which is said on stderr. Another command may be given in the place of pip-audit.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parent.parent
OPTIONS = ("--no-deps", "--disable-pip", "--progress-spinner=off", "--timeout=10", "--format=json")
"""Whatever is installed needs no resolving: constraints.txt has every version."""
SECONDS = 300.0
"""For all questions together, some two hundred."""
OF_NETWORK = re.compile(r"(requests|urllib3)\.exceptions|ServiceError|connect|network|timed out", re.IGNORECASE)
"""What pip-audit says, or the end of its traceback, where its database does not answer."""


class Failed(Exception):  # noqa: N818
    """pip-audit itself fails; the message says why."""


class Unreachable(Exception):  # noqa: N818
    """Nobody answers; the message says why."""


def main(command: Sequence[str], pins: Sequence[str], excuses: Sequence[str], seconds: float = SECONDS) -> int:
    """
    Args:
        pins: "name==version" each.
        excuses: the lines of .ci/advisories.
        seconds: after which it is given up, as when nobody answers.
    """
    if subprocess.run([*command, "--version"], capture_output=True).returncode:
        return tell("pip-audit does not run: install the development extra", 1)
    try:
        ask(command, pins[:1], seconds)  # one question first: others need not be asked where nobody answers
        found = ask(command, pins, seconds)
    except Unreachable as error:
        return tell(f"pip-audit: skipped, its database cannot be reached: {error}")
    except Failed as error:
        return tell(f"pip-audit fails: {error}", 1)
    excused = {line.split()[0] for line in excuses if line.strip() and not line.startswith("#")}
    known = [(each, vuln) for each in found for vuln in each["vulns"]]
    names = [{vuln["id"], *vuln.get("aliases", [])} for _, vuln in known]
    open_ = [pair for pair, own in zip(known, names, strict=True) if not own & excused]
    for each, vuln in open_:
        mended = ", ".join(vuln.get("fix_versions", [])) or "nothing yet"
        tell(f"{each['name']} {each['version']} has the advisory {vuln['id']}, mended in {mended}")
    for stale in sorted(excused.difference(*names)):
        tell(f".ci/advisories excuses {stale}, which nothing has any more: remove it")
    if missed := len(pins) - len(found):
        tell(f"pip-audit: {missed} of {len(pins)} packages could not be looked up")
    return tell(f"pip-audit: {len(found)} packages, {len(known)} advisories, {len(open_)} not excused", bool(open_))


def ask(command: Sequence[str], pins: Sequence[str], seconds: float) -> list[dict[str, Any]]:
    """Those packages that the database knows, each with its advisories.

    Raises:
        Unreachable: it knows none, or does not answer.
        Failed: there is no answer for another reason.
    """
    with TemporaryDirectory() as folder:
        wanted, answer = Path(folder, "wanted.txt"), Path(folder, "answer.json")
        wanted.write_text("\n".join(pins))
        asked = [*command, *OPTIONS, f"--requirement={wanted}", f"--output={answer}"]
        try:
            done = subprocess.run(asked, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Unreachable(f"no answer in {seconds:g} s") from None
        if not answer.exists():
            why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise Unreachable(why) if OF_NETWORK.search(done.stderr) else Failed(why)
        known = json.loads(answer.read_text())["dependencies"]
    if not any("vulns" in each for each in known):
        raise Unreachable(f"it does not know {pins[0]}")
    return [each for each in known if "vulns" in each]


def tell(line: str, code: int = 0) -> int:
    print(line, file=sys.stderr)
    return int(code)


if __name__ == "__main__":
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    given = sys.argv[1:] or [sys.executable, "-m", "pip_audit"]
    sys.exit(main(given, pinned, (ROOT / ".ci" / "advisories").read_text("utf-8").splitlines()))
