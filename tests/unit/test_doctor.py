"""What `gaopt doctor` says of machines that lack something."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gaopt.cli import doctor
from gaopt.cli.doctor import Line

GPU = """print('{"torch": "2", "torchvision": "1", "built": "13", "gpus": [["H200", 150000000000, %d]]}')"""
NONE = GPU.split('"gpus"')[0] + """"gpus": []}')"""
PROBES = [
    (doctor.torch, "raise ImportError('libcudart.so.13')", "bad", "does not load: ImportError: libcudart.so.13"),
    (doctor.torch, "import os; os.abort()", "bad", "does not load: it was ended by SIGABRT"),
    (doctor.torch, "import time; time.sleep(60)", "bad", "does not load: it hangs: ended after 1 s"),
    (doctor.torch, GPU % 149e9, "ok", "H200, 138.8 GiB of 139.7 GiB free"),
    (doctor.torch, GPU % 1e9, "note", "H200, 954 MiB of 139.7 GiB free"),
    (doctor.torch, NONE, "ok", f"none, trainings take {os.cpu_count()} CPU cores"),
    (doctor.ray, "import sys; sys.exit('no port is free')", "bad", "does not start: no port is free"),
]


@pytest.mark.parametrize(("check", "code", "state", "found"), PROBES)
def test_what_cannot_be_loaded_is_told(
    check: Callable[[], Iterator[Line]], code: str, state: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TORCH", "RAY"):
        monkeypatch.setattr(doctor, name, code)
    monkeypatch.setattr(doctor, "PATIENCE", {"torch": 1 if "sleep" in code else 60, "ray": 60})
    monkeypatch.setenv("PATH", "/nowhere")  # no nvidia-smi
    line = list(check())[-1]
    assert (line.state, line.found, bool(line.remedy)) == (state, found, state != "ok")


PLACES = [
    (doctor.results, "GAOPT_RESULTS", "{file}/results", "bad", "cannot be written"),
    (doctor.results, "GAOPT_RESULTS", "{folder}/results", "ok", " free"),
    (doctor.token, "RAY_AUTH_TOKEN_PATH", "{folder}/none", "bad", "none is not there"),
    (doctor.token, "RAY_AUTH_TOKEN_PATH", "{file}", "note", "mode 0644"),
    (doctor.token, "RAY_AUTH_MODE", "disabled", "note", "RAY_AUTH_MODE is 'disabled'"),
    (doctor.cache, "XDG_CACHE_HOME", "{folder}", "ok", "gaopt, 0 MiB"),
]


@pytest.mark.parametrize(("check", "variable", "value", "state", "found"), PLACES)
def test_what_the_environment_names_is_looked_at(
    check: Callable[[], Iterator[Line]], variable: str, value: str, state: str, found: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    file = tmp_path / "file"
    file.write_text("")
    file.chmod(0o644)
    monkeypatch.setattr(doctor, "ROOM", 0)
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value.format(file=file, folder=tmp_path))
    (line,) = check()
    assert (line.state, found in line.found) == (state, True), line


def test_packages_that_do_not_fit_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [line.state for line in doctor.packages()] == ["ok"]
    needed = ["click>=8", "rich>=99", "no-such-thing>=1", 'optuna>=99; extra == "optuna"']
    monkeypatch.setattr(doctor, "requires", lambda _: needed)
    found = [line.found.partition(", gaopt needs ")[::2] for line in doctor.packages()]
    assert found[0][0].startswith("rich is ")
    assert (found[0][1], found[1]) == (">=99", ("no-such-thing is not installed", ">=1"))
    assert next(doctor.extras()).found == "serve, peers, mlflow, bench; not: optuna (pip install 'gaopt[…]')"
