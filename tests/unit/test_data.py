"""Data sets: layouts, splits, limits, and the decoded copy on disk."""

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from resnet import folders
from resnet.data import DataError, DataSpec, Images, Split, joined, load, statistics

COLOURS = {"cat": 40, "dog": 120, "owl": 200}


def picture(path: Path, value: int, size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, 255 - value, value // 2)).save(path)


def fill(root: Path, each: int, classes: tuple[str, ...] = ("cat", "dog", "owl")) -> Path:
    for name in classes:
        for index in range(each):
            picture(root / name / f"{index:03}.png", COLOURS[name] + index)
    return root


def packed(root: Path, archive: Path, inner: str = "") -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(root, inner or root.name)
    return archive


def spec(path: Path, **values: object) -> DataSpec:
    return replace(DataSpec("folder", str(path), size=8), **values)  # type: ignore[arg-type]


def rows(split: Split) -> set[bytes]:
    return {image.tobytes() for image in split.images}


def same(one: Images, other: Images) -> bool:
    return one.digest == other.digest and np.array_equal(one.train.images, other.train.images)


def refused(path: Path, cache: Path, **values: object) -> str:
    """The one sentence of the error."""
    with pytest.raises(DataError) as caught:
        load(spec(path, **values), cache)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_digits_are_split_class_by_class_and_by_the_seed_alone() -> None:
    first, again, other = load(DataSpec()), load(DataSpec()), load(DataSpec(seed=1))
    assert first.train.images.dtype == np.uint8
    assert first.train.images.shape[1:] == (8, 8, 1)
    assert first.train.images.max() == 255
    assert (first.name, first.classes) == ("digits", tuple("0123456789"))
    assert len(first.train) + len(first.valid) + len(first.test) == 1797
    assert same(first, again)
    assert first.digest == "9757fe2f642130b84626a0618d840abc"  # a split must stay what it was
    assert first.digest != other.digest
    shares = np.bincount(first.valid.labels) / (np.bincount(first.train.labels) + 2 * np.bincount(first.valid.labels))
    assert shares == pytest.approx(0.2, abs=0.01)
    assert load(DataSpec(size=16, limit=10)).train.images.shape == (10, 16, 16, 1)
    for spec, said in ((DataSpec(path="x"), "'x'.*must be empty"), (DataSpec("folder"), "path is empty")):
        with pytest.raises(DataError, match=said):
            load(spec)
    with pytest.raises(ValueError, match=r"valid \+ test is 1\.1"):
        DataSpec(valid=0.6, test=0.5)


def test_classes_alone_are_split_into_three_disjoint_parts(tmp_path: Path) -> None:
    data = load(spec(fill(tmp_path / "pets", 10)), tmp_path)
    assert data.classes == ("cat", "dog", "owl")
    assert data.name == "pets"
    assert [len(s) for s in (data.train, data.valid, data.test)] == [18, 6, 6]
    assert not rows(data.train) & rows(data.valid)
    assert not rows(data.train) & rows(data.test)
    assert not rows(data.valid) & rows(data.test)
    for split in (data.train, data.valid, data.test):
        nearest = np.abs(split.images[:, 0, 0, :1].astype(int) - [*COLOURS.values()]).argmin(1)
        assert nearest.tolist() == split.labels.tolist()


@pytest.mark.parametrize(
    ("train", "valid", "test"),
    [
        ("train", "valid", "test"),
        ("Train", "val", "TEST"),
        ("Training", "Validation", "Testing"),
        ("seg_train/seg_train", "dev", "seg_test/seg_test"),
    ],
)
def test_splits_that_exist_are_kept_whole_and_known_by_their_usual_names(
    tmp_path: Path, train: str, valid: str, test: str
) -> None:
    for name, each in ((train, 5), (valid, 3), (test, 2)):
        fill(tmp_path / "d" / name, each)
    data = load(spec(tmp_path / "d"), tmp_path)
    assert data.classes == ("cat", "dog", "owl")
    assert data.counts == {"train": (5,) * 3, "valid": (3,) * 3, "test": (2,) * 3}
    assert data.origins == {"train": train, "valid": valid, "test": test}


def test_what_is_amiss_with_a_set_is_said(tmp_path: Path) -> None:
    root = tmp_path / "d"
    fill(root / "train", 5)
    fill(root / "valid", 2, ("cat", "dog"))
    for each in range(25):
        picture(root / "train/owl" / f"more{each}.png", 225 + each)
    picture(root / "test/cat/0.png", 250)
    picture(root / "seg_pred/0.png", 3)
    data = load(spec(root), tmp_path)
    for said in (data.warnings, load(spec(root), tmp_path).warnings):
        assert said == (
            "1 image is in no class folder of a split, and not used: seg_pred/0.png",
            "of 4 validation images 4 can be found among the training images",
            "no validation image is of owl: 1 of 3 classes",
            "no test image is of dog, owl: 2 of 3 classes",
            "the classes are uneven: 75.0 % of the training images are of owl",
        )
    assert load(spec(fill(tmp_path / "even", 10)), tmp_path).warnings == ()


def test_nested_folders_count_and_hidden_or_other_files_do_not(tmp_path: Path) -> None:
    root = fill(tmp_path / "d", 5)
    picture(root / "cat/more/deep.JPG", 250)
    picture(root / "cat/.hidden.png", 1)
    picture(root / ".git/x/0.png", 1)
    (root / "cat/notes.txt").write_text("no image")
    (root / "labels.txt").write_text("cat")
    data = load(spec(root), tmp_path)
    assert data.classes == ("cat", "dog", "owl")
    assert len(data.train) + len(data.valid) + len(data.test) == 16


def test_an_archive_reads_as_its_folder_does(tmp_path: Path) -> None:
    root = fill(tmp_path / "d/train", 6).parent
    folder, archive = load(spec(root), tmp_path), packed(root, tmp_path / "d.tgz")
    assert same(folder, load(spec(archive), tmp_path))
    assert same(folder, load(spec(packed(root, tmp_path / "e.tar.gz", "./a/b")), tmp_path))
    assert load(spec(tmp_path / "e.tar.gz"), tmp_path).name == "e"


# Limits.


def test_a_limit_cuts_all_parts_by_the_same_factor(tmp_path: Path) -> None:
    fill(tmp_path / "d/train", 20)
    fill(tmp_path / "d/valid", 8)
    fill(tmp_path / "d/test", 4)
    data = load(spec(tmp_path / "d", limit=30), tmp_path)
    assert [np.bincount(s.labels).tolist() for s in (data.train, data.valid, data.test)] == [[10] * 3, [4] * 3, [2] * 3]
    assert same(data, load(spec(tmp_path / "d", limit=30), tmp_path))
    least = load(spec(tmp_path / "d", limit=3), tmp_path)
    assert [np.bincount(s.labels).tolist() for s in (least.train, least.valid, least.test)] == [[1] * 3] * 3


@pytest.mark.parametrize("packing", ["folder", "archive"])
def test_every_image_has_the_name_of_its_file(tmp_path: Path, packing: str) -> None:
    root = fill(tmp_path / "pets", 10)
    place = root if packing == "folder" else packed(root, tmp_path / "pets.tar.gz", ".")
    for data in (load(spec(place), tmp_path), load(spec(place), tmp_path), load(spec(place, limit=9), tmp_path)):
        for split in (*data.splits.values(), joined(data).train):
            assert len(split.names) == len(split) == len(set(split.names))
            for name, image in zip(split.names, split.images, strict=True):
                assert np.array_equal(np.asarray(Image.open(root / name)), image)
    digits = load(DataSpec())
    whole = load_digits().images
    for name, image in zip(digits.test.names, digits.test.images, strict=True):
        assert np.array_equal(np.rint(whole[int(name.removeprefix("digits/"))] * 255 / 16), image[..., 0])


def test_a_limit_draws_from_the_parts_and_never_across_them(tmp_path: Path) -> None:
    root = fill(tmp_path / "d", 20)
    full, cut = load(spec(root), tmp_path), load(spec(root, limit=9), tmp_path)
    for key in ("train", "valid", "test"):
        assert rows(getattr(cut, key)) < rows(getattr(full, key))
    assert same(full, load(spec(root, limit=10_000), tmp_path))
    assert "limit is 2: must be 0, or at least 3" in refused(root, tmp_path, limit=2)


def test_statistics_are_those_of_the_training_images() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2500, 4, 4, 3), np.uint8)
    mean, std = statistics(images)
    assert mean == pytest.approx((images / 255).mean((0, 1, 2)))
    assert std == pytest.approx((images / 255).std((0, 1, 2)))
    assert statistics(np.full((2, 4, 4, 1), 51, np.uint8)) == (
        pytest.approx((0.2,)),
        (1.0,),
    )  # no 0: it divides


