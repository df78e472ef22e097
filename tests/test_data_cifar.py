"""CIFAR-10 in the batches of its authors: read as plain data, whatever the pickles ask for."""

import hashlib
import os
import pickle
import struct
import tarfile
import tracemalloc
import urllib.error
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnet import cifar
from resnet.data import DataError, DataSpec, load


def batch(seed: int, n: int = 20) -> dict[str, Any]:
    data = np.random.default_rng(seed).integers(0, 256, (n, 3072), np.uint8)
    return {"data": data, "labels": [index % 10 for index in range(n)], "batch_label": "x", "filenames": ["a"] * n}


def write(folder: Path, **others: Any) -> Path:
    """A folder of batches: five of 20 training images, 20 test images; `others` replace the content of a file."""
    folder.mkdir(parents=True)
    content: dict[str, Any] = {name: batch(seed) for seed, name in enumerate(cifar.CIFAR10.md5)}
    content |= {"batches.meta": {"label_names": list(cifar.CIFAR10.classes), "num_vis": 3072}} | others
    for name, value in content.items():
        raw = value if isinstance(value, bytes) else pickle.dumps(value, protocol=4)
        (folder / name).write_bytes(raw)
    return folder


def spec(path: Path, size: int = 0) -> DataSpec:
    return DataSpec("cifar10", str(path), size=size)


