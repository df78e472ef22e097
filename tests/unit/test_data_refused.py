"""Data sets that are refused: each with one sentence that names the path."""

import io
import os
import shutil
import tarfile
from pathlib import Path

from resnet.data import load
from tests.unit.test_data import fill, packed, picture, refused, spec


def test_a_path_that_leads_to_no_data_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path}/none does not exist" in refused(tmp_path / "none", tmp_path)
    for text in ("hello", ""):
        (tmp_path / "notes.txt").write_text(text)
        assert "notes.txt is no folder, no tar or zip archive" in refused(tmp_path / "notes.txt", tmp_path)


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    assert "only the class 'cat'" in refused(fill(tmp_path / "d", 5, ("cat",)), tmp_path)
    (tmp_path / "empty").mkdir()
    assert "holds no class" in refused(tmp_path / "empty", tmp_path)


def test_split_folders_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    fill(tmp_path / "d/test", 5)
    fill(tmp_path / "d/val", 5)
    assert "test, val but no train" in refused(tmp_path / "d", tmp_path)
    fill(tmp_path / "d/train", 5)
    fill(tmp_path / "d/valid", 5)
    assert "both 'val' and 'valid'" in refused(tmp_path / "d", tmp_path)
    shutil.rmtree(tmp_path / "d/valid")
    shutil.rmtree(tmp_path / "d/test")
    picture(tmp_path / "d/test/unlabelled.png", 3)
    assert "test holds no class folders" in refused(tmp_path / "d", tmp_path)


def test_folders_of_which_nobody_knows_whether_they_are_splits_or_classes_are_refused(tmp_path: Path) -> None:
    for first, second in (("test_set/test_set", "training_set/training_set"), ("wrapped/Fold1", "wrapped/Fold2")):
        root = tmp_path / first.replace("/", "-")
        fill(root / first, 3)
        fill(root / second, 2, ("cat", "dog"))
        said = refused(root, tmp_path)
        assert f"holds {Path(first).name}, {Path(second).name}, each with cat, dog" in said
        assert "must be train, valid and test" in said
    for name in ("cat", "dog"):  # splits below the classes
        for split in ("train", "test"):
            picture(tmp_path / "under" / name / split / "0.png", 3)
    assert "holds cat, dog, each with test, train in it" in refused(tmp_path / "under", tmp_path)
    for name in ("train/0.png", "train/1.png", "test/0.png", "test/1.png"):
        picture(tmp_path / "flat" / name, 3)
    assert "flat/test holds no class folders" in refused(tmp_path / "flat", tmp_path)


def test_a_class_with_nothing_left_to_train_on_is_named(tmp_path: Path) -> None:
    root = fill(tmp_path / "d", 5)
    for index in range(2, 5):
        (root / f"dog/{index:03}.png").unlink()
    assert "class 'dog' has 2 training images" in refused(root, tmp_path)


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    root = fill(tmp_path / "d", 5)
    whole = (root / "dog/003.png").read_bytes()
    (root / "dog/003.png").write_bytes(whole[:-30])
    assert f"{root}/dog/003.png is a broken image" in refused(root, tmp_path)
    assert "d.tgz: d/dog/003.png is a broken image" in refused(packed(root, tmp_path / "d.tgz"), tmp_path)


def test_a_dead_link_and_a_fifo_are_named(tmp_path: Path) -> None:
    root = fill(tmp_path / "d", 5)
    (root / "cat/gone.png").symlink_to("nowhere.png")
    assert "cat/gone.png is a dead link" in refused(root, tmp_path)
    assert "cat/gone.png is a dead link" in refused(packed(root, tmp_path / "d.tgz"), tmp_path)
    (root / "cat/gone.png").unlink()
    os.mkfifo(root / "cat/pipe.png")
    assert "cat/pipe.png is a dead link or no regular file" in refused(root, tmp_path)


def test_a_linked_class_folder_is_followed_unless_it_leads_back(tmp_path: Path) -> None:
    root = fill(tmp_path / "d", 5, ("cat", "dog"))
    (root / "owl").symlink_to(fill(tmp_path / "elsewhere", 5) / "owl")
    assert load(spec(root), tmp_path).classes == ("cat", "dog", "owl")
    (root / "cat/again").symlink_to(root)
    assert "again is a link back" in refused(root, tmp_path)
    (root / "cat/again").unlink()
    (root / "cat/l").symlink_to("../dog")
    (root / "dog/l").symlink_to("../cat")
    assert "is a link back to" in refused(root, tmp_path)


def test_a_member_outside_of_its_archive_is_refused_and_written_nowhere(tmp_path: Path) -> None:
    root = fill(tmp_path / "in/d", 5)
    for number, name in enumerate(["../../x.png", "/tmp/x.png", "d/cat/../../../x.png"]):
        with tarfile.open(archive := tmp_path / f"in/{number}.tar", "w") as tar:
            tar.add(root, "d")
            evil = tarfile.TarInfo(name)
            evil.size = 4
            tar.addfile(evil, io.BytesIO(b"evil"))
        before = set(tmp_path.rglob("*"))
        assert repr(name) in refused(archive, tmp_path)
        assert set(tmp_path.rglob("*")) == before


def test_a_damaged_archive_is_refused_instead_of_read_in_part(tmp_path: Path) -> None:
    root = fill(tmp_path / "d", 5)
    with tarfile.open(tmp_path / "d.tar", "w") as tar:
        tar.add(root, "d")
    with tarfile.open(tmp_path / "d.tar") as tar:
        middle = tar.getmembers()[9].offset
    content = bytearray((tmp_path / "d.tar").read_bytes())
    content[middle : middle + 20] = b"\xff" * 20
    (tmp_path / "d.tar").write_bytes(content)
    assert "d.tar is a broken archive" in refused(tmp_path / "d.tar", tmp_path)
    packed_bytes = packed(root, tmp_path / "d.tgz").read_bytes()
    (tmp_path / "d.tgz").write_bytes(packed_bytes[: len(packed_bytes) // 2])
    assert "d.tgz is a broken archive" in refused(tmp_path / "d.tgz", tmp_path)
