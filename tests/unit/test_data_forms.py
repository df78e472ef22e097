"""Forms of data sets besides folders: tables, zip archives, torchvision's sets by name, Hugging Face's on disk."""

import gzip
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gaopt.config.tables import changed
from resnet import libraries
from resnet.data import DataError, DataSpec, load
from tests.photos import labelled
from tests.unit.test_data import counted, fill, picture, refused, same, spec


def test_a_table_names_files_and_their_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = counted(monkeypatch)
    table = labelled(tmp_path / "d", 120)
    for data in (load(spec(table), tmp_path), load(spec(table), tmp_path)):
        assert data.name == "labels.csv"
        assert data.classes == tuple("0123456789")
        assert sum(map(len, data.splits.values())) == 120
        for split in data.splits.values():
            for name, image in zip(split.names, split.images, strict=True):
                assert np.array_equal(image[..., 0], np.asarray(Image.open(tmp_path / "d" / name)))
    assert len(seen) == 120  # once, then from the cache
    picture(tmp_path / "d/photos/0000.png", 3)
    assert load(spec(table), tmp_path).digest != data.digest


@pytest.mark.parametrize("form", [".csv", ".tsv", ".parquet", "semicolons"])
def test_splits_of_a_table_are_kept_and_columns_known_by_their_usual_names(tmp_path: Path, form: str) -> None:
    table = labelled(tmp_path / "d", 90, splits=("train", "Val", "test"))
    frame = pd.read_csv(table).rename(columns={"path": "File_Name", "label": "class"})
    path = tmp_path / "d" / f"table{form if form.startswith('.') else '.csv'}"
    if form == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep={".tsv": "\t", ".csv": ","}.get(form, ";"), encoding="utf-8-sig")
    data = load(spec(path), tmp_path)
    assert [len(split) for split in data.splits.values()] == [30, 30, 30]
    assert set(data.valid.names) == set(frame["File_Name"][1::3])
    assert data.origins["valid"] == f"{path.name}, valid"
    fastai = frame[["File_Name", "class"]].assign(is_valid=frame.split == "Val")
    fastai.to_csv(path.with_suffix(".csv"), index=False)
    assert set(load(spec(path.with_suffix(".csv")), tmp_path).valid.names) == set(data.valid.names)


