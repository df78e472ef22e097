"""A day in small (`make day`): what of it can be seen without one."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from gaopt.home import Home
from tests import day


def test_a_study_that_cannot_be_resumed_is_given_up(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def refuses(results: object, command: str, *arguments: str) -> subprocess.Popen[str]:
        begun.append(command)
        return subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(2)"], text=True)

    monkeypatch.setattr(day, "gaopt", refuses)
    monkeypatch.setattr(day, "PATIENCE", 3)
    with pytest.raises(RuntimeError, match="3 resumes in a row trained nothing; the last ended with 2"):
        day.endure(home, random.Random(0))
    assert begun == ["run", *["resume"] * 3]
