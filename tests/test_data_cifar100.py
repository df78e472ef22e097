"""CIFAR-100 in the batches of its authors, fetched, and as images. What it shares with CIFAR-10 is tested there."""

import hashlib
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet import cifar
from resnet.cifar import CIFAR100
from resnet.data import DataError, DataSpec, load
from tests.test_data_cifar import Shell, tree

COARSE = """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture
    insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
    medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2
"""


def batch(seed: int, each: int) -> dict[str, Any]:
    data = np.random.default_rng(seed).integers(0, 256, (100 * each, 3072), np.uint8)
    fine = [(7 * index) % 100 for index in range(100 * each)]
    return {"data": data, "fine_labels": fine, "coarse_labels": [label // 5 for label in fine], "batch_label": "x"}


def write(folder: Path, **others: Any) -> Path:
    """A folder of 300 training and 100 test images; `others` replace the content of a file."""
    folder.mkdir(parents=True)
    meta = {"fine_label_names": list(CIFAR100.classes), "coarse_label_names": COARSE.split()}
    for name, value in ({"train": batch(0, 3), "test": batch(1, 1), "meta": meta} | others).items():
        (folder / name).write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol=4))
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
def batches(tmp_path: Path) -> Path:
    return write(tmp_path / "in/cifar-100-python")


def test_batches_are_read_by_their_fine_labels(batches: Path, tmp_path: Path) -> None:
    data = load(spec(batches), tmp_path)
    assert data.name == "CIFAR-100 (unverified)"
    assert data.classes == CIFAR100.classes
    assert [len(s) for s in (data.train, data.valid, data.test)] == [200, 100, 100]
    test = batch(1, 1)
    assert np.array_equal(data.test.images, test["data"].reshape(100, 3, 32, 32).transpose(0, 2, 3, 1))
    assert data.test.labels.tolist() == test["fine_labels"]
    assert np.bincount(data.train.labels).tolist() == [2] * 100


def test_the_folder_its_parent_and_the_archive_are_the_same(batches: Path, tmp_path: Path) -> None:
    places = (batches, batches.parent, packed(batches, tmp_path / "cifar-100-python.tar.gz"))
    assert len({load(spec(place), tmp_path).digest for place in places}) == 1


def test_batches_with_the_published_sums_are_cifar_100(
    batches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(CIFAR100.md5):
        monkeypatch.setitem(CIFAR100.md5, name, hashlib.md5((batches / name).read_bytes()).hexdigest())
    assert load(spec(batches), tmp_path / "all").name == "CIFAR-100"
    monkeypatch.setitem(CIFAR100.md5, "meta", "0" * 32)
    assert load(spec(batches), tmp_path / "one").name == "CIFAR-100 (unverified)"


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
    assert hashlib.md5(raw).hexdigest() == CIFAR100.md5["meta"]
    assert cifar._load(raw, "meta")["fine_label_names"] == list(CIFAR100.classes)


@pytest.mark.parametrize("labels", [[0] * 99 + [100], [0] * 99 + [-1], [0] * 99, ["apple"] * 100])
def test_wrong_labels_are_named(tmp_path: Path, labels: list[Any]) -> None:
    folder = write(tmp_path / "in", test=batch(1, 1) | {"fine_labels": labels})
    wanted = "holds no fine_labels: a list of 100 numbers from 0 to 99 is wanted"
    assert refused(folder, tmp_path) == f"{folder}/test {wanted}"


def test_the_labels_of_cifar_10_do_not_stand_for_fine_ones(tmp_path: Path) -> None:
    other = batch(0, 3)
    folder = write(tmp_path / "in", train=other | {"labels": other.pop("fine_labels")})
    assert "in/train holds no fine_labels" in refused(folder, tmp_path)


@pytest.mark.parametrize("name", CIFAR100.md5)
def test_a_missing_file_is_named(batches: Path, tmp_path: Path, name: str) -> None:
    (batches / name).unlink()
    message = f"{batches}/{name} is missing: CIFAR-100 has the files train, test, meta"
    assert refused(batches, tmp_path) == message


@pytest.mark.parametrize("name", CIFAR100.md5)
def test_a_pickle_that_runs_a_command_is_refused(tmp_path: Path, name: str) -> None:
    evil = pickle.dumps({"data": Shell(f"touch {tmp_path}/trace")})
    assert f"in/{name} is not read: it asks for posix.system" in refused(
        write(tmp_path / "in", **{name: evil}), tmp_path
    )
    assert not (tmp_path / "trace").exists()


def test_the_real_training_file_is_not_too_large_and_a_huge_one_is_refused_unread(
    batches: Path, tmp_path: Path
) -> None:
    assert CIFAR100.largest > 1.5 * 50_000 * 3072  # all training images in one file
    with (batches / "train").open("wb") as file:
        file.truncate(2**40)
    assert f"train has {2**40} bytes: at most {CIFAR100.largest} are read" in refused(batches, tmp_path)


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


def test_class_names_in_another_order_would_give_other_labels(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", meta={"fine_label_names": list(CIFAR100.classes[::-1])})
    assert "(in another order): not CIFAR-100" in refused(folder, tmp_path)
