"""The design, kept by reading the syntax tree and by importing in a fresh process."""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

HEAVY = {"deap", "fastai", "fastapi", "pandas", "ray", "scipy", "sklearn", "torch", "torchvision"} | {
    *("IPython", "ipywidgets", "matplotlib", "mlflow", "onnx", "onnxruntime", "optuna", "tensorboardX", "trackio"),
    *("timm", "wandb"),
}

# From the top down: each may import those below it, and its own kind; nothing points back.
LAYERS = [
    ("__main__",),
    ("cli",),
    ("serve",),
    ("api",),
    ("loggers", "screen"),
    ("integrations", "export"),
    ("report",),
    ("papers",),
    ("compare",),
    ("study",),
    ("execution", "strategies"),
    ("objective", "history"),
    ("objectives",),
    ("journal",),
    ("config",),
    ("space",),
    ("printable",),
    ("errors",),
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

DOORS = {
    "deap": {"gaopt/strategies/operators.py"},
    # The pool runs our tasks on Ray, the service its commands; the searcher is run by Ray Tune, imported by who uses
    # Tune, and meets no pool.
    "ray": {"gaopt/execution/ray", "gaopt/integrations/tune.py", "gaopt/compare/asha.py", "gaopt/serve/ray_jobs.py"},
    # Optuna calls our sampler, and is asked by a strategy; an export is written for it.
    "optuna": {
        "gaopt/export/optuna.py",
        "gaopt/integrations/optuna.py",
        "gaopt/strategies/optuna.py",
    },
    "timm": {"resnet/zoo.py"},
    "tensorboardX": {"gaopt/export/tensorboard.py"},
    "mlflow": {"gaopt/export/mlflow.py", "gaopt/loggers/mlflow.py"},
    "onnx": {"gaopt/export/onnx.py"},
    "onnxruntime": {"gaopt/export/onnx.py"},
    "pandas": {"gaopt/report/tables.py", "resnet/tables.py"},
    "sqlite3": {"gaopt/journal/journal.py", "gaopt/serve/queue.py"},
    "fastapi": {"gaopt/serve/app.py", "gaopt/serve/api", "gaopt/serve/problems.py"},
    "matplotlib": {"gaopt/report/plots"},
    "resnet": {"gaopt/cli/doctor.py", "gaopt/objectives/image", "gaopt/papers/variants.py"},
}


@cache
def imports(path: Path) -> set[str]:
    """Every module a file imports, anywhere in it, except for type checkers only."""
    found: set[str] = set()
    for node in ast.walk(_without_type_checking(ast.parse(path.read_text("utf-8")))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _without_type_checking(tree: ast.Module) -> ast.Module:
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING")
    ]
    return tree


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def layer(path: Path) -> str:
    parts = path.relative_to(ROOT / "gaopt").with_suffix("").parts
    return parts[0]


def test_nothing_in_gaopt_imports_what_lies_above_it() -> None:
    for path in files("gaopt"):
        here = layer(path)
        if here == "__init__":
            continue
        assert here in RANK, f"{here} has no place in the order: give it one"
        for module in imports(path):
            parts = module.split(".")
            if parts[0] == "gaopt" and len(parts) > 1 and parts[1] in RANK and parts[1] != here:
                assert RANK[parts[1]] > RANK[here], f"{here} imports {module}"


def test_resnet_never_imports_gaopt() -> None:
    assert not [path for path in files("resnet") if any(m.split(".")[0] == "gaopt" for m in imports(path))]


def test_each_heavy_library_has_its_doors() -> None:
    for library, doors in DOORS.items():
        through = {
            str(path.relative_to(ROOT))
            for path in [*files("gaopt"), *(files("resnet") if library != "resnet" else [])]
            if any(module.split(".")[0] == library for module in imports(path))
        }
        assert all(any(path == door or path.startswith(door + "/") for door in doors) for path in through), library
        assert all(any(path.startswith(door) for path in through) for door in doors), library


def loaded(code: str) -> set[str]:
    """The heavy modules that a piece of code loads in a fresh process."""
    script = f"import json, sys\ntry:\n    {code}\nexcept SystemExit: pass\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return HEAVY & set(json.loads(done.stdout.splitlines()[-1]))


def test_what_should_be_light_loads_nothing_heavy() -> None:
    for code in [
        "import gaopt",
        "import sys; sys.argv = ['gaopt', '--help']; from gaopt.cli import main; main()",
        "import sys; sys.argv = ['gaopt', 'run', '--help']; from gaopt.cli import main; main()",
        "import sys; sys.argv = ['gaopt', 'compare', '--help']; from gaopt.cli import main; main()",
        "import gaopt; gaopt.load('digits')",
        "import resnet.spec, resnet.recipe, resnet.data; resnet.spec.NetSpec('timm:resnet18')",
        "from gaopt import StudyConfig, Gene, Space, History, Task, Score, Told, ask",
        "from gaopt import Study, open, search, events",
    ]:
        assert loaded(code) == set()


def test_what_needs_no_extra_imports_none_of_one() -> None:
    hidden = "sys.modules.update(dict.fromkeys(['fastapi', 'psutil', 'uvicorn', 'optuna']))"
    assert loaded(f"{hidden}; import gaopt.serve.frozen, gaopt.serve.client, gaopt.cli.serving, gaopt.cli.remote") == {
        *("fastapi", "optuna")  # hidden, not loaded
    }


def test_functions_and_files_stay_small() -> None:
    long: list[str] = []
    for path in [*files("gaopt"), *files("resnet")]:
        text = path.read_text("utf-8")
        if len(text.splitlines()) > 340:
            long.append(str(path))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if body and body[-1].end_lineno and body[-1].end_lineno - body[0].lineno > 40:
                    long.append(f"{path.name}:{node.name}")
    assert not long
