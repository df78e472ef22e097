"""Which files a user's objective runs through."""

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gaopt.config.source_digest import called, closure, made_of
from gaopt.errors import ConfigError
from gaopt.objectives.base import Report, Task, resolve
from tests import flat
from tests.conftest import ROOT


def laid(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")


def test_a_module_and_what_it_imports_from_beside_it_directly_or_not(tmp_path: Path) -> None:
    files = {
        "mine.py": "import json\nimport numpy as np\nfrom model import net\n\ndef f():\n    import lazily.inner\n",
        "model.py": "import shared, mine, gone",
        "shared.py": "",
        "lazily/__init__.py": "",
        "lazily/inner.py": "from . import beside\nfrom ..beyond import nothing",
        "lazily/beside.py": "",
        "lazily/unused.py": "",
        "unused.py": "",
        "gaopt/__init__.py": "raise RuntimeError",
    }
    laid(tmp_path, files)
    names = ["lazily", "lazily.beside", "lazily.inner", "mine", "model", "shared"]
    assert list(closure("mine", tmp_path / "mine.py")) == names


def test_a_module_of_a_package_with_what_lies_beside_the_package(tmp_path: Path) -> None:
    laid(tmp_path, {"a/b/c.py": "from ..d import x\nimport e", "a/d.py": "", "a/__init__.py": "", "e.py": ""})
    assert list(closure("a.b.c", tmp_path / "a" / "b" / "c.py")) == ["a", "a.b.c", "a.d", "e"]
    assert closure("a", tmp_path / "a" / "__init__.py") == {"a": tmp_path / "a" / "__init__.py"}


class Scale:
    def __init__(self, by: float) -> None:
        self.by = by

    def __call__(self, task: Task, report: Report) -> float:
        return self.by

    def score(self, task: Task, report: Report) -> float:
        return self.by


def scaled(by: float) -> Callable[[Task, Report], float]:
    return lambda task, report: by


def test_a_function_is_called_by_the_name_that_imports_it_and_else_by_one_that_does_not() -> None:
    for function, name in {
        flat.noise: "tests.flat:noise",
        functools.partial(flat.noise): "tests.flat:<partial(noise)>",
        scaled(1.0): f"{__name__}:scaled.<locals>.<lambda>",
        Scale(1.0): f"{__name__}:<Scale>",
        Scale(1.0).score: f"{__name__}:<Scale.score>",
    }.items():
        assert called(function) == name
        if "<" in name:
            with pytest.raises(ConfigError, match="is a function of a program: call "):
                resolve(name)
        else:
            assert resolve(name) == resolve(function)
    for nothing in (Scale, 5, None):
        with pytest.raises(ConfigError, match="must be a function"):
            resolve(nothing)  # type: ignore[arg-type]


def test_what_a_function_carries_along_is_part_of_what_it_is_made_of() -> None:
    for make in (scaled, Scale, lambda by: Scale(by).score, lambda by: functools.partial(flat.noise, by=by)):
        assert made_of(make(1.0)) == made_of(make(1.0)) != made_of(make(2.0))


PROGRAM = """
import sys
import gaopt, gaopt.config as c
import beside
STEP = 1
def inner(x): return x + STEP
def decorated(f): return lambda task, report: f(task, report)
@decorated
def objective(task, report): return inner(task.genes["x"])
GENERATIONS = 2
if __name__ == "__main__":
    plan = gaopt.StudyConfig(gaopt.Space(x=gaopt.Gene(0, 1)), objective, strategy="random",
        genetic=gaopt.Genetic(population=2, generations=GENERATIONS), pool=gaopt.PoolConfig(kind="inline"))
    try: print(len(gaopt.run(plan, "r").individuals), "individuals")
    except gaopt.GaoptError as error: print(error)
"""


def ran(folder: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GAOPT_RESULTS": str(folder)}
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, env=environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def test_a_program_s_function_is_gone_on_with_by_the_program_and_known_when_it_changes(tmp_path: Path) -> None:
    def changed(old: str = "", new: str = "", beside: str = "") -> str:
        laid(tmp_path, {"case.py": PROGRAM.replace(old, new), "beside.py": beside})
        return ran(tmp_path, "case.py")

    begun = changed()
    further = changed("GENERATIONS = 2", "GENERATIONS = 3")
    assert (begun, further) == ("3 individuals\n", "4 individuals\n")
    assert "other code __main__: start a new one" in changed("STEP = 1", "STEP = 2")
    assert "other code beside" in changed(beside="x = 1")
    assert "is a function of a program: call gaopt.search or gaopt.run there again" in ran(
        tmp_path, "-m", "gaopt", "resume", "r"
    )
    assert "rror" not in ran(tmp_path, "-m", "gaopt", "report", "r")


LAMBDA = """
import gaopt
space = gaopt.Space(x=gaopt.Gene(0, 1))
try:
    study = gaopt.search(lambda genes: genes["x"] * 2,
        space, trainings=2, name="l", progress=False)
    print(len(study.frame()))
except gaopt.GaoptError as error: print(error)
"""


def test_of_a_lambda_the_body_is_its_code_and_ray_carries_it(tmp_path: Path) -> None:
    def changed(old: str, new: str) -> str:
        laid(tmp_path, {"case.py": LAMBDA.replace(old, new)})
        return ran(tmp_path, "case.py")

    assert changed("", "") == "2\n"
    assert changed("* 2,\n        space, trainings=2", "* 2, space, trainings=3") == "3\n"
    assert "other code __main__: start a new one" in changed("* 2", "* 3")
    assert changed("trainings=2", "trainings=5, pool=gaopt.PoolConfig(gpus=0, dashboard=False)").startswith("5\n")
