"""python -m benchmarks.fuzz TARGET SECONDS: bytes that were changed at random, where bytes are read (needs atheris).

Whatever comes, a reader has an answer or raises a `BadInput`; anything else is a finding, and ends the run with the
bytes in a file crash-*. What was found once is a test (tests/unit/test_bad_*.py).
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris
import tomli_w
import torch

with atheris.instrument_imports(include=["gaopt", "resnet"]):
    from gaopt.config import from_tables
    from gaopt.config.tables import read_toml
    from gaopt.errors import BadInput
    from gaopt.journal.events import decode, encode
    from gaopt.journal.history import History
    from gaopt.journal.journal import Journal
    from gaopt.journal.paths import StudyDir
    from gaopt.study.loop import run
    from gaopt.study.progress import progress
    from resnet import weights
from tests.conftest import toy
from tests.inputs import BASE

SCRATCH = Path(tempfile.mkdtemp())


def journal(data: bytes) -> None:
    """The file itself: SQLite's own reader first."""
    path = SCRATCH / "study.db"
    path.write_bytes(data)
    with contextlib.suppress(BadInput), Journal(path) as found:
        progress("fuzzed", History(found), held=False, now=0.0)


def events(data: bytes) -> None:
    """Lines of "kind body", as a journal's rows are."""
    history = History()
    for line in data.decode("utf-8", "replace").splitlines():
        kind, _, body = line.partition(" ")
        with contextlib.suppress(BadInput):
            history.add(decode(kind, body, 1.0))
    with contextlib.suppress(BadInput):
        progress("fuzzed", history, held=False, now=2.0)


def tensors(data: bytes) -> None:
    """A file of weights, or a checkpoint's."""
    path = SCRATCH / "weights.safetensors"
    path.write_bytes(data)
    if found := weights.read(path):
        weights.renamed(found[0])


def config(data: bytes) -> None:
    """A TOML file."""
    path = SCRATCH / "config.toml"
    path.write_bytes(data)
    with contextlib.suppress(BadInput):
        assert from_tables((found := from_tables(read_toml(path))).plain()) == found


TARGETS: dict[str, Callable[[bytes], None]] = {
    "journal": journal,
    "events": events,
    "tensors": tensors,
    "config": config,
}


def sow(corpus: Path) -> None:
    """Real files to begin with, one folder a target."""
    for name in TARGETS:
        (corpus / name).mkdir()
    home = StudyDir(SCRATCH / "toy")
    run(toy(population=4, generations=2), home)
    shutil.copy(home.journal, corpus / "journal" / "toy")
    with Journal(home.journal) as found:
        (corpus / "events" / "toy").write_text("\n".join(" ".join(encode(event)) for event in found))
    weights.write(corpus / "tensors" / "two", {"net/a": torch.ones(2), "b": torch.ones(1, 2)}, {"fingerprint": "x"})
    shutil.copy(home.config, corpus / "config" / "toy")
    (corpus / "config" / "base").write_text(tomli_w.dumps(BASE))


def main() -> None:
    name, seconds = sys.argv[1], sys.argv[2]
    sow(SCRATCH)
    options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=4096", "-max_len=100000"]
    atheris.Setup([sys.argv[0], *options, str(SCRATCH / name)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
