"""Images and archives that mean harm, as a user gives them: `gaopt run --data` and `gaopt predict`."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gaopt.journal.paths import StudyDir
from resnet import folders
from tests.integration.test_cli import invoke
from tests.unit.test_data import fill
from tests.unit.test_data_images import centre, png, refused, saved


def frames(form: str) -> bytes:
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    buffer = io.BytesIO()
    first.save(buffer, form, save_all=True, append_images=[second])
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path, form: str) -> None:
    (tmp_path / "a.png").write_bytes(frames(form))  # the name does not matter
    assert centre(tmp_path / "a.png") == pytest.approx([255, 0, 0], abs=4)


def test_a_palette_with_transparency_is_on_white(tmp_path: Path) -> None:
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert centre(saved(tmp_path / "a.png", palette, transparency=bytes([255, 0]))) == [255] * 3
    assert centre(saved(tmp_path / "b.png", palette)) == [10, 20, 30]


def test_16_bits_a_channel_in_colour(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + struct.pack(">24H", *[0x8040, 0x1020, 0xFF00] * 8) for _ in range(8))
    whole = png(8, 8).replace(b"\x08\x02\0\0\0", b"\x10\x02\0\0\0", 1)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    (tmp_path / "a.png").write_bytes(whole[:8] + b"".join(body))
    assert centre(tmp_path / "a.png") == pytest.approx([0x80, 0x10, 0xFF], abs=1)


def test_an_image_cut_or_changed_anywhere_is_read_or_named(tmp_path: Path) -> None:
    for n, form in enumerate(["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"]):
        (folder := tmp_path / str(n)).mkdir()
        from resnet.data import DataError, read_image

        rng, buffer = np.random.default_rng(0), io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(buffer, form)
        whole, path = buffer.getvalue(), folder / "a.png"
        for _ in range(150):
            content = bytearray(whole[: rng.integers(1, len(whole) + 1)])
            for place in rng.integers(0, len(content), 3):
                content[place] = rng.integers(256)
            path.write_bytes(content)
            try:
                assert read_image(path, 8, 3).shape == (8, 8, 3)
            except DataError as error:
                assert str(path) in str(error)  # noqa: PT017 - either is right


def test_a_text_chunk_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(2**26), 9)
    whole = png(8, 8)
    chunk = b"zTXt" + b"a\0\0" + packed
    (tmp_path / "a.png").write_bytes(
        whole[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + whole[33:]
    )
    tracemalloc.start()
    refused(tmp_path / "a.png")
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()


# Archives and folders, by the command.


def archive(path: Path, *, claims: int = 0, members: int = 0) -> Path:
    """A data set with one member more, of so many bytes that take no room on the disk; or with so many empty ones."""
    root = fill(path.parent / "in" / "d", 5)
    with tarfile.open(path, "w" if claims else "w:gz") as tar:
        tar.add(root, "d")
        for number in range(members):
            tar.addfile(tarfile.TarInfo(f"d/cat/{number}.txt"))
        end = tar.offset
    if claims:
        huge = tarfile.TarInfo("d/cat/huge.png")
        huge.size = claims
        with path.open("r+b") as file:
            file.seek(end)
            file.write(huge.tobuf())
            file.truncate(end + claims + 2**20)
    return path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "huge member": (lambda folder: archive(folder / "d.tar", claims=2**21), "huge.png has 2097152 bytes"),
    "zero bytes": (lambda folder: written(folder / "d.tgz", b""), "neither a folder nor a tar archive"),
    "half": (lambda folder: cut(archive(folder / "d.tgz")), "broken archive"),
    "gzip of no archive": (
        lambda folder: written(folder / "d.tgz", gzip.compress(bytes(2**26))),
        "holds no class",
    ),
    "zero image": (lambda folder: written(fill(folder / "d", 5) / "cat/000.png", b"").parents[1], "no image"),
    "bomb": (lambda folder: written(fill(folder / "d", 5) / "cat/000.png", png(60_000, 60_000)).parents[1], "pixels"),
    "text": (lambda folder: written(fill(folder / "d", 5) / "cat/000.png", b"<svg/>").parents[1], "no image"),
}


def written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def cut(path: Path) -> Path:
    return written(path, path.read_bytes()[: path.stat().st_size // 2])


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("name", BAD)
def test_bad_data_is_one_sentence_and_leaves_nothing(
    tmp_path: Path,
    results: Path,
    cache: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    make, said = BAD[name]
    monkeypatch.setattr(folders, "LARGEST", 2**20)
    path = make(tmp_path)
    code, _, err = invoke(capfd, "run", "--data", str(path), "--dry-run", "--set", "pool.kind=inline")
    assert code == 2
    assert err.startswith("gaopt: ")
    assert said in err
    assert not results.exists()
    assert not list(cache.rglob("*.*"))


def test_an_archive_of_many_members_is_read(tmp_path: Path) -> None:
    from resnet.trees import open_tree

    assert len(open_tree(archive(tmp_path / "d.tgz", members=3000)).listing.files) > 3000


# The best model of a study, changed.


def model(home: StudyDir, **changes: object) -> None:
    """A best model of a net with two classes, and its description with some keys changed."""
    from dataclasses import asdict

    from resnet import weights
    from resnet.net import build
    from resnet.spec import NetSpec

    spec = NetSpec("resnet20", width=0.1)
    weights.write(home.weights, build(spec, 3, 2).state_dict(), {})
    known = {"net": asdict(spec), "channels": 3, "size": 8, "classes": ["a", "b"], "mean": [0.5] * 3, "std": [0.2] * 3}
    home.best.write_text(json.dumps(known | changes))


WRONG: list[dict[str, object]] = [
    {"net": {"name": "resnet20", "width": 1e9}},
    {"net": {"name": "resnet20", "width": 99.0}},
    {"net": {"name": "resnet20", "units": 10**9}},
    {"net": {"name": "no-such"}},
    {"net": {"nonsense": 1}},
    {"net": 3},
    {"channels": 10**12},
    {"channels": -1},
    {"channels": "3"},
    {"size": 10**6},
    {"size": 0},
    {"size": "8"},
    {"classes": "ab"},
    {"classes": []},
    {"classes": list(range(10**5))},
    {"classes": 7},
    {"mean": [0.5]},
    {"mean": "x"},
    {"std": [[1]]},
    {"std": [0.0, float("nan"), 1.0]},
]


@pytest.mark.slow
@pytest.mark.parametrize("changes", WRONG, ids=lambda changes: repr(changes)[:40])
def test_a_changed_description_of_the_best_model_is_one_sentence(
    results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], changes: dict[str, object]
) -> None:
    home = StudyDir(results / "s")
    home.make()
    home.journal.touch()
    model(home, **changes)
    path = saved(tmp_path / "a.png", Image.new("RGB", (9, 9), "red"))
    code, _, err = invoke(capfd, "predict", "s", str(path))
    assert code == 2, err
    assert err.startswith("gaopt: ")


@pytest.mark.slow
def test_a_model_as_it_was_written_is_used(results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = StudyDir(results / "s")
    home.make()
    home.journal.touch()
    model(home)
    path = saved(tmp_path / "a.png", Image.new("RGB", (9, 9), "red"))
    code, out, _ = invoke(capfd, "predict", "s", str(path), "--json")
    assert code == 0
    assert {name for name, _ in json.loads(out)[0]["classes"]} == {"a", "b"}


def other(tensors: dict[str, Tensor], name: str, kind: torch.dtype) -> None:
    tensors[name] = tensors[name].to(kind)


def empty(tensors: dict[str, Tensor]) -> None:
    tensors["fc.weight"] = tensors["fc.weight"] * float("nan")


ALTERED: dict[str, tuple[Callable[[dict[str, Tensor]], None], str]] = {
    "complex": (lambda tensors: other(tensors, "fc.weight", torch.complex64), "fc.weight is of torch.complex64"),
    "whole": (lambda tensors: other(tensors, "fc.weight", torch.int64), "fc.weight is of torch.int64"),
    "switches": (lambda tensors: other(tensors, "stem.bn1.running_var", torch.bool), "running_var is of torch.bool"),
    "no numbers": (empty, "gives probabilities that are no numbers"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ALTERED)
def test_weights_that_tell_nothing_are_one_sentence(
    results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    from resnet import weights

    change, said = ALTERED[name]
    home = StudyDir(results / "s")
    home.make()
    home.journal.touch()
    model(home)
    found = weights.read(home.weights)
    assert found
    change(found[0])
    weights.write(home.weights, found[0], {})
    path = saved(tmp_path / "a.png", Image.new("RGB", (9, 9), "red"))
    code, out, err = invoke(capfd, "predict", "s", str(path), "--json")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err
