"""CIFAR-10 in the batches of its authors: the published files, and no others."""

import hashlib
import os
import pickle
import tarfile
import urllib.error
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnet import cifar
from resnet.data import DataError, DataSpec, load
from resnet.trees import open_tree

TRAIN = [f"data_batch_{number}" for number in range(1, 6)]


def batch(seed: int, n: int = 20) -> dict[str, Any]:
    data = np.random.default_rng(seed).integers(0, 256, (n, 3072), np.uint8)
    return {"data": data, "labels": [index % 10 for index in range(n)], "batch_label": "x", "filenames": ["a"] * n}


def published(monkeypatch: pytest.MonkeyPatch, release: cifar.Release, folder: Path) -> Path:
    """From here on torchvision takes the files of this folder for the published ones."""
    for key in ("train_list", "test_list"):
        sums = [
            [name, hashlib.md5((folder / name).read_bytes()).hexdigest()] for name, _ in getattr(release.known, key)
        ]
        monkeypatch.setattr(release.known, key, sums)
    return folder


def write(folder: Path) -> Path:
    """A folder of batches: five of 20 training images, 20 test images."""
    folder.mkdir(parents=True)
    for seed, name in enumerate([*TRAIN, "test_batch"]):
        (folder / name).write_bytes(pickle.dumps(batch(seed), protocol=4))
    return folder


def spec(path: Path, size: int = 0) -> DataSpec:
    return DataSpec("cifar10", str(path), size=size)


def refused(path: Path, cache: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(spec(path), cache)
    return str(caught.value)


@pytest.fixture
def batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return published(monkeypatch, cifar.CIFAR10, write(tmp_path / "in/cifar-10-batches-py"))


def test_batches_are_planes_of_red_green_and_blue(batches: Path, tmp_path: Path) -> None:
    data = load(spec(batches), tmp_path)
    assert data.classes == cifar.CIFAR10.classes
    assert data.name == "CIFAR-10"
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


def test_pickles_of_python_2_are_read_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As the authors wrote theirs, with numpy 1: byte strings as short strings, the array by _reconstruct.
    raw = (
        b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85"
        b"U\x01b\x87Rq\x05(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T\x00\x0c\x00\x00" + bytes(range(256)) * 12 + b"tbU\x06labels"
        b"]K\x07au."
    )
    folder = write(tmp_path / "in")
    (folder / "test_batch").write_bytes(raw)
    source = cifar.read(cifar.CIFAR10, open_tree(published(monkeypatch, cifar.CIFAR10, folder)), (), 32)
    assert source.test
    assert source.test.labels.tolist() == [7]
    assert source.test.images[0, 0, :4, 0].tolist() == [0, 1, 2, 3]


class Shell:
    """Runs a command where it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch"])
def test_a_file_that_is_not_the_published_one_is_refused_and_runs_nothing(
    batches: Path, tmp_path: Path, name: str
) -> None:
    trace = tmp_path / "trace"
    whole = (batches / name).read_bytes()
    evil = pickle.dumps({"data": Shell(f"touch {trace}"), "labels": []})
    for content in (evil, b"no pickle", whole[:-500], whole + b"x"):
        (batches / name).write_bytes(content)
        assert refused(batches, tmp_path) == (
            f"{batches}/{name} is not the file that CIFAR-10 was published with, its MD5 is another: give"
            ' cifar-10-python.tar.gz as it was published, or images in folders with name = "folder"'
        )
    with (batches / name).open("wb") as file:
        file.truncate(2**40)  # nobody reads so much
    assert "its MD5 is another" in refused(batches, tmp_path)
    assert not trace.exists()
    pickle.loads(evil)
    assert trace.exists()  # so the payload was a live one


def test_a_missing_batch_is_named(batches: Path, tmp_path: Path) -> None:
    (batches / "data_batch_4").unlink()
    assert "data_batch_4 is missing" in refused(batches, tmp_path)


@pytest.mark.parametrize("release", cifar.SETS.values(), ids=cifar.SETS)
def test_names_are_those_of_torchvision(release: cifar.Release) -> None:
    assert (release.known.base_folder, release.known.filename) == (release.folder, release.archive)


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
