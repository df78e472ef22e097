"""Single images: every mode, the square that is cut, and files that mean harm."""

import io
import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from resnet import decode
from resnet.data import DataError, read_image
from resnet.decode import fitted, formats, suffixes


def saved(path: Path, image: Image.Image, **values: object) -> Path:
    image.save(path, **values)  # type: ignore[arg-type]
    return path


def centre(path: Path) -> list[int]:
    pixels = read_image(path, 8, 3)
    assert pixels.shape == (8, 8, 3)
    assert pixels.dtype == np.uint8
    return [int(value) for value in pixels[4, 4]]


def test_an_image_of_the_size_stays_as_it_is(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    path = saved(tmp_path / "a.png", Image.fromarray(pixels))
    assert np.array_equal(read_image(path, 8, 3), pixels)


def test_every_mode_of_png_becomes_rgb(tmp_path: Path) -> None:
    for n, mode in enumerate(["1", "L", "LA", "P", "RGB", "RGBA"]):
        (folder := tmp_path / str(n)).mkdir()
        grey = Image.new("L", (9, 9), 255).convert(mode)
        assert centre(saved(folder / "a.png", grey)) == [255, 255, 255]


def test_grey_on_request(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", (20, 10), (255, 0, 0)))
    assert read_image(path, 8, 1).shape == (8, 8, 1)
    assert set(read_image(path, 8, 1).ravel().tolist()) == {76}


def test_cmyk(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)))
    assert centre(path) == pytest.approx([255, 0, 0], abs=4)


def test_threads_decode_so_many_pixels_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", (9, 9)))
    monkeypatch.setattr(decode, "ROOM", room := decode.Room(100))
    assert read_image(path, 8, 3).any() == 0
    with ThreadPoolExecutor(1) as pool:
        with room.taken(20):
            waits = pool.submit(read_image, path, 8, 3)
            with pytest.raises(TimeoutError):
                waits.result(0.1)
        waits.result(60)
    with room.taken(10**9):  # what is larger than all of it goes in alone
        pass


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_keep_their_brightness(tmp_path: Path, suffix: str) -> None:
    values = np.full((8, 8), 0x8040, np.uint16)
    assert centre(saved(tmp_path / f"a.{suffix}", Image.fromarray(values))) == [0x80] * 3


def test_a_16_bit_pgm(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"P5 8 8 65535\n" + struct.pack(">64H", *[0x8040] * 64))
    assert centre(tmp_path / "a.pgm") == [0x80] * 3


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    assert centre(saved(tmp_path / "a.png", Image.new("RGBA", (8, 8), (10, 20, 30, 0)))) == [255] * 3
    keyed = Image.new("P", (8, 8), 7)
    assert centre(saved(tmp_path / "b.gif", keyed, transparency=7)) == [255] * 3
    assert centre(saved(tmp_path / "c.png", Image.new("RGB", (8, 8), (1, 2, 3)), transparency=(1, 2, 3))) == [255] * 3


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert centre(path) == [255, 0, 0]


def test_the_orientation_of_a_photograph_is_applied(tmp_path: Path) -> None:
    for n, orientation in enumerate([*range(10), 65535]):
        (folder := tmp_path / str(n)).mkdir()
        exif = Image.Exif()
        exif[0x0112] = orientation
        pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
        path = saved(folder / "a.png", Image.fromarray(pixels), exif=exif)
        with Image.open(path) as image:
            assert np.array_equal(read_image(path, 8, 3), np.asarray(ImageOps.exif_transpose(image)))


def test_the_orientation_is_applied_where_another_tag_is_broken(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "x" * 20
    # A resolution that is a text, after which PIL's exif_transpose fails.
    raw = exif.tobytes().replace(b"\x01\x0f\x00\x02", b"\x01\x1a\x00\x02")
    image = Image.new("RGB", (8, 8), "black")
    image.paste("white", (0, 0, 8, 4))
    path = saved(tmp_path / "a.png", image, exif=raw)
    with Image.open(path) as opened, pytest.raises(TypeError):
        ImageOps.exif_transpose(opened)
    assert read_image(path, 8, 3)[:, :, 0].mean(0).tolist() == [0] * 4 + [255] * 4


def test_a_broken_exif_block_does_not_matter(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", Image.new("RGB", (8, 8), "white"), exif=b"Exif\x00\x00garbage that is no TIFF")
    assert centre(path) == [255] * 3


def test_the_middle_square_is_cut(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 16), "black")
    image.paste("white", (20, 0, 44, 16))
    path = saved(tmp_path / "a.png", image)
    assert read_image(path, 8, 3).min() == 255
    whole = image.resize((32, 8), Image.Resampling.BILINEAR).crop((12, 0, 20, 8))
    assert np.abs(read_image(path, 8, 3).astype(int) - np.asarray(whole)).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (30_000, 1)])
def test_the_smallest_and_the_longest(tmp_path: Path, size: tuple[int, int]) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", size, (9, 8, 7)))
    assert read_image(path, 64, 3).reshape(-1, 3).tolist() == [[9, 8, 7]] * 4096


def test_arrays_are_resized_as_files_are(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 1), np.uint8)
    path = saved(tmp_path / "a.png", Image.fromarray(pixels[0, :, :, 0]))
    assert np.array_equal(fitted(pixels, 16)[0], read_image(path, 16, 1))
    assert fitted(pixels, 8) is pixels


# What is refused.


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_image(path, 8, 3)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    assert "no file" in refused(tmp_path / "none.png")
    assert "no file" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    assert "no file" in refused(tmp_path / "pipe.png")


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("hello")
    assert "no image" in refused(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"")
    assert "no image" in refused(tmp_path / "b.png")


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    for n, suffix in enumerate(["jpg", "png", "gif", "bmp", "webp"]):
        (folder := tmp_path / str(n)).mkdir()
        pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        whole = saved(folder / f"whole.{suffix}", Image.fromarray(pixels)).read_bytes()
        path = folder / f"half.{suffix}"
        path.write_bytes(whole[: len(whole) // 2])
        refused(path)


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b"")]
    body = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_decompression_bomb_is_refused(tmp_path: Path, side: int) -> None:
    (tmp_path / "bomb.png").write_bytes(png(side, side))
    assert "too many pixels" in refused(tmp_path / "bomb.png")


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    assert "floating-point" in refused(saved(tmp_path / "a.tif", Image.new("F", (8, 8))))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(2**40)
    assert "1099511627776 bytes" in refused(tmp_path / "huge.png")


def test_postscript_is_never_run(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "EPS")
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    assert "no image" in refused(tmp_path / "a.jpg")
    assert "EPS" not in formats()
    assert ".eps" not in suffixes()
    assert {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif"} <= suffixes()
