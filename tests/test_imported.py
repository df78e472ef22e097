"""Which files a user's objective runs through."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import pytest

from gaopt.imported import closure
from gaopt.objective import Plain, Report, Score, Task
from tests import flat


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


def test_of_an_installed_package_no_other_is_looked_at(tmp_path: Path) -> None:
    root = tmp_path / "site-packages"
    laid(root, {"mine/__init__.py": "from mine import part\nimport torch", "mine/part.py": "", "torch/__init__.py": ""})
    assert list(closure("mine", root / "mine" / "__init__.py")) == ["mine", "mine.part"]


@pytest.mark.parametrize("text", ["def", "\0", "x = " + "(" * 5000, "from . import x"])
def test_a_file_that_is_no_code_imports_nothing(tmp_path: Path, text: str) -> None:
    laid(tmp_path, {"mine.py": f"import broken\n{'from . import x'}", "broken.py": text})
    assert list(closure("mine", tmp_path / "mine.py")) == ["broken", "mine"]


def test_a_module_that_lies_elsewhere_than_its_name_says_is_its_file_alone(tmp_path: Path) -> None:
    laid(tmp_path, {"mine.py": "import other", "other.py": ""})
    for name in ("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", "__main__", "package.mine"):
        assert closure(name, tmp_path / "mine.py") == {name: tmp_path / "mine.py"}


def test_of_the_standard_library_no_other_is_looked_at() -> None:
    assert list(closure("functools", Path(functools.__file__))) == ["functools"]


def test_a_partial_and_a_wrapped_function_are_made_of_their_own_code() -> None:
    @functools.wraps(flat.noise)
    def wrapped(task: Task, report: Report) -> Score:
        return flat.noise(task, report)

    expected = Plain(flat.noise).made_of(None)
    assert "code tests.flat" in expected
    assert Plain(functools.partial(functools.partial(flat.noise))).made_of(None) == expected
    assert Plain(wrapped).made_of(None) == expected
