"""CIFAR-100 in the batches of its authors, fetched, and as images. What it shares with CIFAR-10 is tested there."""

import hashlib
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet.cifar import CIFAR100
from resnet.data import DataError, DataSpec, load
from tests.unit.test_data_cifar import published, tree

COARSE = """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture
    insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
    medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2
"""


def batch(seed: int, each: int) -> dict[str, Any]:
    data = np.random.default_rng(seed).integers(0, 256, (100 * each, 3072), np.uint8)
    fine = [(7 * index) % 100 for index in range(100 * each)]
    return {"data": data, "fine_labels": fine, "coarse_labels": [label // 5 for label in fine], "batch_label": "x"}


def write(folder: Path) -> Path:
    """A folder of 300 training and 100 test images."""
    folder.mkdir(parents=True)
    for name, value in {"train": batch(0, 3), "test": batch(1, 1)}.items():
        (folder / name).write_bytes(pickle.dumps(value, protocol=4))
    return folder


def packed(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    return archive


def spec(path: Path) -> DataSpec:
    return DataSpec("cifar100", str(path))


def refused(path: Path, cache: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(spec(path), cache)
    return str(caught.value)


@pytest.fixture
def batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return published(monkeypatch, CIFAR100, write(tmp_path / "in/cifar-100-python"))


def test_batches_are_read_by_their_fine_labels(batches: Path, tmp_path: Path) -> None:
    data = load(spec(batches), tmp_path)
    assert data.name == "CIFAR-100"
    assert data.classes == CIFAR100.classes
    assert [len(s) for s in (data.train, data.valid, data.test)] == [200, 100, 100]
    test = batch(1, 1)
    assert np.array_equal(data.test.images, test["data"].reshape(100, 3, 32, 32).transpose(0, 2, 3, 1))
    assert data.test.labels.tolist() == test["fine_labels"]
    assert np.bincount(data.train.labels).tolist() == [2] * 100


def test_the_folder_its_parent_and_the_archive_are_the_same(batches: Path, tmp_path: Path) -> None:
    places = (batches, batches.parent, packed(batches, tmp_path / "cifar-100-python.tar.gz"))
    assert len({load(spec(place), tmp_path).digest for place in places}) == 1


def test_the_class_names_are_those_of_the_published_meta_file() -> None:
    # Its pickle by Python 2, protocol 2: each list and string as it is put into the memo, counted from 1.
    memo = iter(range(1, 256))

    def put(raw: bytes) -> bytes:
        return raw + b"q" + bytes([next(memo)])

    def name(text: str) -> bytes:
        return put(b"U" + bytes([len(text)]) + text.encode())

    raw = b"\x80\x02" + put(b"}") + b"("
    for key, names in (("fine_label_names", CIFAR100.classes), ("coarse_label_names", COARSE.split())):
        raw += name(key) + put(b"]") + b"(" + b"".join(name(text) for text in names) + b"e"
    raw += b"u."
    assert hashlib.md5(raw).hexdigest() == CIFAR100.known.meta["md5"]


@pytest.mark.parametrize("name", ["train", "test"])
def test_a_missing_file_and_a_changed_one_are_named(batches: Path, tmp_path: Path, name: str) -> None:
    with (batches / name).open("ab") as file:
        file.write(b"x")
    assert refused(batches, tmp_path).startswith(f"{batches}/{name} is not the file that CIFAR-100 was published with")
    (batches / name).unlink()
    assert refused(batches, tmp_path) == f"{batches}/{name} is missing: CIFAR-100 has the files train, test"


def test_a_fetched_archive_is_fetched_once(batches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []

    def fake(url: str, folder: str, name: str, md5: str) -> None:
        fetched.append((url, name, md5))
        packed(batches, Path(folder, name))

    monkeypatch.setattr("torchvision.datasets.utils.download_url", fake)
    first, again = (load(DataSpec("cifar100"), tmp_path / "cache").digest for _ in range(2))
    assert first == again == load(spec(batches), tmp_path).digest
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    assert fetched == [(url, "cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85")]


def test_without_a_network_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object) -> None:
        raise RuntimeError("File not found or corrupted.")

    monkeypatch.setattr("torchvision.datasets.utils.download_url", offline)
    with pytest.raises(DataError, match=r"CIFAR-100 could not be fetched.*corrupted.*--data PATH"):
        load(DataSpec("cifar100"), tmp_path)


def test_a_copy_in_image_files_says_so_as_a_folder_and_as_an_archive(tmp_path: Path) -> None:
    root = tree(tmp_path / "images", CIFAR100.classes, "png")
    for place in (root, packed(root, tmp_path / "images.tgz")):
        data = load(spec(place), tmp_path)
        assert data.name == "CIFAR-100 (PNG copy)"
        assert [len(s) for s in (data.train, data.valid, data.test)] == [300, 100, 100]
        assert np.bincount(data.test.labels).tolist() == [1] * 100


def test_where_the_class_names_differ_is_said(tmp_path: Path) -> None:
    others = tuple(name.replace("aquarium_", "gold") for name in CIFAR100.classes if name != "worm")
    message = refused(tree(tmp_path / "renamed", others, "png"), tmp_path)
    assert message.startswith(f"{tmp_path}/renamed holds the classes apple, baby, bear,")
    assert "bowl, … (unknown: goldfish; missing: aquarium_fish, worm): not CIFAR-100" in message
    pets = refused(tree(tmp_path / "pets", ("cat", "dog"), "png"), tmp_path)
    missing = "apple, aquarium_fish, baby, bear, beaver, …"
    assert f"the classes cat, dog (unknown: cat, dog; missing: {missing}): not CIFAR-100" in pets
