"""Single images: every mode, the square that is cut, and files that are broken or mean harm."""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from resnet.data import DataError
from resnet.decode import read_image, strict, suffixes


@pytest.fixture(autouse=True)
def bombs_refused() -> Iterator[None]:
    with strict():
        yield


def saved(path: Path, image: Image.Image, **values: object) -> Path:
    image.save(path, **values)  # type: ignore[arg-type]
    return path


def centre(path: Path) -> list[int]:
    pixels = read_image(path, 8, 3)
    assert pixels.shape == (8, 8, 3)
    assert pixels.dtype == np.uint8
    return [int(value) for value in pixels[4, 4]]


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_image(path, 8, 3)
    assert str(path) in str(caught.value)
    return str(caught.value)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_every_mode_becomes_rgb_and_grey_on_request(tmp_path: Path) -> None:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        assert centre(saved(tmp_path / "a.png", Image.new("L", (9, 9), 255).convert(mode))) == [255] * 3
    assert centre(saved(tmp_path / "a.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)))) == pytest.approx(
        [255, 0, 0], abs=4
    )
    path = saved(tmp_path / "a.png", Image.new("RGB", (20, 10), (255, 0, 0)))
    assert read_image(path, 8, 1).shape == (8, 8, 1)
    assert set(read_image(path, 8, 1).ravel().tolist()) == {76}


def test_16_bits_keep_their_brightness(tmp_path: Path) -> None:
    for suffix in ("png", "tif"):
        image = Image.fromarray(np.full((8, 8), 0x8040, np.uint16))
        assert centre(saved(tmp_path / f"a.{suffix}", image)) == [0x80] * 3
    (tmp_path / "a.pgm").write_bytes(b"P5 8 8 65535\n" + struct.pack(">64H", *[0x8040] * 64))
    assert centre(tmp_path / "a.pgm") == [0x80] * 3


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    for suffix, image, values in [
        ("png", Image.new("RGBA", (8, 8), (10, 20, 30, 0)), {}),
        ("gif", Image.new("P", (8, 8), 7), {"transparency": 7}),
        ("png", Image.new("RGB", (8, 8), (1, 2, 3)), {"transparency": (1, 2, 3)}),
        ("png", palette, {"transparency": bytes([255, 0])}),
    ]:
        assert centre(saved(tmp_path / f"a.{suffix}", image, **values)) == [255] * 3
    assert centre(saved(tmp_path / "b.png", palette)) == [10, 20, 30]


def test_the_orientation_of_a_photograph_is_applied(tmp_path: Path) -> None:
    for orientation in (*range(10), 65535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = saved(tmp_path / "a.png", Image.fromarray(noise(8, 8, 3)), exif=exif)
        with Image.open(path) as image:
            assert np.array_equal(read_image(path, 8, 3), np.asarray(ImageOps.exif_transpose(image)))


def test_the_middle_square_is_cut(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 16), "black")
    image.paste("white", (20, 0, 44, 16))
    path = saved(tmp_path / "a.png", image)
    assert read_image(path, 8, 3).min() == 255
    whole = image.resize((32, 8), Image.Resampling.BILINEAR).crop((12, 0, 20, 8))
    assert np.abs(read_image(path, 8, 3).astype(int) - np.asarray(whole)).max() <= 1
    for size in ((1, 1), (1, 500), (30_000, 1)):
        path = saved(tmp_path / "a.png", Image.new("RGB", size, (9, 8, 7)))
        assert read_image(path, 64, 3).reshape(-1, 3).tolist() == [[9, 8, 7]] * 4096


# What is refused.


def test_what_is_no_file_or_no_image_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "none.png", tmp_path, tmp_path / "pipe.png"):
        assert "no file" in refused(path)
    for content in (b"hello", b"", b"<svg/>"):
        (tmp_path / "a.png").write_bytes(content)
        assert "no image" in refused(tmp_path / "a.png")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_an_image_cut_or_changed_anywhere_is_read_or_named(tmp_path: Path, form: str) -> None:
    rng, buffer, path = np.random.default_rng(0), io.BytesIO(), tmp_path / "a.png"
    Image.fromarray(noise(64, 64, 3)).save(buffer, form)
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    refused(path)
    for _ in range(100):
        content = bytearray(buffer.getvalue()[: rng.integers(1, len(buffer.getvalue()) + 1)])
        for place in rng.integers(0, len(content), 3):
            content[place] = rng.integers(256)
        path.write_bytes(content)
        try:
            assert read_image(path, 8, 3).shape == (8, 8, 3)
        except DataError as error:
            assert str(path) in str(error)  # noqa: PT017 - either is right


def png(width: int, height: int) -> bytes:
    """A PNG in colour that claims a size, and holds nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", b""), (b"IEND", b"")]
    body = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    for side in (10_000, 60_000):
        (tmp_path / "bomb.png").write_bytes(png(side, side))
        assert "too many pixels" in refused(tmp_path / "bomb.png")


def test_postscript_is_never_run(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", "EPS")
    assert "no image" in refused(tmp_path / "a.jpg")
    assert ".eps" not in suffixes()
    assert {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif"} <= suffixes()
