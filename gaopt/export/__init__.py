"""A study written down for tools of others: a file a format, each the one door to its library."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from gaopt.errors import BadInput
from gaopt.export.place import rewritten
from gaopt.export.trials import Trials, read

__all__ = ["FORMATS", "Format", "Trials", "read", "write"]


@dataclass(frozen=True)
class Format:
    """How a format is written: with what packages, and what has them; the file to open ("" for the folder), and how."""

    packages: tuple[str, ...]
    install: str
    file: str
    opened: str


FORMATS = {
    "optuna": Format(("optuna",), "gaopt[optuna]", "optuna.db", "optuna-dashboard sqlite:///{}"),
    "tensorboard": Format(("tensorboardX",), "tensorboardX", "", "tensorboard --logdir {}"),
    "mlflow": Format(
        ("mlflow", "sqlalchemy", "alembic"), "gaopt[mlflow]", "mlflow.db", "mlflow ui --backend-store-uri sqlite:///{}"
    ),
    "csv": Format((), "", "trials.csv", ""),
    "onnx": Format(("onnx", "onnxscript", "onnxruntime"), "gaopt[onnx]", "model.onnx", ""),
    "torch": Format((), "", "model.pt2", ""),
}
"""By name; the module of the same name has `write(study, folder)`. The last two are for a study's model."""


def write(study: Trials, name: str, folder: Path) -> Path:
    """Write a study to a folder of its own, in the place of what was exported there before; what there is to open.

    A BadInput where a package is missing, or the folder holds anything else: then nothing has changed.
    """
    found = FORMATS[name]
    if missing := [package for package in found.packages if find_spec(package) is None]:
        raise BadInput(f"{missing[0]} is not installed, and this export needs it: pip install '{found.install}'")
    door = import_module(f"gaopt.export.{name}")
    with rewritten(folder, {"study": study.name, "format": name}) as part:
        door.write(study, part)
    return folder / found.file
