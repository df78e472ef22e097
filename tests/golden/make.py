"""Make the golden fixtures of a version, by that version's own code: see README.md here.

Run in a checkout of the version, which is imported then: `python PATH/make.py FOLDER`. Uses nothing but what 0.1.0 had.
"""

from __future__ import annotations

import itertools
import json
import lzma
import shutil
import socket
import sqlite3
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(Path.cwd()))
socket.gethostname = lambda: "host"

SEARCH = """
[study]
objective = "tests.golden.objective:fitness"
strategy = "genetic"
[space]
lr = {low = 1e-6, high = 1e-2, scale = "log"}
wd = {low = 0.0, high = 0.1}
mom = {low = 0.1, high = 1.5}
[genetic]
population = 6
generations = 4
[pool]
kind = "inline"
"""
TRAINING = (
    *("study.strategy=genetic", "genetic.population=2", "genetic.generations=1", "pool.kind=inline"),
    *("data.limit=100", "recipe.epochs=2", "recipe.checkpoint=0"),
)
STILL = "space.lr.low=1e-12", "space.lr.high=1e-11"
"""Learning rates that change no weight, which stay as well packed as they began."""
FIRST_EPOCH = 4
"""Events until an individual of a training has reported once."""
MIDDLE = 30
"""Events after which a search is stopped that is to be gone on with."""


class Enough(Exception):  # noqa: N818
    """Ends a study in the middle."""


def named_objective() -> None:
    """objective.py under the name that it has in this repository: the version's own `tests` may lack it."""
    module = ModuleType("tests.golden.objective")
    source = (HERE / "objective.py").read_text("utf-8")
    exec(compile(source, "tests/golden/objective.py", "exec"), module.__dict__)
    sys.modules[module.__name__] = module


def weights_begin(period: int) -> None:
    """Every tensor begins as some numbers again and again, others for each: a network of a megabyte is packed small."""
    import torch
    from torch.nn import init

    tensors = itertools.count(1)

    def fill(tensor: Any, *_: Any, **__: Any) -> Any:
        waves = 0.1 * torch.sin((torch.arange(tensor.numel()) % period + 1.0) * next(tensors))
        with torch.no_grad():
            return tensor.copy_(waves.reshape(tensor.shape))

    for name in ("kaiming_normal_", "kaiming_uniform_", "xavier_uniform_", "normal_", "uniform_", "trunc_normal_"):
        setattr(init, name, fill)


def of_this_version() -> tuple[Any, Any, Any]:
    """A study's folder, `run` and the report's `write`, wherever the version has them."""
    try:
        from gaopt.journal.paths import StudyDir
        from gaopt.report.study import write
        from gaopt.study.loop import run
    except ImportError:  # of 0.5 and before
        from gaopt.report import write
        from gaopt.study import Home as StudyDir
        from gaopt.study import run
    return StudyDir, run, write


def run(config: Any, folder: Path, events: int | None = None) -> Any:
    """A study to its end, or until so many events were written."""
    folder_of, study, write = of_this_version()
    seen = itertools.count(1)

    def watch(*_: Any) -> None:
        if next(seen) == events:
            raise Enough

    try:
        history = study(config, folder, watch=watch)
        write(history, folder_of(folder))
    except Enough:
        pass


def kept(folder: Path, to: Path, *files: str) -> None:
    """Copy what is to be read for ever: journals without this machine's paths, weights packed."""
    import gaopt

    (to / folder.name).mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(folder / "study.db") as connection:
        connection.execute("UPDATE events SET body = replace(body, ?, '')", (f"{Path(gaopt.__file__).parents[1]}/",))
    for name in ("study.db", *files):
        [source] = folder.glob(name)
        if source.suffix == ".safetensors":
            (to / folder.name / f"{source.name}.xz").write_bytes(lzma.compress(source.read_bytes(), preset=9))
        else:
            shutil.copy(source, to / folder.name)


def main(to: Path) -> None:
    import gaopt

    folder_of, _, _ = of_this_version()
    from gaopt.objectives.image import predict

    named_objective()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "search.toml").write_text(SEARCH, "utf-8")
        search = gaopt.load(str(folder / "search.toml"))
        run(search, folder / "search")
        kept(folder / "search", to, "individuals.csv")
        run(search, folder / "stopped", MIDDLE)
        kept(folder / "stopped", to)
        weights_begin(61)
        run(gaopt.load("quick", [*TRAINING, *STILL]), folder / "training")
        kept(folder / "training", to, "individuals.csv", "best.json", "best.safetensors")
        ((_, answer),) = predict(folder_of(folder / "training"), [HERE / "digit.png"])
        (to / "training" / "predicted.json").write_text(json.dumps(answer) + "\n", "utf-8")
        weights_begin(1)
        run(gaopt.load("quick", TRAINING), folder / "interrupted", FIRST_EPOCH)
        kept(folder / "interrupted", to, "work/*/checkpoint.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
