"""Tar archives that mean harm: each is one sentence, in time and memory that its size allows."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from resnet import tar as tars
from resnet import trees
from resnet.data import DataError
from resnet.trees import Listing, open_tree

END = bytes(1024)


def header(name: bytes = b"a/b.png", kind: bytes = b"0", size: bytes = b"00000000000\0") -> bytes:
    """A block of a tar archive with a right checksum, whatever it claims."""
    block = bytearray(512)
    block[: len(name)], block[100:108], block[124:136], block[156:157] = name, b"0000644\0", size, kind
    block[108:116] = block[116:124] = b"0000000\0"
    block[136:148], block[257:265], block[148:156] = b"00000000000\0", b"ustar\x0000", b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def long(content: bytes, kind: bytes) -> bytes:
    """An extended header."""
    return header(b"x", kind, b"%011o\0" % len(content)) + content + bytes(-len(content) % 512)


def pax(**told: bytes) -> bytes:
    """A PAX header; its keywords have _ for dots."""
    records = []
    for key, value in told.items():
        rest = b" " + key.replace("_", ".").encode() + b"=" + value + b"\n"
        length = next(n for n in range(len(rest), len(rest) + 9) if n == len(rest) + len(str(n)))
        records.append(str(length).encode() + rest)
    return long(b"".join(records), b"x")


def listed(path: Path, content: bytes) -> Listing:
    path.write_bytes(content)
    return open_tree(path).listing


BAD: dict[str, tuple[bytes, str]] = {
    "size that is no number": (pax(size=b"abc") + header(), "broken archive: invalid literal"),
    "negative size by PAX": (pax(size=b"-5") + header(), "a member of -5 bytes"),
    "negative size": (header(size=b"\xff" * 12), "a member of -1 bytes"),
    "size beyond any file": (header(size=b"\x80" + b"\x7f" * 11), "broken archive"),
    "size that takes it back": (header() + header(size=b"\xff" * 10 + b"\xfc\0"), "a member of -1024 bytes"),
    "header of a negative size": (header(kind=b"x", size=b"\xff" * 10 + b"\xfc\0") + header(), "bytes of headers"),
    "header of 2 GiB": (header(kind=b"x", size=b"20000000000\0") + header(), "more than 1048576 bytes of headers"),
    "name beyond any file": (header(kind=b"L", size=b"\x80" + b"\x7f" * 11), "more than 1048576 bytes of headers"),
    "chain of names": (long(b"a\0", b"L") * 3000 + header(), "more than 1048576 bytes of headers"),
    "chain of PAX headers": (pax(path=b"a/b.png") * 3000 + header(), "more than 1048576 bytes of headers"),
    "name without an end": (long(b"a\0", b"L"), "header after an extended header"),
    "name of no member": (long(b"a\0", b"L") + END, "header after an extended header"),
    "PAX header that is none": (long(b"99999 " + b"x" * 500, b"x") + header(), "an extended header that is none"),
    "record of no bytes": (long(b"0 a=b\n", b"x") + header(), "an extended header that is none"),
    "record beyond its header": (long(b"9" * 5000 + b" a=b\n", b"x") + header(), "an extended header that is none"),
    "records inside one another": (long(b"2 " * 500_000 + b"=\n", b"x") + header(), "an extended header that is none"),
    "long path": (pax(path=b"a/" * 20 + b"x" * 5000) + header(), "a path may have 4096 bytes"),
    "deep path": (pax(path=b"a/" * 200 + b"x.png") + header(), "may be 100 folders deep"),
}


def test_a_header_that_is_not_to_be_believed_is_one_sentence(tmp_path: Path) -> None:
    for n, name in enumerate(BAD):
        (folder := tmp_path / str(n)).mkdir()
        content, said = BAD[name]
        tracemalloc.start()
        with pytest.raises(DataError) as caught:
            listed(folder / "d.tar", content + END)
        assert tracemalloc.get_traced_memory()[1] < 2**24
        tracemalloc.stop()
        assert said in str(caught.value)
        assert f"{folder}/d.tar" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def test_a_packed_name_of_a_gibibyte_is_not_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(header(kind=b"L", size=b"10000000000\0") + bytes(2**24))
    tracemalloc.start()
    with pytest.raises(DataError, match="bytes of headers"):
        listed(tmp_path / "d.tgz", packed)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_a_global_header_is_not_copied_to_every_member(tmp_path: Path) -> None:
    told = b"".join(b"11 %06x=\n" % number for number in range(20_000))
    tracemalloc.start()
    assert len(listed(tmp_path / "d.tar", long(told, b"g") + header() * 200 + END).files) == 1
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("name", ["a.png", "x" * 90 + "/" + "y" * 90 + "/é.png"])
def test_names_are_read_as_tarfile_does(tmp_path: Path, form: int, name: str) -> None:
    with tarfile.open(tmp_path / "d.tar", "w", format=form, pax_headers={"comment": "by git"}) as tar:
        for number, each in enumerate((name, "b/empty.png", f"{name[:-4]}2.png")):
            member = tarfile.TarInfo(each)
            member.size = 700 * number
            tar.addfile(member, io.BytesIO(bytes([number]) * member.size))
        folder = tarfile.TarInfo("z" * 120)
        folder.type = tarfile.DIRTYPE
        if form != tarfile.USTAR_FORMAT:
            tar.addfile(folder)
    with tarfile.open(tmp_path / "d.tar") as tar:
        wanted = {tuple(m.name.split("/")): (f.read() if (f := tar.extractfile(m)) else None) for m in tar}
    tree = open_tree(tmp_path / "d.tar")
    assert {p: contents() for p, contents in tree.read(tree.listing.files)} == {
        p: c for p, c in wanted.items() if c is not None
    }
    assert {p for p, c in wanted.items() if c is None} <= tree.listing.folders


@pytest.mark.parametrize("name", ["GNU_sparse_size", "GNU_sparse_map", "GNU_sparse_realsize", "GNU_sparse_major"])
@pytest.mark.parametrize("value", [b"1", b"x", b"9" * 30])
def test_a_file_with_holes_is_no_image(tmp_path: Path, name: str, value: bytes) -> None:
    assert listed(tmp_path / "d.tar", pax(**{name: value}) + header() + END).files == {("a", "b.png"): None}


def test_an_old_file_with_holes_is_no_image_and_what_follows_is_found(tmp_path: Path) -> None:
    block = bytearray(header(kind=b"S"))
    block[482], block[148:156] = 1, b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    content = bytes(block) + bytes(504) + b"\1" + bytes(7) + bytes(512) + header(b"c.png") + END
    assert listed(tmp_path / "d.tar", content).files == {("a", "b.png"): None, ("c.png",): 0}


@pytest.mark.parametrize(("bound", "said"), [("MEMBERS", "more than 3 members"), ("FOLDERS", "more than 3 folders")])
def test_members_and_folders_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, said: str
) -> None:
    monkeypatch.setattr(tars if bound == "MEMBERS" else trees, bound, 3)
    for few in (3, 4):
        content = b"".join(header(b"%d/a.png" % number) for number in range(few))
        if few == 3:
            assert len(listed(tmp_path / "d.tar", content + END).files) == 3
            continue
        with pytest.raises(DataError, match=said):
            listed(tmp_path / "d.tar", content + END)


def test_a_folder_deeper_than_any_data_set_is_refused(tmp_path: Path) -> None:
    tmp_path.joinpath(*"a" * 120).mkdir(parents=True)  # a thousand, which recursion fails at, pytest could not remove
    with pytest.raises(DataError, match="is 100 folders deep: at most 100 are read"):
        _ = open_tree(tmp_path).listing