# The decoded copy.


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that grows with each image that is decoded."""
    seen: list[str] = []
    decode = folders.decode
    monkeypatch.setattr(folders, "decode", lambda *args: seen.append(args[3]) or decode(*args))  # type: ignore[func-returns-value]
    return seen


@pytest.mark.parametrize("packing", ["folder", "archive"])
def test_images_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str) -> None:
    root, seen = fill(tmp_path / "d", 5), counted(monkeypatch)
    path = root if packing == "folder" else packed(root, tmp_path / "d.tgz")
    first = load(spec(path), tmp_path / "cache")
    assert len(seen) == 15
    assert same(first, load(spec(path), tmp_path / "cache"))
    assert load(spec(path, seed=5), tmp_path / "cache").digest != first.digest
    assert len(seen) == 15
    assert load(spec(path, size=4), tmp_path / "cache").train.images.shape[1] == 4
    assert len(seen) == 30
    assert not list((tmp_path / "cache").glob("*.tmp"))


def test_a_changed_folder_is_decoded_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, seen = fill(tmp_path / "d", 5), counted(monkeypatch)
    first = load(spec(root), tmp_path / "cache")
    for path in (root / "cat").iterdir():
        picture(path, 99)
    assert load(spec(root), tmp_path / "cache").digest != first.digest
    assert len(seen) == 30


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "pickled"])
def test_a_broken_copy_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    root, seen = fill(tmp_path / "d", 5), counted(monkeypatch)
    first = load(spec(root), tmp_path / "cache")
    (copy,) = (tmp_path / "cache").iterdir()
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 255
    if harm == "pickled":
        np.savez(copy, train_images=np.array([{}], dtype=object))
    else:
        copy.write_bytes({"cut": bytes(content[: len(content) // 2]), "flipped": bytes(content), "empty": b""}[harm])
    assert same(first, load(spec(root), tmp_path / "cache"))
    assert len(seen) == 30
    assert same(first, load(spec(root), tmp_path / "cache"))
    assert len(seen) == 30


def test_the_cache_lies_where_the_system_says_and_is_done_without_where_it_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    root = fill(tmp_path / "d", 5)
    first = load(spec(root))
    assert len(list((tmp_path / "xdg/gaopt").glob("*.npz"))) == 1
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert same(load(spec(root), tmp_path / "cache"), first)
