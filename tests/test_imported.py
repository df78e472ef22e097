"""Which files a user's objective runs through."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gaopt.imported import closure


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
