"""CIFAR-10 and CIFAR-100 in the batches of their authors: the published files, and no others; and as images."""

import hashlib
import pickle
import urllib.error
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnet import cifar
from resnet.data import DataError, DataSpec, load
from resnet.trees import open_tree
from tests.conftest import Live
from tests.unit.test_data import packed

LABELS = {"cifar10": "labels", "cifar100": "fine_labels"}
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"


def batch(key: str, seed: int) -> dict[str, Any]:
    """Three images of each class."""
    classes = len(cifar.SETS[key].classes)
    labels = [(7 * index) % classes for index in range(3 * classes)]
    data = np.random.default_rng(seed).integers(0, 256, (len(labels), 3072), np.uint8)
    return {"data": data, LABELS[key]: labels, "coarse_labels": [0] * len(labels), "batch_label": "x"}


def published(monkeypatch: pytest.MonkeyPatch, release: cifar.Release, folder: Path) -> Path:
    """From here on torchvision takes the files of this folder for the published ones."""
    for key in ("train_list", "test_list"):
        sums = [
            [name, hashlib.md5((folder / name).read_bytes()).hexdigest()] for name, _ in getattr(release.known, key)
        ]
        monkeypatch.setattr(release.known, key, sums)
    return folder


def write(key: str, root: Path) -> Path:
    """A folder of batches, each with its number as seed."""
    release = cifar.SETS[key]
    folder = root / release.folder
    folder.mkdir(parents=True)
    for seed, (name, _) in enumerate(release.known.train_list + release.known.test_list):
        (folder / name).write_bytes(pickle.dumps(batch(key, seed), protocol=4))
    return folder


def spec(path: Path, size: int = 0, key: str = "cifar10") -> DataSpec:
    return DataSpec(key, str(path), size=size)  # type: ignore[arg-type]


def refused(path: Path, cache: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(spec(path), cache)
    return str(caught.value)


@pytest.fixture
def batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return published(monkeypatch, cifar.SETS["cifar10"], write("cifar10", tmp_path / "in"))


@pytest.mark.parametrize(("key", "counts"), [("cifar10", [120, 30, 30]), ("cifar100", [200, 100, 300])])
def test_batches_are_planes_of_red_green_and_blue_wherever_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, counts: list[int]
) -> None:
    release = cifar.SETS[key]
    assert release.known.base_folder == release.folder
    folder = published(monkeypatch, release, write(key, tmp_path / "in"))
    data = load(spec(folder, key=key), tmp_path)
    assert (data.classes, data.name) == (release.classes, release.title)
    assert [len(s) for s in (data.train, data.valid, data.test)] == counts
    last = batch(key, len(release.known.train_list))
    assert np.array_equal(data.test.images, last["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    assert data.test.labels.tolist() == last[LABELS[key]]
    for place in (folder.parent, packed(folder, tmp_path / release.known.filename)):
        assert load(spec(place, key=key), tmp_path).digest == data.digest
    assert load(spec(folder, 16, key), tmp_path).test.images.shape[1:] == (16, 16, 3)


def test_pickles_of_python_2_are_read_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As the authors wrote theirs, with numpy 1: byte strings as short strings, the array by _reconstruct.
    raw = (
        b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85"
        b"U\x01b\x87Rq\x05(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T\x00\x0c\x00\x00" + bytes(range(256)) * 12 + b"tbU\x06labels"
        b"]K\x07au."
    )
    folder = write("cifar10", tmp_path / "in")
    (folder / "test_batch").write_bytes(raw)
    source = cifar.read(cifar.SETS["cifar10"], open_tree(published(monkeypatch, cifar.SETS["cifar10"], folder)), (), 32)
    assert source.test
    assert source.test.labels.tolist() == [7]
    assert source.test.images[0, 0, :4, 0].tolist() == [0, 1, 2, 3]


def test_a_file_that_is_not_the_published_one_is_refused_and_runs_nothing(batches: Path, tmp_path: Path) -> None:
    trace, name = tmp_path / "trace", "data_batch_3"
    whole = (batches / name).read_bytes()
    evil = pickle.dumps({"data": Live(trace), "labels": []})
    for content in (evil, b"no pickle", whole[:-500], whole + b"x"):
        (batches / name).write_bytes(content)
        assert refused(batches, tmp_path) == (
            f"{batches}/{name} is not the file that CIFAR-10 was published with, its MD5 is another: give"
            ' cifar-10-python.tar.gz as it was, or images in folders with name = "folder"'
        )
    assert not trace.exists()
    pickle.loads(evil)
    assert trace.exists()  # so the payload was a live one
    (batches / name).unlink()
    assert "data_batch_3 is missing: CIFAR-10 has the files data_batch_1, " in refused(batches, tmp_path)


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
        packed(batches, Path(folder, name))

    monkeypatch.setattr("torchvision.datasets.utils.download_url", fake)
    first, again = (load(DataSpec("cifar10"), tmp_path / "cache").digest for _ in range(2))
    assert first == again
    assert fetched == [(URL, "c58f30108f718f92721af3b95e74349a")]


def tree(root: Path, classes: tuple[str, ...], suffix: str) -> Path:
    for split, each in (("train", 4), ("test", 1)):
        for name in classes:
            (root / split / name).mkdir(parents=True)
            for index in range(each):
                Image.new("RGB", (32, 32), (index, 0, 0)).save(root / split / name / f"{index:04}.{suffix}")
    return root


def test_a_copy_in_image_files_says_so(tmp_path: Path) -> None:
    for key, suffix, name in (("cifar10", "jpg", "CIFAR-10 (JPEG copy)"), ("cifar100", "png", "CIFAR-100 (PNG copy)")):
        classes = cifar.SETS[key].classes
        data = load(spec(tree(tmp_path / key, classes, suffix), key=key), tmp_path)
        assert data.name == name
        assert [len(s) // len(classes) for s in (data.train, data.valid, data.test)] == [3, 1, 1]


def test_where_the_class_names_differ_is_said(tmp_path: Path) -> None:
    pets = tree(tmp_path / "pets", ("cat", "dog"), "png")
    said = "only one of the two has the classes airplane, automobile, bird, deer, frog, …; name"
    assert f"{pets} is not CIFAR-10: {said}" in refused(pets, tmp_path)