def test_a_parquet_table_without_pyarrow_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.parquet"
    pd.DataFrame({"path": ["a.png"], "label": ["x"]}).to_parquet(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert refused(path, tmp_path).endswith(
        "table.parquet is read by pyarrow, which is not installed: pip install pyarrow"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,label\na.png,x\nb.png,y\nnone.png,x\n", "labels.csv, line 4: there is no file "),
        ("path,label\na.png,x\n\na.png,y\n", "line 4: a.png is named before, in "),
        ("path,label\na.png,x\nb.png\n", "line 3 has 1 cells: must have 2"),
        ("path,label\na.png,x\nb.png,\n", "line 3 has no label"),
        ("path,label,split\na.png,x,train\nb.png,y,fold1\n", "line 3: the split is 'fold1': must be train, valid or"),
        ("path,label,split\na.png,x,train\nb.png,z,train\nc.png,y,test\n", "line 4: no training image is of 'y'"),
        ("path,label\na.png,x\nb.png,x\n", "are of x: two are wanted"),
        ("photo,label\na.png,x\n", "has the columns photo, label: one named path is wanted"),
        ("path,label\n", "holds no row"),
        ("", "columns of an empty file"),
        ("path,label\na.png,\xe9\n", "cannot be read: 'utf-8'"),
        ("path,label\na.png,x\ntable.txt,y\n", "table.txt is no image"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_by_its_row(tmp_path: Path, text: str, said: str) -> None:
    for name in "abc":
        picture(tmp_path / f"{name}.png", ord(name))
    (tmp_path / "table.txt").write_text("no image")
    (tmp_path / "labels.csv").write_bytes(text.encode("latin-1"))
    assert said in refused(tmp_path / "labels.csv", tmp_path / "cache")


def zipped(root: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(root.rglob("*")):
            file.write(path, Path(root.name, path.relative_to(root)))
        file.writestr("__MACOSX/d/train/._cat", b"of macOS")
    return archive


def test_a_zip_archive_reads_as_its_folder_does(tmp_path: Path) -> None:
    root = fill(tmp_path / "d/train", 6).parent
    found = load(spec(zipped(root, tmp_path / "pets.zip")), tmp_path)
    assert same(load(spec(root), tmp_path), found)
    assert (found.name, found.train.names[0]) == ("pets", "d/train/cat/000.png")
    torn = bytearray((tmp_path / "pets.zip").read_bytes())
    torn[torn.index(b"000.png") + 30] ^= 255
    (tmp_path / "torn.zip").write_bytes(torn)
    assert "torn.zip" in refused(tmp_path / "torn.zip", tmp_path)
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as file:
        file.writestr("../out.png", b"")
    assert "lies outside of it" in refused(tmp_path / "out.zip", tmp_path)


def mnist(root: Path, count: int) -> None:
    """A set of torchvision's in the files of its authors."""
    rng = np.random.default_rng(0)
    (root / "FashionMNIST/raw").mkdir(parents=True)
    for split in ("train", "t10k"):
        for kind, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            values = rng.integers(0, 256, shape, np.uint8) if len(shape) == 3 else np.arange(count, dtype=np.uint8) % 10
            head = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
            path = root / f"FashionMNIST/raw/{split}-{kind}-ubyte"
            path.write_bytes(head + values.tobytes())
            with gzip.open(f"{path}.gz", "wb") as file:
                file.write(head + values.tobytes())


def test_a_set_of_torchvision_is_read_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mnist(tmp_path / "root", 100)
    named = DataSpec("torchvision:FashionMNIST", str(tmp_path / "root"))
    data = load(named, tmp_path)
    assert (data.name, data.classes[0], data.train.images.shape[1:]) == ("FashionMNIST", "T-shirt/top", (28, 28, 1))
    assert [len(split) for split in data.splits.values()] == [80, 20, 100]
    assert data.test.names[3] == "test/3"
    monkeypatch.setattr(libraries, "read_torchvision", None)
    assert load(named, tmp_path).digest == data.digest
    monkeypatch.undo()
    for missing in ("other", "root/FashionMNIST"):
        with pytest.raises(DataError, match=r"does not (exist|hold FashionMNIST as torchvision keeps it)"):
            load(DataSpec("torchvision:FashionMNIST", str(tmp_path / missing)), tmp_path)


def test_torchvision_sets_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", offline)
    with pytest.raises(DataError, match=r"KMNIST of torchvision could not be fetched \(.*\): give the folder"):
        load(DataSpec("torchvision:KMNIST"), tmp_path)
    assert not list((tmp_path / "torchvision").iterdir())
    with pytest.raises(ValueError, match="name is 'torchvision:MINST': did you mean torchvision:MNIST"):
        DataSpec("torchvision:MINST")


def test_what_data_stands_for() -> None:
    def images(data: str, name: str = "digits") -> object:
        return changed({"data": {"name": name}}, data, (), {})["data"]

    assert images("a/b.csv") == {"name": "folder", "path": "a/b.csv"}
    assert images("a/b.csv", "cifar10") == {"name": "cifar10", "path": "a/b.csv"}
    assert images("torchvision:SVHN", "cifar10") == {"name": "torchvision:SVHN", "path": ""}
    on_disk = changed({}, "torchvision:SVHN", ["data.path=there"], {})["data"]
    assert on_disk == {"name": "torchvision:SVHN", "path": "there"}


@pytest.mark.slow
def test_a_set_of_hugging_face_is_read_from_disk(tmp_path: Path) -> None:
    hf = pytest.importorskip("datasets")
    table = pd.read_csv(labelled(tmp_path / "d", 60))
    files, labels = [str(tmp_path / "d" / path) for path in table.path], table.label.tolist()
    kinds = hf.Features(about=hf.Value("string"), photo=hf.Image(), digit=hf.ClassLabel(names=list("0123456789")))
    of = hf.Dataset.from_dict({"about": files, "photo": files, "digit": labels}, kinds)
    unlabelled = hf.Dataset.from_dict({"about": files, "photo": files, "digit": [-1] * 60}, kinds)
    hf.DatasetDict(train=of, validation=of.select(range(20)), test=unlabelled).save_to_disk(str(tmp_path / "saved"))
    data = load(DataSpec("folder", str(tmp_path / "saved"), test=0.25), tmp_path)
    assert (data.name, data.classes, data.train.images.shape[1:]) == ("saved", tuple("0123456789"), (8, 8, 1))
    assert data.origins["valid"] == "valid of saved"
    assert "the test images of saved have no classes, and are not used" in data.warnings
    for name, image in zip(data.valid.names, data.valid.images, strict=True):
        assert np.array_equal(np.asarray(Image.open(files[int(name.removeprefix("valid/"))])), image[..., 0])
    assert load(DataSpec("folder", str(tmp_path / "saved"), test=0.25), tmp_path).digest == data.digest
    words = hf.Dataset.from_dict({"image": files, "target": [f"d{n}" for n in labels]}).cast_column("image", hf.Image())
    words.save_to_disk(str(tmp_path / "words"))
    assert load(DataSpec("folder", str(tmp_path / "words")), tmp_path).classes[3] == "d3"
    words.remove_columns("image").save_to_disk(str(tmp_path / "none"))
    assert "has the columns target: one of images" in refused(tmp_path / "none", tmp_path)
