"""python -m benchmarks.fuzz TARGET SECONDS: bytes that were changed at random, where bytes are read (needs atheris).

Whatever comes, a reader has an answer or raises a `BadInput`; anything else is a finding, and ends the run with the
bytes in a file crash-*. What was found once is a test (tests/test_bad_*.py).
"""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
import tarfile
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
    from resnet.callbacks import Epochs
    from resnet.checkpoint import Checkpoint
    from resnet.split import DataError
    from resnet.trees import open_tree
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
    """A file of weights, or a checkpoint."""
    path = SCRATCH / "weights.safetensors"
    path.write_bytes(data)
    if found := weights.read(path):
        weights.renamed(found[0])


def checkpoint(data: bytes) -> None:
    """Notes and tensors of a right checksum, and of the right training: lines of a name and what is put there."""
    net = torch.nn.Linear(2, 1)
    tensors = {f"net/{name}": tensor for name, tensor in net.state_dict().items()}
    notes = {"format": "2", "fingerprint": "x", "progress": '{"done": 1, "reports": [], "seconds": 1}'}
    for line in data.decode("utf-8", "replace").splitlines():
        name, _, told = line.partition(" ")
        if name in notes:
            notes[name] = told
        else:
            tensors[name] = torch.ones([min(len(size), 3) for size in told.split()[:4]])
    path = SCRATCH / "checkpoint.safetensors"
    weights.write(path, tensors, notes)
    epochs = Epochs(0, lambda *told: None)
    Checkpoint(net, torch.optim.AdamW(net.parameters()), epochs, path, "x", lambda note: None).load(torch.device("cpu"))


def archive(data: bytes) -> None:
    """A tar archive: what is listed in it is read. The sums of its headers are put right, which chance would not do."""
    blocks = bytearray(data)
    for start in range(0, len(data) - 511, 512):
        if blocks[start + 257 : start + 262] == b"ustar":
            blocks[start + 148 : start + 156] = b" " * 8
            blocks[start + 148 : start + 156] = b"%06o\0 " % sum(blocks[start : start + 512])
    path = SCRATCH / "archive.tar"
    path.write_bytes(blocks)
    with contextlib.suppress(DataError):
        tree = open_tree(path)
        for _, contents in tree.read([parts for parts, size in tree.listing.files.items() if size is not None]):
            contents()


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
    "checkpoint": checkpoint,
    "archive": archive,
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
    moments = [f"optimizer/0/{key}" for key in ("exp_avg a bb", "exp_avg_sq a bb", "step")]
    (corpus / "checkpoint" / "one").write_text(
        "\n".join([*moments, 'progress {"done": 1, "reports": [], "seconds": 1}'])
    )
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(corpus / "archive" / f"{form}", "w", format=form) as tar:  # packed, chance would not get in
            pack(tar)
    shutil.copy(home.config, corpus / "config" / "toy")
    (corpus / "config" / "base").write_text(tomli_w.dumps(BASE))


def pack(tar: tarfile.TarFile) -> None:
    """A file of a short name and one of a long one."""
    for name in ("a/1.png", "b" * 90 + "/" + "c" * 90 + "/2.png"):
        member = tarfile.TarInfo(name)
        member.size = 600
        tar.addfile(member, io.BytesIO(bytes(600)))


def main() -> None:
    name, seconds = sys.argv[1], sys.argv[2]
    sow(SCRATCH)
    options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=4096", "-max_len=100000"]
    atheris.Setup([sys.argv[0], *options, str(SCRATCH / name)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