def refused(path: Path, cache: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(spec(path), cache)
    return str(caught.value)


@pytest.fixture
def batches(tmp_path: Path) -> Path:
    return write(tmp_path / "in/cifar-10-batches-py")


def test_batches_are_planes_of_red_green_and_blue(batches: Path, tmp_path: Path) -> None:
    data = load(spec(batches), tmp_path)
    assert data.classes == cifar.CIFAR10.classes
    assert data.name == "CIFAR-10 (unverified)"
    assert [len(s) for s in (data.train, data.valid, data.test)] == [80, 20, 20]
    planes = batch(5)["data"].reshape(20, 3, 32, 32)
    assert np.array_equal(data.test.images, planes.transpose(0, 2, 3, 1))
    assert data.test.labels.tolist() == batch(5)["labels"]


def test_the_folder_its_parent_and_the_archive_are_the_same(batches: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as tar:
        tar.add(batches, batches.name)
    places = (batches, batches.parent, tmp_path / "cifar-10-python.tar.gz")
    assert len({load(spec(place), tmp_path).digest for place in places}) == 1


def test_batches_are_resized(batches: Path, tmp_path: Path) -> None:
    assert load(spec(batches, 16), tmp_path).test.images.shape == (20, 16, 16, 3)


def test_batches_with_the_published_sums_are_cifar_10(
    batches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(cifar.CIFAR10.md5):
        monkeypatch.setitem(cifar.CIFAR10.md5, name, hashlib.md5((batches / name).read_bytes()).hexdigest())
    assert load(spec(batches), tmp_path).name == "CIFAR-10"


def test_python_2_pickles_are_read() -> None:
    # As written by Python 2 with numpy 1: byte strings as short strings, the array by _reconstruct.
    raw = (
        b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85"
        b"U\x01b\x87Rq\x05(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T\x00\x0c\x00\x00" + bytes(range(256)) * 12 + b"tbU\x06labels"
        b"]K\x07au."
    )
    split = cifar._batch(cifar._load(raw, "x"), "labels", 10, 32, "x")
    assert split.labels.tolist() == [7]
    assert split.images[0, 0, :4, 0].tolist() == [0, 1, 2, 3]


class Shell:
    """Runs a command where it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_a_pickle_that_runs_a_command_is_refused_and_runs_nothing(tmp_path: Path, name: str) -> None:
    trace = tmp_path / "trace"
    evil = pickle.dumps({"data": Shell(f"touch {trace}"), "labels": []})
    message = refused(write(tmp_path / "in", **{name: evil}), tmp_path)
    assert f"in/{name} is not read: it asks for posix.system" in message
    assert not trace.exists()
    pickle.loads(evil)
    assert trace.exists()  # so the payload was a live one


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"no pickle",
        pickle.dumps([1]),
        pickle.dumps({"labels": [0]}),
        pickle.dumps({"data": np.zeros((1, 3072), np.float32), "labels": [0]}),
        pickle.dumps({"data": np.zeros((1, 3072), object), "labels": [0]}),
        pickle.dumps({"data": np.zeros((1, 100), np.uint8), "labels": [0]}),
        pickle.dumps({"data": np.zeros((2, 3072), np.uint8), "labels": [0]}),
        pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": [10]}),
        pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": ["cat"]}),
        pickle.dumps(batch(0))[:-500],
    ],
)
def test_a_batch_that_is_none_is_named(tmp_path: Path, bad: bytes) -> None:
    assert f"{tmp_path}/in/data_batch_2" in refused(write(tmp_path / "in", data_batch_2=bad), tmp_path)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\x80\x02}r" + struct.pack("<I", 100_000_000) + b".", "more than 1048576 steps"),
        (b"}p100000000\n.", "more than 1048576 steps"),
        (b"(" + b"]" * 2**20 + b"t.", "more than 1048576 steps"),
        (b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x.", "expected 1099511627776 bytes"),
        (b"\x80\x05\x96" + struct.pack("<Q", 2**32) + b"x.", "expected 4294967296 bytes"),
        (b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"}.", "truncated"),
        (b"\x80\x02}Q.", "persistent"),
    ],
)
def test_a_pickle_takes_no_memory_for_what_it_claims(raw: bytes, said: str) -> None:
    tracemalloc.start()
    with pytest.raises(DataError, match=said) as caught:
        cifar._load(raw, "x")
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()
    assert len(str(caught.value).splitlines()) == 1


def test_endless_names_are_no_class_names(tmp_path: Path) -> None:
    meta = {"label_names": [*cifar.CIFAR10.classes[1:], "a" * 1000]}
    assert "holds no list of class names" in refused(write(tmp_path / "in", **{"batches.meta": meta}), tmp_path)


def test_a_missing_batch_is_named(batches: Path, tmp_path: Path) -> None:
    (batches / "data_batch_4").unlink()
    assert "data_batch_4 is missing" in refused(batches, tmp_path)


@pytest.mark.parametrize("name", cifar.SETS)
def test_names_and_sums_are_those_of_torchvision(name: str) -> None:
    from torchvision import datasets

    ours = cifar.SETS[name]
    theirs = getattr(datasets, ours.torchvision)
    published = dict(theirs.train_list + theirs.test_list) | {theirs.meta["filename"]: theirs.meta["md5"]}
    assert published == ours.md5
    assert (theirs.base_folder, theirs.filename, theirs.tgz_md5) == (ours.folder, ours.archive, ours.archive_md5)
    assert (dict(theirs.test_list).keys(), theirs.meta["filename"]) == ({ours.test}, ours.meta)
    assert theirs.meta["key"] == ours.names


def test_without_a_network_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("torchvision.datasets.utils.download_url", offline)
    with pytest.raises(DataError, match=r"could not be fetched.*no network.*--data PATH"):
        load(DataSpec("cifar10"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_fetched_archive_is_fetched_once(batches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []

    def fake(url: str, folder: str, name: str, md5: str) -> None:
        fetched.append((url, md5))
        with tarfile.open(Path(folder, name), "w:gz") as tar:
            tar.add(batches, batches.name)

    monkeypatch.setattr("torchvision.datasets.utils.download_url", fake)
    first, again = (load(DataSpec("cifar10"), tmp_path / "cache").digest for _ in range(2))
    assert first == again
    assert fetched == [("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a")]


def tree(root: Path, classes: tuple[str, ...], suffix: str) -> Path:
    for split, each in (("train", 4), ("test", 1)):
        for name in classes:
            (root / split / name).mkdir(parents=True)
            for index in range(each):
                Image.new("RGB", (32, 32), (index, 0, 0)).save(root / split / name / f"{index:04}.{suffix}")
    return root


@pytest.mark.parametrize(("suffix", "name"), [("jpg", "CIFAR-10 (JPEG copy)"), ("png", "CIFAR-10 (PNG copy)")])
def test_a_copy_in_image_files_says_so(tmp_path: Path, suffix: str, name: str) -> None:
    data = load(spec(tree(tmp_path / "cifar10", cifar.CIFAR10.classes, suffix)), tmp_path)
    assert data.name == name
    assert [len(s) for s in (data.train, data.valid, data.test)] == [30, 10, 10]


def test_other_classes_are_not_cifar_10(tmp_path: Path) -> None:
    assert "classes cat, dog: not CIFAR-10" in refused(tree(tmp_path / "pets", ("cat", "dog"), "png"), tmp_path)
